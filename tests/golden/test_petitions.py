"""The bundled model on petitions written by us: it must not silently become worse, and grave cases reach a person."""

import json
from pathlib import Path

import pytest

from nlp.knowledge import load_knowledge
from nlp.petition import HEADS, Petition, Suggestion
from nlp.router import Router
from nlp.taxonomy.records import SEPARATOR

SAMPLES = Path(__file__).parents[2] / "datasets/samples/petitions.jsonl"
ROWS = [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]

FLOORS = {"category_l1": 0.75, "category_l2": 0.60, "nature": 0.87, "channel": 0.83, "department": 0.80}
"""Least share of right answers per head, two points below what the bundle reached: 0.77, 0.63, 0.90, 0.85, 0.83.

The petitions are harder than the messages of the test split: every rare class, every style, dialect, irony.
"""

TOP_THREE_FLOOR = 0.86


def gold(row: dict, head: str) -> str:
    return f"{row['category_l1']}{SEPARATOR}{row['category_l2']}" if head == "category_l2" else row[head]


@pytest.fixture(scope="module")
def suggestions() -> list[Suggestion]:
    router = Router.load(n_threads=1)
    return [router.suggest(Petition(id=row["id"], title=row["title"], text=row["text"])) for row in ROWS]


@pytest.mark.parametrize("head", HEADS)
def test_the_share_of_right_answers_does_not_fall(suggestions, head):
    right = [s.predictions[head].best.code == gold(row, head) for s, row in zip(suggestions, ROWS, strict=True)]
    assert sum(right) / len(right) >= FLOORS[head]


def test_no_petition_that_needs_a_person_at_once_ever_passes(suggestions):
    urgent = {rule.code for rule in load_knowledge().rules if rule.level == "S"}
    grave = [s for s, row in zip(suggestions, ROWS, strict=True) if urgent & set(row["review_flags"])]
    assert len(grave) >= 5
    assert [s.petition_id for s in grave if s.decision.action == "auto"] == []


def test_no_accusation_passes(suggestions):
    for suggestion, row in zip(suggestions, ROWS, strict=True):
        if row["channel"] == "accusation_handling" or row["nature"] == "accusation":
            assert suggestion.decision.action == "review", row["id"]


def test_what_passes_is_right_within_the_error_budget(suggestions):
    needed = ("category_l1", "channel", "department")
    passed = [
        all(s.predictions[head].best.code == gold(row, head) for head in needed)
        for s, row in zip(suggestions, ROWS, strict=True)
        if s.decision.action == "auto"
    ]
    # The budget is 5 %; a handful of petitions allows for chance.
    assert passed.count(False) <= max(2, 0.1 * len(passed))


def test_the_right_department_is_mostly_among_the_first_three(suggestions):
    found = [
        row["department"] in [candidate.code for candidate in s.predictions["department"].candidates[:3]]
        for s, row in zip(suggestions, ROWS, strict=True)
    ]
    assert sum(found) / len(found) >= TOP_THREE_FLOOR
