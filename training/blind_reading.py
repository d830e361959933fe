"""How much of the model's error is error of the labels: test rows read again by somebody who saw no label.

`datasets/annotations/blind_reading.csv` holds 140 test rows: 100 that an earlier model got wrong on some head, mixed
with 40 that it got right, so that the reader could not guess which was which. Where the reader sides with the model
against the label, the label was probably wrong, or both are tenable.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nlp.petition import HEADS, Head
from nlp.taxonomy import Taxonomy
from nlp.taxonomy.records import SEPARATOR
from training.data import Example
from training.systems import System


def blind_figures(path: Path, model: System, rows: Sequence[Example], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return per head, for the rows read again, with whom the reader sides where model and label differ.

    `ceiling` is the accuracy a model would show against these labels if it answered all test rows as the reader does,
    estimated from the reader's share of agreement on rows the model got right and on rows it got wrong.
    """
    with path.open(encoding="utf-8", newline="") as file:
        read = {row["id"]: row for row in csv.DictReader(file)}
    figures: dict[str, Any] = {}
    for head in HEADS:
        names = taxonomy.labels[head]
        answers = [names[place] for place in model.answers[head].predicted]
        accuracy = sum(a == row.labels[head] for a, row in zip(answers, rows, strict=True)) / len(rows)
        seen = [
            (_label(read[row.id], head), row.labels[head], answer)
            for row, answer in zip(rows, answers, strict=True)
            if row.id in read
        ]
        wrong = [(reader, gold, answer) for reader, gold, answer in seen if gold != answer]
        right = [(reader, gold, answer) for reader, gold, answer in seen if gold == answer]
        kept = sum(reader == gold for reader, gold, _ in right) / len(right) if right else None
        mended = sum(reader == gold for reader, gold, _ in wrong) / len(wrong) if wrong else None
        figures[head] = {
            "wrong": len(wrong),
            "reader_sides_with_label": sum(reader == gold for reader, gold, _ in wrong),
            "reader_sides_with_model": sum(reader == answer for reader, _, answer in wrong),
            "right": len(right),
            "reader_agrees": sum(reader == gold for reader, gold, _ in right),
            "ceiling": None if kept is None or mended is None else round(accuracy * kept + (1 - accuracy) * mended, 4),
        }
    return figures


def _label(row: Mapping[str, str], head: Head) -> str:
    return f"{row['category_l1']}{SEPARATOR}{row['category_l2']}" if head == "category_l2" else row[head]
