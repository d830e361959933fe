"""Petitions decided at the desk as rows to fit: what `GET /v1/export` gives, joined to the frozen splits.

An office retrains on what its people decided. Such rows only help to fit; those that nearly repeat a petition that
calibrates, sets thresholds or tests are left out, so that the figures stay honest.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nlp.petition import HEADS, Petition
from nlp.taxonomy import Taxonomy
from training.data import DataError, Example, read_examples
from training.split import Split, near_duplicates, split_examples


def deal_examples(
    data: Path, taxonomy: Taxonomy, *, written: bool = True, corrections: Path | None = None
) -> dict[Split, list[Example]]:
    """Return the messages of `data` in the frozen splits, with our written petitions and an office's decisions to fit.

    Raises DataError for a file that is not there or a row that does not fit.
    """
    dealt = split_examples(read_examples(data, taxonomy, written=written))
    if corrections is not None:
        held = [example for split, examples in dealt.items() if split != "fit" for example in examples]
        dealt["fit"] += apart_from(read_corrections(corrections, taxonomy), held)
    return dealt


def read_corrections(path: Path, taxonomy: Taxonomy) -> list[Example]:
    """Return the decided petitions of an export (JSONL); raises DataError naming the line at fault."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}; a JSONL file as GET /v1/export gives it is needed") from error
    return [
        _example(line, taxonomy, where=f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()
    ]


def apart_from(rows: Sequence[Example], held: Sequence[Example]) -> list[Example]:
    """Return those of `rows` that nearly repeat none of `held`."""
    kept_apart = {example.id for example in held}
    repeats = set()
    for first, second, _ in near_duplicates([*rows, *held]):
        if (first.id in kept_apart) != (second.id in kept_apart):
            repeats.add(second.id if first.id in kept_apart else first.id)
    return [row for row in rows if row.id not in repeats]


def _example(line: str, taxonomy: Taxonomy, *, where: str) -> Example:
    try:
        row: dict[str, Any] = json.loads(line)
        labels = {head: str(row[head]) for head in HEADS}
        petition = Petition(id=f"desk-{row['id']}", title=row["title"], text=row["text"])
    except (ValueError, LookupError, TypeError) as error:
        raise DataError(f"{where}: no decided petition ({type(error).__name__}: {error})") from error
    for head, label in labels.items():
        if label not in taxonomy.labels[head]:
            raise DataError(f"{where}: {label!r} is no {head} of taxonomy {taxonomy.version}")
    return Example(
        id=f"desk-{row['id']}", petition=petition, group=f"desk-{row['id']}", source="corrected", labels=labels
    )
