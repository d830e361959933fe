"""Stored petitions made up for benchmarks: signatures drawn at random, matter keys around themes.

Every theme is a matter: its petitions hold 24 of its 48 keys. The other keys are drawn from 200,000, a few of them so
often that a query meets them in every block, as words of an office's own towns are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.related.matter import N_KEYS
from nlp.related.signature import N_HASHES

BATCH = 10_000
N_THEMES = 2_000
_N_OWN = 24
_N_WORDS = 200_000
_SEED = 1


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Fingerprints of some petitions, row by row; the digests number all petitions from 1."""

    ids: list[str]
    signatures: NDArray[np.uint16]
    digests: list[int]
    keys: NDArray[np.uint32]


def batches(size: int) -> Iterator[Batch]:
    """Yield `size` petitions, the same ones each time."""
    random, matters = np.random.default_rng(_SEED), themes()
    for first in range(0, size, BATCH):
        numbers = np.arange(first, min(size, first + BATCH))
        yield Batch(
            ids=[str(number) for number in numbers],
            signatures=random.integers(0, 2**16, (len(numbers), N_HASHES), dtype=np.uint16),
            digests=(numbers + 1).tolist(),
            keys=keys_around(matters[numbers % N_THEMES], random),
        )


def themes() -> NDArray[np.uint32]:
    """Return the keys of every theme, (N_THEMES, 48)."""
    return np.random.default_rng(_SEED + 1).integers(1, 2**32, (N_THEMES, N_KEYS), dtype=np.uint32)


def keys_around(matters: NDArray[np.uint32], random: np.random.Generator) -> NDArray[np.uint32]:
    """Return the keys of one petition of each theme in `matters` (n, 48)."""
    chosen = random.permuted(matters, axis=1)[:, :_N_OWN]
    # Squaring makes some words far more frequent than others.
    words = (_N_WORDS * random.random((len(matters), N_KEYS - _N_OWN)) ** 2).astype(np.uint32) + np.uint32(1)
    return np.concatenate([chosen, words * np.uint32(20_011)], axis=1)
