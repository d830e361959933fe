"""A block of stored petitions: signatures, band keys, sentence vectors, and which of them were removed.

Blocks have a fixed size, so that adding never copies what is stored. A full block sorts its band keys once; the
open one is scanned.
"""

import numpy as np
from numpy.typing import NDArray

from nlp.related.signature import N_BANDS, N_HASHES

CHUNK = 32_768
"""Petitions per block."""


class Chunk:
    """Up to `CHUNK` petitions; rows are numbered in the order of adding."""

    def __init__(self, *, width: int, sketch_width: int) -> None:
        """Reserve room for vectors of `width` and their sketches of `sketch_width` numbers."""
        self.n = 0
        self.signatures = np.zeros((CHUNK, N_HASHES), np.uint16)
        self.keys = np.zeros((CHUNK, N_BANDS), np.uint32)
        self.digests = np.zeros(CHUNK, np.uint64)
        self.vectors = np.zeros((CHUNK, width), np.float16)
        self.sketches = np.zeros((CHUNK, sketch_width), np.float32)
        self.alive = np.zeros(CHUNK, bool)
        self._order: NDArray[np.uint16] | None = None

    @property
    def full(self) -> bool:
        """Whether no more petitions fit."""
        return self.n == CHUNK

    @property
    def room(self) -> int:
        """How many more petitions fit."""
        return CHUNK - self.n

    def append(
        self,
        *,
        signatures: NDArray[np.uint16],
        keys: NDArray[np.uint32],
        digests: NDArray[np.uint64],
        vectors: NDArray[np.float32],
        sketches: NDArray[np.float32],
    ) -> None:
        """Store rows, at most `room`; a block that gets full is sealed."""
        rows = slice(self.n, self.n + len(digests))
        self.signatures[rows], self.keys[rows], self.digests[rows] = signatures, keys, digests
        self.vectors[rows], self.sketches[rows], self.alive[rows] = vectors, sketches, True
        self.n = rows.stop
        if self.full:
            self._seal()

    @property
    def n_bytes(self) -> int:
        """Memory held by the arrays."""
        arrays = (self.signatures, self.keys, self.digests, self.vectors, self.sketches, self.alive)
        return sum(array.nbytes for array in arrays) + (self._order.nbytes if self._order is not None else 0)

    def _seal(self) -> None:
        """Sort the band keys of a full block for quick look-up."""
        order = np.argsort(self.keys, axis=0, kind="stable")
        self.keys = np.take_along_axis(self.keys, order, axis=0).T.copy()
        self._order = order.astype(np.uint16).T.copy()

    def sharing_band(self, keys: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return the rows that share a band key with `keys` (N_BANDS,), removed ones left out."""
        if self._order is None:
            rows = np.flatnonzero((self.keys[: self.n] == keys).any(axis=1))
        else:
            found = []
            for band in range(N_BANDS):
                # The key keeps its type: a Python number would have numpy convert the whole column.
                first = np.searchsorted(self.keys[band], keys[band], side="left")
                last = np.searchsorted(self.keys[band], keys[band], side="right")
                if last > first:
                    found.append(self._order[band, first:last])
            rows = np.unique(np.concatenate(found)).astype(np.int64) if found else np.empty(0, np.int64)
        return rows[self.alive[rows]]

    def alike(self, sketch: NDArray[np.float32], *, floor: float, most: int) -> NDArray[np.int64]:
        """Return at most `most` rows whose sketch is the most alike and at least `floor`, removed ones left out."""
        likeness = self.sketches[: self.n] @ sketch
        rows = np.flatnonzero(likeness >= floor)
        if len(rows) > most:
            rows = rows[np.argpartition(-likeness[rows], most)[:most]]
        return rows[self.alive[rows]]
