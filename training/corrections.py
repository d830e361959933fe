"""Petitions decided at the desk as rows to fit: what `GET /v1/export` gives, joined to the frozen splits.

An office retrains on what its people decided. Such rows only help to fit. Left out is what would teach the model its
own answers (a suggestion accepted in full view of it), what has no labels of its own (of several appeals only the first
is labelled), and what repeats a petition that calibrates, sets thresholds or tests, so that the figures stay honest.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from rich.console import Console

from nlp.petition import HEADS, Petition
from nlp.taxonomy import Taxonomy
from training.data import DataError, Example, read_examples
from training.excerpts import quiet_excerpts
from training.split import Split, find_leaks, split_examples

Action = Literal["accept", "correct", "several_appeals"]

ACCEPTED = "accepted as suggested, not blind"
SEVERAL = "several appeals, labelled by the first"
REPEATED = "repeats a held-out petition"


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One decided petition; `unfit` says why it must not be learnt, None if it may."""

    example: Example
    unfit: str | None


def deal_examples(
    data: Path,
    taxonomy: Taxonomy,
    *,
    written: bool = True,
    corrections: Path | None = None,
    console: Console | None = None,
) -> dict[Split, list[Example]]:
    """Return the messages of `data` in the frozen splits; to fit also our texts, excerpts and an office's decisions.

    The console tells how many decisions were left out and why. Raises DataError for a file that is not there or a row
    that does not fit.
    """
    dealt = split_examples(read_examples(data, taxonomy, written=written))
    dealt["fit"] += list(quiet_excerpts(dealt["fit"]))
    if corrections is not None:
        held = [example for split, examples in dealt.items() if split != "fit" for example in examples]
        decided = read_corrections(corrections, taxonomy)
        left_out = Counter(row.unfit for row in decided if row.unfit)
        rows = [row.example for row in decided if not row.unfit]
        taught = apart_from(rows, held)
        left_out[REPEATED] = len(rows) - len(taught)
        dealt["fit"] += taught
        reasons = "".join(f"; {count} left out: {reason}" for reason, count in left_out.items() if count)
        (console or Console(quiet=True)).print(f"{len(taught)} of {len(decided)} decided petitions to fit{reasons}")
    return dealt


def read_corrections(path: Path, taxonomy: Taxonomy) -> list[Decided]:
    """Return the decided petitions of an export (JSONL); raises DataError naming the line at fault."""
    try:
        # Not splitlines(): the texts may hold further separators (U+2028), which JSON leaves as they are.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}; a JSONL file as GET /v1/export gives it is needed") from error
    return [
        _decided(line, taxonomy, where=f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()
    ]


def apart_from(rows: Sequence[Example], held: Sequence[Example]) -> list[Example]:
    """Return those of `rows` that repeat none of `held`, word for word or nearly."""
    repeats = {leak.first for leak in find_leaks({"rows": rows, "held": held})}
    return [row for row in rows if row.id not in repeats]


def _decided(line: str, taxonomy: Taxonomy, *, where: str) -> Decided:
    try:
        row: dict[str, Any] = json.loads(line)
        labels = {head: str(row[head]) for head in HEADS}
        name, action, blind = f"desk-{row['id']}", row["action"], row["blind"]
        petition = Petition(id=name, title=row["title"], text=row["text"])
    except (ValueError, LookupError, TypeError) as error:
        raise DataError(f"{where}: no decided petition ({type(error).__name__}: {error})") from error
    if action not in get_args(Action):
        raise DataError(f"{where}: action must be one of {', '.join(get_args(Action))}, got {action!r}")
    if not isinstance(blind, bool):
        raise DataError(f"{where}: blind must be true or false, got {blind!r}")
    for head, label in labels.items():
        if label not in taxonomy.labels[head]:
            raise DataError(f"{where}: {label!r} is no {head} of taxonomy {taxonomy.version}")
    example = Example(id=name, petition=petition, group=name, source="corrected", labels=labels)
    return Decided(example=example, unfit=_unfit(action, blind=blind))


def _unfit(action: Action, *, blind: bool) -> str | None:
    """Return why a decision teaches nothing, None if it does."""
    if action == "several_appeals":
        return SEVERAL
    return ACCEPTED if action == "accept" and not blind else None
