"""The worst mistakes, with what the label guide says about the two labels; ids and labels only, never text."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from nlp.knowledge import Knowledge
from nlp.petition import HEADS, Head
from nlp.taxonomy import Taxonomy
from nlp.taxonomy.records import SEPARATOR
from training.classifier import label_arrays
from training.data import MISSING, Example
from training.systems import System


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A wrong answer; `confidence` is what the model gave its answer, `gold_probability` what it gave the right one."""

    id: str
    head: Head
    gold: str
    gold_name: str
    predicted: str
    predicted_name: str
    confidence: float
    gold_probability: float
    guide: str


def worst_mistakes(
    system: System, examples: Sequence[Example], *, taxonomy: Taxonomy, knowledge: Knowledge, limit: int = 100
) -> list[Mistake]:
    """Return the `limit` mistakes of all heads with the largest lead of the wrong answer over the right one.

    An accepted alternative channel is no mistake, and a second level is not counted again where the first is wrong.
    """
    found = [m for head in HEADS for m in _of_head(system, examples, head, taxonomy=taxonomy)]
    found.sort(key=lambda m: m[0], reverse=True)
    return [_described(*m[1:], taxonomy=taxonomy, knowledge=knowledge) for m in found[:limit]]


def write_mistakes(path: Path, mistakes: Sequence[Mistake]) -> None:
    """Write `mistakes` as CSV, the worst first."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Mistake)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(mistake) for mistake in mistakes)


Found = tuple[float, str, Head, str, str, float, float]


def _of_head(system: System, examples: Sequence[Example], head: Head, *, taxonomy: Taxonomy) -> list[Found]:
    labels = taxonomy.labels[head]
    truth, answers = label_arrays(examples, taxonomy)[head], system.answers[head]
    predicted = answers.predicted
    found: list[Found] = []
    for row in np.flatnonzero((truth != MISSING) & (truth != predicted)).tolist():
        gold, answer = labels[truth[row]], labels[predicted[row]]
        if head == "channel" and answer in examples[row].accepted:
            continue
        if head == "category_l2" and gold.partition(SEPARATOR)[0] != answer.partition(SEPARATOR)[0]:
            continue
        given = float(answers.probabilities[row, predicted[row]])
        deserved = float(answers.probabilities[row, truth[row]])
        found.append((given - deserved, examples[row].id, head, gold, answer, given, deserved))
    return found


def _described(
    id_: str,
    head: Head,
    gold: str,
    predicted: str,
    confidence: float,
    gold_probability: float,
    *,
    taxonomy: Taxonomy,
    knowledge: Knowledge,
) -> Mistake:
    return Mistake(
        id=id_,
        head=head,
        gold=gold,
        gold_name=taxonomy.name(head, gold),
        predicted=predicted,
        predicted_name=taxonomy.name(head, predicted),
        confidence=round(confidence, 4),
        gold_probability=round(gold_probability, 4),
        guide=guide_on(head, gold, predicted, taxonomy=taxonomy, knowledge=knowledge),
    )


def guide_on(head: Head, first: str, second: str, *, taxonomy: Taxonomy, knowledge: Knowledge) -> str:
    """Return what tells `first` from `second`: the rules for the pair if there are any, else both definitions."""
    if head == "department":
        rules = _department_rules(first, second, taxonomy=taxonomy, knowledge=knowledge)
        if rules:
            return "；".join(rules)
    meanings = _meanings(head, taxonomy)
    return "｜".join(f"{taxonomy.name(head, label)}：{meanings[label]}" for label in (first, second))


def _department_rules(first: str, second: str, *, taxonomy: Taxonomy, knowledge: Knowledge) -> list[str]:
    pair = {first, second}
    rules = [
        near.rule for code in (first, second) for near in taxonomy.department(code).near if {code, near.other} == pair
    ]
    scenes = [
        f"{scene.scene}：看{scene.decisive}，归{taxonomy.name('department', scene.department)}"
        for scene in knowledge.neighbours
        if pair <= {scene.department, *scene.co}
    ]
    return list(dict.fromkeys([*rules, *scenes]))


def _meanings(head: Head, taxonomy: Taxonomy) -> Mapping[str, str]:
    if head == "category_l1":
        return {c.name: "、".join(sub.name for sub in c.second_level) for c in taxonomy.categories}
    if head == "category_l2":
        return {
            f"{category.name}{SEPARATOR}{sub.name}": "、".join(sub.third_level) or "（无三级说明）"
            for category in taxonomy.categories
            for sub in category.second_level
        }
    if head == "nature":
        return {nature.code: nature.definition for nature in taxonomy.natures}
    if head == "channel":
        return {channel.code: f"{channel.article}，{channel.handling}" for channel in taxonomy.channels}
    return {department.code: "、".join(department.matters) for department in taxonomy.departments}
