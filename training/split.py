"""Grouped, stratified, seeded splits that no near-duplicate shall cross, and an independent look whether one does.

The splits of the real messages were made once and are frozen in datasets/annotations/splits.csv, so a message stays
where it is when labels or further messages are added.
"""

import csv
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from training.data import DATASETS, Example

Split = Literal["fit", "calibration", "thresholds", "test"]
HELD: tuple[Split, ...] = ("calibration", "thresholds")
"""What no weight has learnt: calibration, flags and thresholds come from here, and bundles are chosen here."""

SHARES: Mapping[Split, float] = {"fit": 0.68, "calibration": 0.10, "thresholds": 0.10, "test": 0.12}
SPLITS = DATASETS / "annotations" / "splits.csv"

_N_HASHES = 64
_DEALING_SEED, _DEALING_BAND = 20220501, 4
_CHECKING_SEED, _CHECKING_BAND = 20261122, 2
"""Seed of the hashes and rows of a band; narrower bands find more pairs, those of similarity 0.5 all but surely."""
_GRAM = 4
_SIMILAR = 0.5
_SHORTEST = 20
"""Texts below this length have too few 4-grams for an estimate."""


def read_splits(path: Path = SPLITS) -> dict[str, Split]:
    """Return the frozen split of every message id."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["split"] for row in csv.DictReader(file)}  # type: ignore[misc]


def split_examples(
    examples: Sequence[Example], *, splits: Mapping[str, Split] | None = None
) -> dict[Split, list[Example]]:
    """Deal `examples` out by the frozen `splits` (None: those of the repository).

    What is not in them, such as petitions written by us and later corrections, helps to fit and never measures.
    """
    splits = read_splits() if splits is None else splits
    dealt: dict[Split, list[Example]] = {"fit": [], "calibration": [], "thresholds": [], "test": []}
    for example in examples:
        dealt[splits.get(example.id, "fit")].append(example)
    return dealt


def make_splits(examples: Sequence[Example], *, seed: int = 0) -> dict[str, Split]:
    """Deal whole near-duplicate families out, each stratum (channel and category) in the same shares.

    Within a stratum a family goes where most places are still open, so even a class of ten is in every split.
    """
    members = duplicate_families(examples)
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for family, rows in members.items():
        labelled = next((row for row in rows if row.labels), rows[0])
        category = labelled.labels.get("category_l1") or labelled.public_category or ""
        strata[labelled.labels.get("channel", ""), category].append(family)
    rng = random.Random(seed)  # noqa: S311
    splits: dict[str, Split] = {}
    for _, families in sorted(strata.items()):
        families.sort()
        rng.shuffle(families)
        # A random start per stratum keeps tiny strata from all falling into the same split.
        filled = {split: rng.random() for split in SHARES}
        for family in families:
            split = max(SHARES, key=lambda name: SHARES[name] * (sum(filled.values()) + 1) - filled[name])
            filled[split] += len(members[family])
            splits.update({example.id: split for example in members[family]})
    return splits


def duplicate_families(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Join the given near-duplicate groups that our own search links further; keys are one of the joined names."""
    parent = {example.group: example.group for example in examples}

    def root(group: str) -> str:
        while parent[group] != group:
            group = parent[group]
        return group

    for first, second, _ in near_duplicates(examples):
        low, high = sorted((root(first.group), root(second.group)))
        parent[high] = low
    families: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        families[root(example.group)].append(example)
    return families


