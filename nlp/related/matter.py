"""Matter keys: the most telling n-grams of a masked text, by which petitions of one matter find each other.

A matter is a topic at a place. Both are told in words that few petitions hold: names of estates, roads, firms, offices.
Keys are hashes, so that no text is kept. Which n-grams are common was counted once (`training/make_ngram_table.py`).
That table is part of every stored key: whoever makes it anew adds a migration that fills the stored keys anew.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.ngrams import ngram_hash
from nlp.related.signature import PLACEHOLDER

N_KEYS = 48
SAME_MATTER = 0.2
"""Share of common keys from which two petitions may tell of one matter; measured in docs/related.md."""
TABLE = Path(__file__).with_name("common_ngrams.npz")

_SIZES = (2, 3)
_FEWEST = 12
"""Of shorter texts one or two keys in common would already be a large share."""
_PART = re.compile(r"[\u4e00-\u9fffa-z0-9]+")

Keys = NDArray[np.uint32]
"""Shape (N_KEYS,): different hashes, the most telling first, then zeros where the text has no more n-grams."""


def matter_keys(text: str) -> Keys:
    """Return the keys of a masked `text`; all zeros where it has no n-grams.

    What tells most is said often in the text and stands in few messages: (1 + ln times) · ln(messages / messages with
    it). N-grams outside the table count as its rarest; among equals the smaller hash goes first, so that two texts
    choose the same ones.
    """
    counts = ngram_counts(text)
    hashes = np.fromiter(counts.keys(), np.uint32, len(counts))
    times = np.fromiter(counts.values(), np.float64, len(counts))
    # Rounded, so that the last bits of a platform's logarithm never choose a key.
    telling = np.round((1 + np.log(times)) * _weights(hashes), 3)
    keys = np.zeros(N_KEYS, np.uint32)
    chosen = hashes[np.lexsort((hashes, -telling))[:N_KEYS]]
    keys[: len(chosen)] = chosen
    return keys


def shared_share(
    common: NDArray[np.int64], *, stored: NDArray[np.integer[Any]], asked: NDArray[np.integer[Any]] | int
) -> NDArray[np.float64]:
    """Return the share of keys in `common`, 0 to 1, where the texts have `stored` and `asked` keys."""
    share: NDArray[np.float64] = common / np.maximum(_FEWEST, np.minimum(stored, asked))
    return share


def keys_to_bytes(keys: Keys) -> bytes:
    """Return keys as 192 bytes, little-endian, for storage."""
    return keys.astype("<u4").tobytes()


def keys_from_bytes(stored: bytes) -> Keys:
    """Return the keys stored by `keys_to_bytes`; ValueError if the length is not 192."""
    if len(stored) != 4 * N_KEYS:
        raise ValueError(f"matter keys have {4 * N_KEYS} bytes, given: {len(stored)}")
    return np.frombuffer(stored, "<u4").astype(np.uint32)


def ngram_counts(text: str) -> Counter[int]:
    """Return how often each n-gram of a masked `text` occurs, by its hash, which is never 0: that means no key."""
    return Counter(ngram_hash(gram) or 1 for gram in _grams(text))


def _grams(text: str) -> Iterator[str]:
    """Yield n-grams of Chinese characters, letters and digits that nothing else interrupts."""
    for part in _PART.findall(PLACEHOLDER.sub(" ", text).lower()):
        for size in _SIZES:
            for start in range(len(part) - size + 1):
                yield part[start : start + size]


def _weights(hashes: NDArray[np.uint32]) -> NDArray[np.float64]:
    known, weights = _table()
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return np.where(known[places] == hashes, weights[places], weights.max())


@cache
def _table() -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Return the hashes of the common n-grams, sorted, and ln(messages / messages with it) of each."""
    with np.load(TABLE, allow_pickle=False) as arrays:
        return arrays["hashes"], arrays["weights"].astype(np.float64)
