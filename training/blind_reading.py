"""Whom somebody sides with who read test rows again and saw no label: the label or the model.

`datasets/annotations/blind_reading.csv` holds 140 test rows: 100 that an earlier model got wrong on some head and 40
others, so that the reader could not guess which was which. Where the reader sides with the model against the label, the
label was probably wrong, or both are tenable. The rows are no random draw, so the counts say nothing of all test rows.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nlp.petition import HEADS
from nlp.taxonomy import Taxonomy
from training.data import Example
from training.second_reading import label_of
from training.systems import System


def blind_figures(path: Path, model: System, rows: Sequence[Example], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return per head how many of the rows read again `model` gets wrong and right, and with whom the reader sides."""
    with path.open(encoding="utf-8", newline="") as file:
        read = {row["id"]: row for row in csv.DictReader(file)}
    figures: dict[str, Any] = {}
    for head in HEADS:
        names = taxonomy.labels[head]
        answers = [names[place] for place in model.answers[head].predicted]
        seen = [
            (label_of(read[row.id], head), row.labels[head], answer)
            for row, answer in zip(rows, answers, strict=True)
            if row.id in read
        ]
        wrong = [(reader, gold, answer) for reader, gold, answer in seen if gold != answer]
        right = [(reader, gold, answer) for reader, gold, answer in seen if gold == answer]
        figures[head] = {
            "wrong": len(wrong),
            "reader_sides_with_label": sum(reader == gold for reader, gold, _ in wrong),
            "reader_sides_with_model": sum(reader == answer for reader, _, answer in wrong),
            "right": len(right),
            "reader_agrees": sum(reader == gold for reader, gold, _ in right),
        }
    return figures