def write_splits(splits: Mapping[str, Split], path: Path = SPLITS) -> None:
    """Write the splits, sorted by id."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "split"])
        writer.writerows(sorted(splits.items()))


@dataclass(frozen=True, kw_only=True)
class Leak:
    """Two near-duplicates by id, the splits they stand in, and the Jaccard similarity of their 4-grams."""

    first: str
    second: str
    between: tuple[str, str]
    similarity: float


def find_leaks(dealt: Mapping[str, Sequence[Example]]) -> list[Leak]:
    """Return the near-duplicates that ended up in different splits, the first of a pair in the split named earlier.

    An independent look: other hashes and narrower bands than those that dealt the splits find the pairs, and their
    4-grams are counted, not estimated. Texts too short for that are compared as they are.
    """
    homes = [(split, example) for split, examples in dealt.items() for example in examples]
    long = [row for row in homes if len(row[1].text) >= _SHORTEST]
    signatures = _signatures([example.text for _, example in long], seed=_CHECKING_SEED)
    pairs = [(long[i], long[j]) for i, j in _alike(signatures, band=_CHECKING_BAND)]
    pairs += _copies([row for row in homes if len(row[1].text) < _SHORTEST])
    leaks = [
        Leak(first=a.id, second=b.id, between=(home, other), similarity=_similarity(a.text, b.text))
        for (home, a), (other, b) in pairs
        if home != other
    ]
    return [leak for leak in leaks if leak.similarity >= _SIMILAR]


def near_duplicates(examples: Sequence[Example]) -> list[tuple[Example, Example, float]]:
    """Return the pairs of texts with an estimated Jaccard similarity of 0.5 or more (character 4-grams).

    Independent of the `group` column, by MinHash (Broder 1997): 16 bands of 4 rows find the pairs, 64 hashes judge.
    The splits were dealt out by it; `find_leaks` checks them otherwise.
    """
    rows = [example for example in examples if len(example.text) >= _SHORTEST]
    signatures = _signatures([example.text for example in rows], seed=_DEALING_SEED)
    pairs = _alike(signatures, band=_DEALING_BAND)
    judged = ((i, j, float((signatures[i] == signatures[j]).mean())) for i, j in pairs)
    return [(rows[i], rows[j], similarity) for i, j, similarity in judged if similarity >= _SIMILAR]


def _alike(signatures: NDArray[np.uint64], *, band: int) -> list[tuple[int, int]]:
    """Return the pairs of rows of `signatures` (texts, hashes) that agree in a band, the lower row first."""
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for row, signature in enumerate(signatures):
        for start in range(0, _N_HASHES, band):
            buckets[start, signature[start : start + band].tobytes()].append(row)
    return sorted({pair for rows in buckets.values() for pair in combinations(rows, 2)})


def _copies(homes: Sequence[tuple[str, Example]]) -> list[tuple[tuple[str, Example], tuple[str, Example]]]:
    """Return the pairs whose normalised, masked texts are the same."""
    same: dict[str, list[tuple[str, Example]]] = defaultdict(list)
    for home, example in homes:
        same[example.text].append((home, example))
    return [pair for rows in same.values() for pair in combinations(rows, 2)]


def _signatures(texts: Sequence[str], *, seed: int) -> NDArray[np.uint64]:
    """Return the MinHash signatures (texts, hashes)."""
    rng = np.random.default_rng(seed)
    multipliers = rng.integers(1, 2**31, size=_N_HASHES, dtype=np.uint64) | np.uint64(1)
    offsets = rng.integers(0, 2**31, size=_N_HASHES, dtype=np.uint64)
    prime = np.uint64(4294967311)
    signatures = np.empty((len(texts), _N_HASHES), dtype=np.uint64)
    for row, text in enumerate(texts):
        hashes = np.asarray([crc32(gram.encode()) for gram in _grams(text)], dtype=np.uint64)
        signatures[row] = ((hashes[:, None] * multipliers + offsets) % prime).min(axis=0)
    return signatures


def _similarity(first: str, second: str) -> float:
    """Return the Jaccard similarity of two texts' 4-grams."""
    one, two = _grams(first), _grams(second)
    return len(one & two) / len(one | two)


def _grams(text: str) -> set[str]:
    return {text[i : i + _GRAM] for i in range(max(1, len(text) - _GRAM + 1))}
