"""How far two readers of the same messages agree: about as far as any model can agree with one of them.

200 messages of `datasets/annotations/first_reading.csv` were read again by another reader who had not seen the first
labels (`second_reading.csv`). Both are language models that follow the same guide: two people would agree less, and
agreement is no proof that both are right.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nlp.petition import HEADS, Head
from nlp.taxonomy.records import SEPARATOR
from training.data import DATASETS
from training.figures import JOINT


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Share of the `rows` read twice with the same label, per head and of all heads of JOINT at once."""

    rows: int
    heads: Mapping[Head, float]
    joint: float


def agreement(annotations: Path = DATASETS / "annotations") -> Agreement:
    """Return how far first and second reading agree."""
    first, second = (_rows(annotations / f"{name}_reading.csv") for name in ("first", "second"))
    both = [(first[id_], row) for id_, row in second.items() if id_ in first]
    same = [{head: label_of(one, head) == label_of(other, head) for head in HEADS} for one, other in both]
    return Agreement(
        rows=len(same),
        heads={head: sum(row[head] for row in same) / len(same) for head in HEADS},
        joint=sum(all(row[head] for head in JOINT) for row in same) / len(same),
    )


def label_of(row: Mapping[str, str], head: Head) -> str:
    """Return the label of `head` in a row of annotations; a second-level class carries its first level's name."""
    return f"{row['category_l1']}{SEPARATOR}{row['category_l2']}" if head == "category_l2" else row[head]


def _rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}
