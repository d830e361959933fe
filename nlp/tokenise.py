"""Cut text into the encoder's pieces (tokenizers) and into words (jieba); the only importer of jieba."""

import logging
from collections.abc import Iterator

import jieba

jieba.setLogLevel(logging.WARNING)


def words(text: str) -> Iterator[str]:
    """Yield the jieba words of `text` in order, white space left out."""
    return (word for word in jieba.cut(text, HMM=False) if not word.isspace())
