"""Precision and recall of the registration elements on the hand-marked messages of `datasets/elements/gold.jsonl`.

    python -m training.evaluate_elements ../shared/data [--errors]

Gold holds ids and offsets only; the texts stay in the data folder. A find is right when it shares at least half of
the shorter of the two spans with a gold span of its type, or repeats the wording of one (a place named again).
Places inside the name of a unit (A7县教育局) count neither way. `--errors` prints misses to the terminal only.
"""

import csv
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from nlp.elements import ELEMENT_TYPES, Element, find_elements
from nlp.normalise import normalise
from nlp.petition import Petition
from nlp.privacy import mask

GOLD = Path("datasets/elements/gold.jsonl")
Span = tuple[str, int, int]


def main() -> None:
    """Measure and print one line per type."""
    texts = read_texts(Path(sys.argv[1]))
    counts: Counter[tuple[str, str]] = Counter()
    for line in GOLD.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        petition = texts[row["id"]]
        gold = [(item["type"], item["start"], item["end"]) for item in row["elements"]]
        found = list(find_elements(mask(normalise(petition.content)), title_length=len(petition.title)).found)
        counts += compare(petition.content, gold, found, show="--errors" in sys.argv)
    for kind in ELEMENT_TYPES:
        print(_line(kind, counts))  # noqa: T201


def read_texts(folder: Path) -> dict[str, Petition]:
    """Read every message of the data folder, by id."""
    texts = {}
    for name in ("messages_labelled.csv", "messages_unlabelled.csv"):
        with (folder / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                texts[row["id"]] = Petition(id=row["id"], title=row["title"], text=row["text"])
    return texts


def compare(content: str, gold: list[Span], found: list[Element], *, show: bool = False) -> Counter[tuple[str, str]]:
    """Count right and wrong finds and found and missed gold spans of one message, by type."""
    counts: Counter[tuple[str, str]] = Counter()
    spans: list[Span] = [(element.type, element.start, element.end) for element in found]
    for span in spans:
        if span[0] == "place" and any(
            kind == ("unit") and start <= span[1] and span[2] <= end for kind, start, end in gold
        ):
            continue
        right = any(_matches(content, span, other) for other in gold)
        counts[span[0], "right" if right else "wrong"] += 1
        if show and not right:
            print("  wrong", span[0], content[span[1] : span[2]])  # noqa: T201
    for span in gold:
        hit = any(_matches(content, other, span) for other in spans)
        counts[span[0], "hit" if hit else "missed"] += 1
        if show and not hit:
            print("  missed", span[0], content[span[1] : span[2]])  # noqa: T201
    return counts


def _matches(content: str, one: Any, other: Any) -> bool:
    """Tell whether two spans mean the same element."""
    if one[0] != other[0]:
        return False
    shared = min(one[2], other[2]) - max(one[1], other[1])
    shorter = min(one[2] - one[1], other[2] - other[1])
    if shared >= shorter / 2:
        return True
    first, second = sorted((content[one[1] : one[2]], content[other[1] : other[2]]), key=len)
    return one[0] in {"place", "home_place", "unit", "time", "amount"} and first in second


def _line(kind: str, counts: Counter[tuple[str, str]]) -> str:
    """Return precision, recall and F1 of one type as a table row."""
    right, wrong, hit, missed = (counts[kind, name] for name in ("right", "wrong", "hit", "missed"))
    precision, recall = right / max(1, right + wrong), hit / max(1, hit + missed)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return (
        f"{kind:11} gold {hit + missed:4}  found {right + wrong:4}  precision {precision:.3f}  recall {recall:.3f}  "
        f"F1 {f1:.3f}"
    )


if __name__ == "__main__":
    main()
