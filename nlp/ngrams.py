"""Character n-grams of a text as sparse features, the same lines for training and serving.

The linear branch of the model reads them. An n-gram is known by its CRC-32; a vocabulary is a sorted array of the
hashes chosen in training, so no strings of training texts are stored in a bundle.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

SIZES = (1, 2, 3, 4)
MAX_CHARACTERS = 4000
"""Longer texts are read from both ends; what lies between hardly changes a bag of n-grams."""


def ngrams(text: str) -> Iterator[tuple[int, str]]:
    """Yield every n-gram of `text` (normalised and masked) with its start; line breaks are not crossed."""
    for start, stretch in _stretches(text):
        for size in SIZES:
            for i in range(len(stretch) - size + 1):
                yield start + i, stretch[i : i + size]


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    head = MAX_CHARACTERS * 3 // 4
    tail = MAX_CHARACTERS - head
    parts = [(0, text)] if len(text) <= MAX_CHARACTERS else [(0, text[:head]), (len(text) - tail, text[-tail:])]
    for offset, part in parts:
        for line in part.split("\n"):
            yield offset, line
            offset += len(line) + 1


def ngram_hash(gram: str) -> int:
    """Return the 32-bit hash an n-gram is known by."""
    return crc32(gram.encode())


def count_ngrams(text: str) -> Counter[int]:
    """Return how often each n-gram hash occurs in `text`."""
    grams = Counter(gram for _, gram in ngrams(text))
    return Counter({ngram_hash(gram): n for gram, n in grams.items()})


@dataclass(frozen=True, kw_only=True)
class NgramVocabulary:
    """The n-grams a model knows: sorted `hashes` (n,) uint32 and their inverse document frequencies `idf` (n,)."""

    hashes: NDArray[np.uint32]
    idf: NDArray[np.float32]

    def find(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return the index of each hash in the vocabulary, -1 where it is unknown."""
        if not len(self.hashes):
            return np.full(len(hashes), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, places, -1)

    def features(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32], float]:
        """Return the known n-grams' indices, their TF-IDF values (sublinear, unit length) and the known share.

        The share counts distinct n-grams of the text; for an empty text it is 0.
        """
        counts = count_ngrams(text)
        if not counts:
            return np.empty(0, np.int64), np.empty(0, np.float32), 0.0
        places = self.find(np.fromiter(counts.keys(), dtype=np.uint32, count=len(counts)))
        tf = 1 + np.log(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))
        known = places >= 0
        values = (tf[known] * self.idf[places[known]]).astype(np.float32)
        norm = float(np.linalg.norm(values))
        return places[known], values / norm if norm else values, float(known.mean())
