"""How well several appeals in one text are told apart: counts on the annotated messages, spans on the written set.

    python -m training.evaluate_appeals ../shared/data

Annotated counts (`annotations.csv`) are measured on two halves drawn by group; only the half `dev` was looked at while
the splitter was written. The written set (`datasets/appeals/multi.jsonl`) has gold spans: a boundary is right within
five characters of a gold one.
"""

import csv
import hashlib
import json
import sys
from collections import Counter
from functools import cache
from pathlib import Path

from nlp.appeals import Appeals, Score, accusations_apart, split_appeals
from nlp.knowledge import load_knowledge
from nlp.petition import Petition
from nlp.prepare import prepare
from training.evaluate_elements import read_texts

WRITTEN = Path("datasets/appeals/multi.jsonl")
TOLERANCE = 5


def main() -> None:
    """Print the figures of both sets."""
    folder = Path(sys.argv[1])
    for half in ("dev", "test"):
        _counts(folder, half)
    _written()


def half_of(group: str) -> str:
    """Return the half a near-duplicate group belongs to, by a hash, so that it never changes."""
    return "dev" if int(hashlib.sha256(f"{group}appeals".encode()).hexdigest(), 16) % 2 == 0 else "test"


def _counts(folder: Path, half: str) -> None:
    """Compare counts with the annotated ones of one half."""
    texts = read_texts(folder)
    groups: dict[str, str] = {}
    for name in ("messages_labelled.csv", "messages_unlabelled.csv"):
        with (folder / name).open(encoding="utf-8", newline="") as file:
            groups.update({row["id"]: name[9] + row["group"] for row in csv.DictReader(file)})
    pairs: Counter[tuple[int, int]] = Counter()
    flagged: Counter[tuple[bool, bool]] = Counter()
    with (folder / "annotations.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if half_of(groups[row["id"]]) != half:
                continue
            found = _split(texts[row["id"]])
            gold = int(row["appeals"])
            pairs[min(gold, 3), min(found.count, 3)] += 1
            flagged[gold > 1, found.count > 1 or found.unsure] += 1
    total = sum(pairs.values())
    right = sum(n for (gold, count), n in pairs.items() if gold == count)
    recalls = [pairs[gold, gold] / sum(pairs[gold, count] for count in (1, 2, 3)) for gold in (1, 2, 3)]
    print(f"annotated {half}: {total} messages, count accuracy {right / total:.3f}")  # noqa: T201
    shown = " ".join(f"{recall:.3f}" for recall in recalls)
    print(f"  recall of 1 / 2 / 3 and more: {shown} mean {sum(recalls) / 3:.3f}")  # noqa: T201
    several, caught = flagged[True, True] + flagged[True, False], flagged[True, True]
    sent = caught + flagged[False, True]
    print(f"  split or unsure: {sent} ({sent / total:.3f}), of {several} with several {caught} caught")  # noqa: T201


def _written() -> None:
    """Compare counts and boundaries on the written set, by style."""
    rows = [json.loads(line) for line in WRITTEN.read_text(encoding="utf-8").splitlines()]
    for style in ("numbered", "connective", "plain", "looks_multiple"):
        scores: Counter[str] = Counter()
        for row in rows:
            if row["style"] == style:
                scores += _score(row["text"], [tuple(span) for span in row["appeals"]])
        print(f"written {style}: {_line(scores)}")  # noqa: T201
    total: Counter[str] = Counter()
    for row in rows:
        total += _score(row["text"], [tuple(span) for span in row["appeals"]])
    print(f"written all: {_line(total)}")  # noqa: T201


def _score(text: str, gold: list[tuple[int, int]]) -> Counter[str]:
    """Count one text: right count, and inner boundaries found, right, wanted."""
    found = _split(Petition(text=text))
    wanted = [start for start, _ in gold[1:]]
    starts = sorted(start for appeal in found.items for start, _ in appeal.spans)[1:]
    right = sum(any(abs(start - other) <= TOLERANCE for other in starts) for start in wanted)
    hits = sum(any(abs(start - other) <= TOLERANCE for other in wanted) for start in starts)
    return Counter(
        texts=1, right=int(found.count == len(gold)), wanted=len(wanted), found=len(starts), recalled=right, hits=hits,
        flagged=int(found.count > 1 or found.unsure),
    )  # fmt: skip


def _line(scores: Counter[str]) -> str:
    """Return one row of figures."""
    precision, recall = scores["hits"] / max(1, scores["found"]), scores["recalled"] / max(1, scores["wanted"])
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return (
        f"{scores['texts']} texts, count accuracy {scores['right'] / max(1, scores['texts']):.3f}, boundaries precision"
        f" {precision:.3f} recall {recall:.3f} F1 {f1:.3f}, split or unsure {scores['flagged']}"
    )


def _split(petition: Petition) -> Appeals:
    """Run the splitter as the router does."""
    return split_appeals(prepare(petition), title_length=len(petition.title), score=_score_of_router())


@cache
def _score_of_router() -> Score:
    return accusations_apart(load_knowledge())


if __name__ == "__main__":
    main()
