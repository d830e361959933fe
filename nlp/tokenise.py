"""Cut text into the encoder's pieces (tokenizers) and into words (jieba); the only importer of jieba."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import jieba
from tokenizers import Tokenizer

jieba.setLogLevel(logging.WARNING)


def words(text: str) -> Iterator[str]:
    """Yield the jieba words of `text` in order, white space left out."""
    return (word for word in jieba.cut(text, HMM=False) if not word.isspace())


@dataclass(frozen=True, kw_only=True)
class Windows:
    """A text in windows of pieces: `ids[k]` are the ids of window k, with [CLS] and [SEP] at its ends.

    `spans[k]` gives, for every piece of window k, the stretch of the text it stands for; (0, 0) for [CLS] and [SEP].
    """

    ids: tuple[tuple[int, ...], ...]
    spans: tuple[tuple[tuple[int, int], ...], ...]


class PieceTokeniser:
    """Cuts normalised, masked text into windows of pieces; the same for training and serving."""

    def __init__(self, tokenizer: Tokenizer, *, window: int, max_windows: int) -> None:
        """Use `tokenizer` with windows of `window` pieces (special ones included), at most `max_windows` of them.

        Raises ValueError if a window has no room for text or the vocabulary lacks [CLS] or [SEP].
        """
        if window < 3 or max_windows < 1:
            raise ValueError(f"window must be at least 3 and max_windows at least 1, got {window} and {max_windows}")
        # A published tokenizer.json may cut or pad by itself.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._content = window - 2
        self._max_windows = max_windows
        self._cls = _piece_id(tokenizer, "[CLS]")
        self._sep = _piece_id(tokenizer, "[SEP]")

    def windows(self, text: str) -> Windows:
        """Return the windows of `text`; of a text that needs more than `max_windows`, the first ones and the last.

        Where only one window is allowed it is the first.
        """
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        ids, spans = encoding.ids, encoding.offsets
        starts = list(range(0, max(1, len(ids)), self._content))
        if len(starts) > self._max_windows:
            # The end of a long petition is where it says what it wants.
            starts = [*starts[: self._max_windows - 1], len(ids) - self._content] if self._max_windows > 1 else [0]
        return Windows(
            ids=tuple((self._cls, *ids[start : start + self._content], self._sep) for start in starts),
            spans=tuple(((0, 0), *spans[start : start + self._content], (0, 0)) for start in starts),
        )


def _piece_id(tokenizer: Tokenizer, piece: str) -> int:
    found: int | None = tokenizer.token_to_id(piece)
    if found is None:
        raise ValueError(f"the tokenizer's vocabulary lacks {piece}, which frames every window")
    return found
