"""Grouped, stratified, seeded splits that no near-duplicate crosses, and the proof that none does.

The splits of the real messages were made once and are frozen in datasets/annotations/splits.csv, so a message stays
where it is when labels or further messages are added.
"""

import csv
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from training.data import DATASETS, Example

Split = Literal["fit", "calibration", "thresholds", "test"]

SHARES: Mapping[Split, float] = {"fit": 0.68, "calibration": 0.10, "thresholds": 0.10, "test": 0.12}
SPLITS = DATASETS / "annotations" / "splits.csv"

_N_HASHES = 64
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
    """Two near-duplicates in different splits, by id, with their estimated Jaccard similarity."""

    first: str
    second: str
    similarity: float


def find_leaks(dealt: Mapping[Split, Sequence[Example]]) -> list[Leak]:
    """Return the near-duplicates that ended up in different splits; a sound split has none."""
    home = {example.id: split for split, examples in dealt.items() for example in examples}
    examples = [example for split in dealt.values() for example in split]
    return [
        Leak(first=first.id, second=second.id, similarity=similarity)
        for first, second, similarity in near_duplicates(examples)
        if home[first.id] != home[second.id]
    ]


def near_duplicates(examples: Sequence[Example]) -> list[tuple[Example, Example, float]]:
    """Return the pairs of texts with an estimated Jaccard similarity of 0.5 or more (character 4-grams).

    Independent of the `group` column, by MinHash (Broder 1997): 16 bands of 4 rows find the pairs, 64 hashes judge.
    """
    rows = [example for example in examples if len(example.text) >= _SHORTEST]
    if not rows:
        return []
    signatures = np.stack([_signature(example.text) for example in rows])
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for index, signature in enumerate(signatures):
        for band in range(0, _N_HASHES, 4):
            buckets[band, signature[band : band + 4].tobytes()].append(index)
    pairs = {(i, j) for found in buckets.values() for place, i in enumerate(found) for j in found[place + 1 :]}
    judged = ((i, j, float((signatures[i] == signatures[j]).mean())) for i, j in sorted(pairs))
    return [(rows[i], rows[j], similarity) for i, j, similarity in judged if similarity >= _SIMILAR]


def _signature(text: str) -> NDArray[np.uint64]:
    grams = {text[i : i + _GRAM] for i in range(max(1, len(text) - _GRAM + 1))}
    hashes = np.fromiter((crc32(gram.encode()) for gram in grams), dtype=np.uint64, count=len(grams))
    rng = np.random.default_rng(20220501)
    multipliers = rng.integers(1, 2**31, size=_N_HASHES, dtype=np.uint64) | np.uint64(1)
    offsets = rng.integers(0, 2**31, size=_N_HASHES, dtype=np.uint64)
    prime = np.uint64(4294967311)
    signature: NDArray[np.uint64] = ((hashes[:, None] * multipliers + offsets) % prime).min(axis=0)
    return signature
