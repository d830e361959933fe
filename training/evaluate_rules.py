"""How well the must-review rules and the law of routes do, written to docs/rules.md.

    python -m training.evaluate_rules --data ../shared/data

The annotated messages are cut in two halves by near-duplicate group: the rules were written on `dev` (and on the part
`fit` of the second reading), `held` and the rest of the second reading (`fresh`) were kept for measuring. Channel and
department are those of the bundled model on the split that nothing in it has learnt from (test). No message text
leaves this program: cases are listed by id. The written sentences and adversarial texts are ours; their `first_sight`
says whether they passed when they were first run, before any rule was changed for them.
"""

import argparse
import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

from nlp.knowledge import Knowledge
from nlp.petition import HEADS, Firing, Head, Masked, Petition
from nlp.prepare import prepare
from nlp.router import Router
from nlp.routes import Routing, combine
from nlp.rules import find_firings
from training.data import DATASETS, Example, read_examples
from training.rules_page import page
from training.split import read_splits
from training.urgent_reading import agreement, read_urgent

READ, FRESH = "dev", "fresh"
HALVES = (READ, "held")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One annotated message with what the rules said about it."""

    example: Example
    half: str
    masked: Masked
    firings: Mapping[str, Firing]


@dataclass(frozen=True, kw_only=True)
class Routed:
    """One annotated message with the model's scores and the routing made of them."""

    case: Case
    best: Mapping[Head, str]
    routing: Routing


@dataclass(frozen=True, kw_only=True)
class Written:
    """A sentence or text of ours, and whether the rules did with it what they should, now and at first sight."""

    id: str
    group: str
    text: str
    passed: bool
    first_sight: bool
    batch: int
    fires: bool | None


def main() -> None:
    """Measure everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the annotated messages")
    parser.add_argument("--out", type=Path, default=Path("docs/rules.md"))
    options = parser.parse_args()
    router = Router.load()
    knowledge, splits = router.knowledge, read_splits()
    fit = {id_ for id_, split in splits.items() if split == "fit"}
    examples = read_examples(options.data, router.taxonomy, written=False)
    unseen = [example for example in examples if example.labels and splits.get(example.id) == "test"]
    cases = judge((example for example in examples if example.source == "annotated"), knowledge)
    fresh = (example for example in examples if example.source == "reread" and example.id not in fit)
    text = page(
        cases=[*cases, *judge(fresh, knowledge)],
        readings=agreement(first_flags(options.data), read_urgent(DATASETS / "annotations" / "urgent_reading.csv")),
        milliseconds=speed(cases, knowledge),
        routed=route(judge(unseen, knowledge), router),
        sentences=read_sentences(DATASETS / "rules" / "sentences.jsonl", knowledge),
        adversarial=read_adversarial(DATASETS / "rules" / "adversarial.jsonl", knowledge),
        knowledge=knowledge,
    )
    options.out.write_text(text, encoding="utf-8")


def half_of(group: str) -> str:
    """Return the half a near-duplicate group belongs to; fixed for good by a hash."""
    return HALVES[hashlib.sha256(f"rules-1:{group}".encode()).digest()[0] % 2]


def part_of(example: Example) -> str:
    """Return the half of an annotated message, or FRESH for what was annotated after the halves were made."""
    return half_of(example.group) if example.source == "annotated" else FRESH


def judge(examples: Iterable[Example], knowledge: Knowledge) -> list[Case]:
    """Run the rules over the examples."""
    cases = []
    for example in examples:
        masked = prepare(example.petition)
        firings = {firing.code: firing for firing in find_firings(masked, knowledge=knowledge)}
        cases.append(Case(example=example, half=part_of(example), masked=masked, firings=firings))
    return cases


def first_flags(data: Path) -> dict[str, list[str]]:
    """Return the flags of the first reading, in which every column of a message was filled in at once."""
    paths = (data / "annotations.csv", DATASETS / "annotations" / "first_reading.csv")
    return {row["id"]: [flag for flag in row["review_flags"].split(";") if flag] for p in paths for row in _table(p)}


def speed(cases: Sequence[Case], knowledge: Knowledge) -> float:
    """Return the rules' processor time in milliseconds per 500 characters."""
    started = process_time()
    for case in cases:
        find_firings(case.masked, knowledge=knowledge)
    characters = sum(len(case.masked.text) for case in cases)
    return (process_time() - started) * 1000 * 500 / characters


def route(cases: Sequence[Case], router: Router) -> list[Routed]:
    """Score cases with the bundled model as it is before routing law, and combine them with the law."""
    labels = router.calibration.labels
    routed = []
    for case in cases:
        reading = router.runtime.read(case.masked.text)
        scores = router.calibration.scores(reading.encoder, reading.linear)
        routing = combine(
            case.masked,
            scores,
            labels=labels,
            knowledge=router.knowledge,
            firings=tuple(case.firings.values()),
            taxonomy=router.taxonomy,
        )
        best = {head: labels[head][int(scores.probabilities[head].argmax())] for head in HEADS}
        routed.append(Routed(case=case, best=best, routing=routing))
    return routed


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _codes(text: str, knowledge: Knowledge) -> set[str]:
    return {firing.code for firing in find_firings(prepare(Petition(text=text)), knowledge=knowledge)}


def read_sentences(path: Path, knowledge: Knowledge) -> list[Written]:
    """Run the rules over the sentences written for each rule."""
    return [
        Written(
            id=row["id"],
            group=row["code"],
            text=row["text"],
            passed=(row["code"] in _codes(row["text"], knowledge)) == row["fires"],
            first_sight=row["first_sight"],
            batch=row["batch"],
            fires=row["fires"],
        )
        for row in _lines(path)
    ]


def read_adversarial(path: Path, knowledge: Knowledge) -> list[Written]:
    """Run the rules over the texts written to mislead them."""
    written = []
    for row in _lines(path):
        found = _codes(row["text"], knowledge)
        written.append(
            Written(
                id=row["id"],
                group=row["kind"],
                text=row["text"],
                passed=set(row["expect"]) <= found and not set(row["forbid"]) & found,
                first_sight=row["first_sight"],
                batch=row["batch"],
                fires=None,
            )
        )
    return written


if __name__ == "__main__":
    main()
