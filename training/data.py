"""Labelled petitions from every source, as one list of examples.

Texts come from `../shared/data` (never committed) and `datasets/samples` (written by us); labels from the annotations
beside the texts, from `datasets/annotations` (keyed by id) and, for the public seven-class task, from the data set
itself. A row may carry only some labels.
"""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from nlp.errors import PetitionError
from nlp.petition import Head, Petition
from nlp.prepare import prepare
from nlp.taxonomy import Taxonomy
from nlp.taxonomy.records import SEPARATOR
from training.urgent_reading import URGENT, read_urgent, settle

MISSING = -1
"""Stands in arrays of labels and flags for "not labelled", "not looked for"; it gives no loss."""

DATASETS = Path(__file__).parents[1] / "datasets"

Source = Literal["annotated", "reread", "written", "urgent", "dataset", "corrected", "excerpt"]


class DataError(PetitionError):
    """A data file is missing, or a label in it is not in the taxonomy."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One petition and what is known about it.

    `labels` holds the heads that are labelled, `accepted` further channels that are as right as the labelled one,
    `public_category` the seven-class label of the public data set, `group` the near-duplicate group. An annotated
    petition has a count of appeals and was searched for all flags; `looked_for` names those that were looked for in a
    text written for them alone.
    """

    id: str
    petition: Petition
    group: str
    source: Source
    labels: Mapping[Head, str] = field(default_factory=dict)
    accepted: tuple[str, ...] = ()
    public_category: str | None = None
    flags: tuple[str, ...] = ()
    n_appeals: int | None = None
    looked_for: tuple[str, ...] = ()

    @cached_property
    def text(self) -> str:
        """The normalised, masked text the model reads."""
        return prepare(self.petition).text


def read_examples(data: Path, taxonomy: Taxonomy, *, written: bool = True, datasets: Path = DATASETS) -> list[Example]:
    """Return every message of `data` with all labels known for it, and our own written petitions.

    Raises DataError naming the file and row of the first label that is not in the taxonomy.
    """
    annotations = _annotations([data / "annotations.csv"], taxonomy, "annotated")
    annotations |= _annotations([datasets / "annotations" / "first_reading.csv"], taxonomy, "reread")
    _check_there(datasets / "annotations" / "urgent_reading.csv")
    urgent = read_urgent(datasets / "annotations" / "urgent_reading.csv")
    examples = []
    for name in ("messages_labelled.csv", "messages_unlabelled.csv"):
        for row in _rows(data / name):
            known = annotations.get(row["id"], {"source": "dataset"})
            if "flags" in known:
                known["flags"] = settle(known["flags"], urgent.get(row["id"], ()))
            examples.append(
                Example(
                    id=row["id"],
                    petition=Petition(id=row["id"], title=row["title"], text=row["text"]),
                    group=row["group"],
                    public_category=row.get("category_l1"),
                    **known,
                )
            )
    if written:
        examples += read_written(datasets, taxonomy)
        examples += read_urgent_texts(datasets)
    return examples


def read_written(datasets: Path, taxonomy: Taxonomy) -> list[Example]:
    """Return the petitions written by us that are meant for training (datasets/samples/synthetic_rare.jsonl)."""
    path = datasets / "samples" / "synthetic_rare.jsonl"
    _check_there(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_written(line, taxonomy, where=f"{path}:{number}") for number, line in enumerate(lines, start=1)]


def read_urgent_texts(datasets: Path = DATASETS) -> list[Example]:
    """Return the texts written by us to teach the urgent flags and nothing else (datasets/samples/urgent.jsonl)."""
    return [example for example, _ in _urgent_lines(datasets / "samples" / "urgent.jsonl")]


def read_urgent_sentences(part: Literal["dev", "held"], datasets: Path = DATASETS) -> list[Example]:
    """Return one half of the sentences written by others than the texts to learn from (datasets/rules/urgent.jsonl).

    Half of them (`dev`) weigh branches and rules against each other and may be read when rules are changed. Nothing
    learns from the other half (`held`), but it was looked at when the cuts of 0016 and 0017 were chosen.
    """
    rows = _urgent_lines(datasets / "rules" / "urgent.jsonl")
    return [example for example, row in rows if row["part"] == part]


def read_urgent_letters(datasets: Path = DATASETS) -> list[Example]:
    """Return long letters that say something urgent in passing, or nothing (datasets/rules/urgent_letters.jsonl).

    They are by others than the texts to learn from. Nothing learns from them, but they were looked at when the cuts of
    0016 and 0017 were chosen.
    """
    return [example for example, _ in _urgent_lines(datasets / "rules" / "urgent_letters.jsonl")]


def _urgent_lines(path: Path) -> list[tuple[Example, dict[str, Any]]]:
    """Read texts of which only the urgent `flags` are known, or whether they carry the one named `code`."""
    _check_there(path)
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            id_, petition, flags = row["id"], Petition(id=row["id"], text=row["text"]), tuple(row["flags"])
            looked_for = (row["code"],) if "code" in row else URGENT
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}:{number}: no text with its flags ({type(error).__name__}: {error})") from error
        if unknown := sorted(set(flags) - set(URGENT)):
            raise DataError(f"{path}:{number}: {unknown[0]!r} is no urgent flag; allowed: {', '.join(URGENT)}")
        example = Example(
            id=id_, petition=petition, group=f"urgent-{id_}", source="urgent", flags=flags, looked_for=looked_for
        )
        found.append((example, row))
    return found


def _written(line: str, taxonomy: Taxonomy, *, where: str) -> Example:
    try:
        row = json.loads(line)
        return Example(
            id=row["id"],
            petition=Petition(id=row["id"], title=row["title"], text=row["text"]),
            group=f"written-{row['id']}",
            source="written",
            labels=_labels(row, taxonomy, where=where),
            accepted=tuple(row["channel_alternatives"]),
            flags=tuple(row["review_flags"]),
            n_appeals=int(row["appeals"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{where}: not a petition with its labels ({type(error).__name__}: {error})") from error


def _annotations(paths: Iterable[Path], taxonomy: Taxonomy, source: Source) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        for number, row in enumerate(_rows(path), start=2):
            found[row["id"]] = {
                "source": source,
                "labels": _labels(row, taxonomy, where=f"{path}:{number}"),
                "accepted": _list(row["channel_alternatives"]),
                "flags": _list(row["review_flags"]),
                "n_appeals": int(row["appeals"]),
            }
    return found


def _labels(row: Mapping[str, str], taxonomy: Taxonomy, *, where: str) -> dict[Head, str]:
    labels: dict[Head, str] = {
        "category_l1": row["category_l1"],
        "category_l2": f"{row['category_l1']}{SEPARATOR}{row['category_l2']}",
        "nature": row["nature"],
        "channel": row["channel"],
        "department": row["department"],
    }
    for head, label in labels.items():
        if label not in taxonomy.labels[head]:
            raise DataError(f"{where}: {label!r} is no {head} of taxonomy {taxonomy.version}")
    return labels


def _list(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split(";") if part)


def _check_there(path: Path) -> None:
    if not path.exists():
        raise DataError(f"no such file: {path}; real messages are kept outside the repository, see datasets/CARD.md")


def _rows(path: Path) -> list[dict[str, str]]:
    _check_there(path)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
