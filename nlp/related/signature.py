"""MinHash signatures of masked text: fixed-size rows of numbers whose agreement estimates how much text two share.

Own numpy code, so that the stored bytes never change under us: n-grams of four characters, 64 hash functions,
16 bits of each minimum, 16 bands of four. Bands go into an SQL table or into `nlp.related.index`.
"""

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

N_HASHES = 64
N_BANDS = 16
_ROWS = N_HASHES // N_BANDS
_GRAM = 4
_SEED = 20220501
PLACEHOLDER = re.compile(r"\[[^\[\]]{2,3}\]")
"""What stands for personal data in a masked text."""
_NOISE = re.compile(rf"{PLACEHOLDER.pattern}|[^0-9A-Za-z一-龥]")
"""Placeholders and everything but letters, digits and Chinese characters say nothing about sameness."""

Signature = NDArray[np.uint16]
"""Shape (N_HASHES,); two signatures agree in about the share of n-grams the texts have in common."""


def bare(text: str) -> str:
    """Return the masked `text` without placeholders, punctuation and white space: what is compared."""
    return _NOISE.sub("", text).lower()


def sign(text: str) -> Signature:
    """Return the signature of masked `text`; texts shorter than an n-gram share one signature of their characters."""
    grams = np.unique(_mix(_gram_codes(bare(text))))
    multipliers, addends = _functions()
    hashed = grams[:, None] * multipliers + addends
    smallest: NDArray[np.uint64] = np.min(hashed >> np.uint64(16), axis=0) & np.uint64(0xFFFF)
    return smallest.astype(np.uint16)


def band_keys(signatures: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """Return the band keys of signatures of shape (..., N_HASHES) as (..., N_BANDS).

    Two texts with a key in common at the same band are candidates for sharing text.
    """
    rows = signatures.reshape(*signatures.shape[:-1], N_BANDS, _ROWS).astype(np.uint64)
    key = np.zeros(rows.shape[:-1], np.uint64)
    for row in range(_ROWS):
        key = _mix(key ^ rows[..., row])
    return (key >> np.uint64(32)).astype(np.uint32)


def to_bytes(signature: Signature) -> bytes:
    """Return a signature as 128 bytes, little-endian, for storage."""
    return signature.astype("<u2").tobytes()


def from_bytes(stored: bytes) -> Signature:
    """Return the signature stored by `to_bytes`; ValueError if the length is not 128."""
    if len(stored) != 2 * N_HASHES:
        raise ValueError(f"a signature has {2 * N_HASHES} bytes, given: {len(stored)}")
    return np.frombuffer(stored, "<u2").astype(np.uint16)


def _gram_codes(text: str) -> NDArray[np.uint64]:
    """Return one number per n-gram: four code points of at most 16 bits each."""
    points = np.frombuffer((text or " ").encode("utf-32-le"), "<u4").astype(np.uint64) & np.uint64(0xFFFF)
    if len(points) < _GRAM:
        points = np.concatenate([points, np.zeros(_GRAM - len(points), np.uint64)])
    codes = np.zeros(len(points) - _GRAM + 1, np.uint64)
    for offset in range(_GRAM):
        codes = (codes << np.uint64(16)) | points[offset : offset + len(codes)]
    return codes


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter 64-bit numbers (the finaliser of SplitMix64, Steele et al. 2014)."""
    values = (values + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@cache
def _functions() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return odd multipliers and addends of the hash functions, derived from the seed by `_mix` alone."""
    numbers = _mix(np.arange(_SEED, _SEED + 2 * N_HASHES, dtype=np.uint64))
    return numbers[:N_HASHES] | np.uint64(1), numbers[N_HASHES:]
