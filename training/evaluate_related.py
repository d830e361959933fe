"""How well related petitions are found: text relations on the known groups, matters on pairs judged by readers.

    python -m training.evaluate_related ../shared/data

All messages are stored, then each is queried. Groups (`group`) hold near-duplicates by text and messages with equal
titles; a pair of one group is a hit. The judged pairs (datasets/related/judged_pairs.csv) were drawn by likeness: their
figures are those of hard pairs, not shares to expect in the inflow.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from nlp.related import SAME_MATTER, RelatedIndex, Relation, matter_keys
from nlp.related.matter import shared_share
from nlp.related.relation import CAMPAIGN
from nlp.taxonomy import load_taxonomy
from training.data import DATASETS, Example, read_examples

BARS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
JUDGED = DATASETS / "related" / "judged_pairs.csv"
_MOST = 500

Pair = tuple[str, str]
"""Ids of two messages, the smaller first."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Two messages that a reader compared; `same` only where the reader said yes without doubt."""

    first: str
    second: str
    same: bool

    @property
    def pair(self) -> Pair:
        """The two ids as `Pair`."""
        return pair_of(self.first, self.second)


def main() -> None:
    """Print the figures of both parts, and how many relatives by matter the messages get."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    examples = read_examples(folder, load_taxonomy(), written=False)
    found = find_all(examples)
    lines = [
        *group_lines(examples, found),
        *judged_lines(read_judged(JUDGED), {example.id: example.text for example in examples}, found),
        *relative_lines(found, n_messages=len(examples)),
    ]
    print("\n".join(lines))  # noqa: T201


def pair_of(first: str, second: str) -> Pair:
    """Return both ids in order."""
    return (first, second) if first < second else (second, first)


def read_judged(path: Path) -> list[Judged]:
    """Return the judged pairs; `unsure` counts as no."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Judged(first=row["first"], second=row["second"], same=row["same_matter"] == "yes")
            for row in csv.DictReader(file)
        ]


def find_all(examples: Sequence[Example]) -> dict[Pair, Relation]:
    """Store every message, query each, and return the pairs found with their relation."""
    index = RelatedIndex()
    for example in examples:
        index.add(example.id, text=example.text)
    return {
        pair_of(example.id, match.petition_id): match.relation
        for example in examples
        for match in index.query(example.text, most=_MOST, ignore=(example.id,)).matches
    }


def group_lines(examples: Sequence[Example], found: Mapping[Pair, Relation]) -> list[str]:
    """Tell precision and recall of the text relations against the groups."""
    groups = {example.id: example.group for example in examples}
    wanted = sum(n * (n - 1) // 2 for n in Counter(groups.values()).values())
    by_text = [pair for pair, relation in found.items() if relation != "same_matter"]
    right = sum(groups[first] == groups[second] for first, second in by_text)
    return [
        f"{len(examples)} messages, {wanted} pairs in groups",
        f"same text or near-duplicate: {len(by_text)} pairs, precision {right / max(1, len(by_text)):.3f},"
        f" recall {right / max(1, wanted):.3f}",
    ]


def judged_lines(judged: Sequence[Judged], texts: Mapping[str, str], found: Mapping[Pair, Relation]) -> list[str]:
    """Tell how well the share of common keys parts the judged pairs; those alike by text are counted apart."""
    alike = [one for one in judged if found.get(one.pair) in ("same_text", "near_duplicate")]
    others = [one for one in judged if one not in alike]
    same = np.array([one.same for one in others])
    shares = matter_shares(others, texts)
    head = f"{len(others)} judged pairs, {same.sum()} of one matter: AUC {roc_auc_score(same, shares):.3f},"
    return [
        f"judged pairs alike by text: {len(alike)}, {sum(one.same for one in alike)} of one matter",
        f"{head} average precision {average_precision_score(same, shares):.3f}",
        *(f"bar {bar}: {_figures(same, shares >= bar)}" for bar in BARS),
    ]


def matter_shares(judged: Iterable[Judged], texts: Mapping[str, str]) -> NDArray[np.float64]:
    """Return the share of common matter keys of each pair."""
    keys = [(matter_keys(texts[one.first]), matter_keys(texts[one.second])) for one in judged]
    common = np.array([len(np.intersect1d(first[first > 0], second)) for first, second in keys])
    stored, asked = np.array([[np.count_nonzero(first), np.count_nonzero(second)] for first, second in keys]).T
    return shared_share(common, stored=stored, asked=asked)


def relative_lines(found: Mapping[Pair, Relation], *, n_messages: int) -> list[str]:
    """Tell how many relatives by matter the messages get at the bar in use."""
    by_matter = Counter(message for pair, relation in found.items() if relation == "same_matter" for message in pair)
    every = Counter(message for pair in found for message in pair)
    return [
        f"same matter, bar {SAME_MATTER}: {by_matter.total() / n_messages:.2f} relatives on average,"
        f" {len(by_matter) / n_messages:.3f} of the messages have any, {max(by_matter.values(), default=0)} at most",
        f"told as a campaign: {sum(n >= CAMPAIGN for n in every.values()) / n_messages:.3f} of the messages",
    ]


def _figures(same: NDArray[np.bool_], told: NDArray[np.bool_]) -> str:
    """Return precision and recall of the pairs that are `told` against those that are the `same`."""
    right = int((same & told).sum())
    return f"{told.sum()} pairs, precision {right / max(1, told.sum()):.3f}, recall {right / max(1, same.sum()):.3f}"


if __name__ == "__main__":
    main()
