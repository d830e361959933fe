"""A block of stored petitions: signatures, band keys, matter keys, and which of them were removed.

Blocks have a fixed size, so that adding never copies what is stored. A full block sorts its keys once; the open one
is scanned.
"""

import numpy as np
from numpy.typing import NDArray

from nlp.related.matter import N_KEYS
from nlp.related.signature import N_BANDS, N_HASHES

CHUNK = 32_768
"""Petitions per block."""
_LOW = 0xFFFF


class Chunk:
    """Up to `CHUNK` petitions; rows are numbered in the order of adding."""

    def __init__(self) -> None:
        """Reserve room."""
        self.n = 0
        self.signatures = np.zeros((CHUNK, N_HASHES), np.uint16)
        self.bands = np.zeros((CHUNK, N_BANDS), np.uint32)
        self.digests = np.zeros(CHUNK, np.uint64)
        self.keys = np.zeros((CHUNK, N_KEYS), np.uint32)
        self.n_keys = np.zeros(CHUNK, np.uint8)
        self.alive = np.zeros(CHUNK, bool)
        self._band_rows: NDArray[np.uint16] | None = None
        self._key_rows: NDArray[np.uint16] | None = None

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
        bands: NDArray[np.uint32],
        digests: NDArray[np.uint64],
        keys: NDArray[np.uint32],
    ) -> None:
        """Store rows, at most `room`; a block that gets full is sealed."""
        rows = slice(self.n, self.n + len(digests))
        self.signatures[rows], self.bands[rows], self.digests[rows] = signatures, bands, digests
        self.keys[rows], self.n_keys[rows], self.alive[rows] = keys, np.count_nonzero(keys, axis=1), True
        self.n = rows.stop
        if self.full:
            self._seal()

    @property
    def n_bytes(self) -> int:
        """Memory held by the arrays."""
        arrays = (self.signatures, self.bands, self.digests, self.keys, self.n_keys, self.alive)
        sorted_rows = (self._band_rows, self._key_rows)
        return sum(array.nbytes for array in (*arrays, *sorted_rows) if array is not None)

    def _seal(self) -> None:
        """Sort the band keys, and the matter keys in one row, each with the rows it comes from."""
        order = np.argsort(self.bands, axis=0, kind="stable")
        self.bands = np.take_along_axis(self.bands, order, axis=0).T.copy()
        self._band_rows = order.astype(np.uint16).T.copy()
        rows, places = np.nonzero(self.keys)
        pairs = self.keys[rows, places].astype(np.uint64) << np.uint64(16) | rows.astype(np.uint64)
        pairs.sort()
        self.keys = (pairs >> np.uint64(16)).astype(np.uint32)
        self._key_rows = (pairs & np.uint64(_LOW)).astype(np.uint16)

    def sharing_band(self, bands: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return the rows that share a band key with `bands` (N_BANDS,), removed ones left out."""
        if self._band_rows is None:
            rows = np.flatnonzero((self.bands[: self.n] == bands).any(axis=1))
        else:
            found = []
            for band in range(N_BANDS):
                # The key keeps its type: a Python number would have numpy convert the whole column.
                first = np.searchsorted(self.bands[band], bands[band], side="left")
                last = np.searchsorted(self.bands[band], bands[band], side="right")
                if last > first:
                    found.append(self._band_rows[band, first:last])
            rows = np.unique(np.concatenate(found)).astype(np.int64) if found else np.empty(0, np.int64)
        return rows[self.alive[rows]]

    def common_keys(self, keys: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return for each row, shape (n,), how many of the matter `keys` it has; 0 for removed ones."""
        keys = keys[keys > 0]
        rows = self._scanned(keys) if self._key_rows is None else self._looked_up(keys, self._key_rows)
        common = np.bincount(rows, minlength=self.n)
        return np.where(self.alive[: self.n], common, 0)

    def _scanned(self, keys: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Return the row of every key among `keys`: a table of their low halves leaves few to compare in full."""
        listed = np.zeros(_LOW + 1, bool)
        listed[keys & np.uint32(_LOW)] = True
        stored = self.keys[: self.n].ravel()
        places = np.flatnonzero(listed[stored & np.uint32(_LOW)])
        return places[np.isin(stored[places], keys)] // N_KEYS

    def _looked_up(self, keys: NDArray[np.uint32], rows: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """Return the row of every key among `keys`, from the sorted keys."""
        first = np.searchsorted(self.keys, keys, side="left")
        last = np.searchsorted(self.keys, keys, side="right")
        found = [rows[start:stop] for start, stop in zip(first, last, strict=True) if stop > start]
        return np.concatenate(found) if found else np.empty(0, np.uint16)
