"""Flags against annotations, labels changed by rules, and whom a blind reader sides with."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from nlp.knowledge import load_knowledge
from nlp.petition import Firing, Petition
from nlp.taxonomy import load_taxonomy
from training.blind_reading import blind_figures
from training.data import Example
from training.law_figures import alarm_figures, changed_by_rules, flag_figures, let_through
from training.systems import Answers, System

TAXONOMY = load_taxonomy()


def row(number, *, flags=(), **labels):
    return Example(
        id=f"r{number}",
        petition=Petition(text=f"第{number}件"),
        group=str(number),
        source="annotated",
        labels=labels,
        flags=flags,
        n_appeals=1,
    )


def raised(*flags, source="rule"):
    """A suggestion that raises these (code, level)."""
    firings = tuple(
        Firing(
            code=code, level=level, name="", start=0, end=1, basis="", certainty="verified", action="", source=source
        )
        for code, level in flags
    )  # fmt: skip
    return SimpleNamespace(firings=firings)


def system(name, **answers):
    given = {}
    for head, labels in answers.items():
        names = TAXONOMY.labels[head]
        given[head] = Answers.of(np.eye(len(names), dtype=np.float32)[[names.index(label) for label in labels]])
    return System(name=name, answers=given)


def test_what_a_person_must_see_is_counted_where_it_was_let_through():
    rows = [
        row(0, flags=("self_harm",), nature="request"),
        row(1, flags=("self_harm", "minors"), nature="request"),
        row(2, flags=("vulnerable",), nature="accusation"),
        row(3, nature="disclosure"),
        row(4, nature="request"),
    ]
    actions = ("auto", "review", "auto", "review", "auto")
    suggestions = [SimpleNamespace(decision=SimpleNamespace(action=action)) for action in actions]
    assert let_through(suggestions, rows, load_knowledge()) == {
        "urgent": {"rows": 2, "automatic": ["r0"]},
        "accusations": {"rows": 2, "automatic": ["r2"]},
        "flagged": {"rows": 3, "automatic": ["r0", "r2"]},
    }


def test_flags_are_counted_at_level_s_and_at_any_level():
    rows = [row(0, flags=("group_event",)), row(1, flags=("group_event",)), row(2, flags=("self_harm",)), row(3)]
    suggestions = [
        raised(("group_event", "S")),
        raised(("group_event", "A"), source="model"),
        raised(),
        raised(("group_event", "S")),
    ]
    found = flag_figures(suggestions, rows, load_knowledge())
    assert found["per_code"]["group_event"] == {
        "name": "群体性、集体访、聚集、罢工罢市堵路", "level": "S",
        "raised_by_model_alone": 1, "annotated": 2, "raised": 3, "right": 2,
        "precision": pytest.approx(2 / 3, abs=1e-4), "recall": 1.0,
    }  # fmt: skip
    assert found["urgent"]["at_level_s"]["recall"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["urgent"]["at_any_level"]["recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["urgent_missed"] == ["r2 self_harm"]


def test_rules_are_told_by_what_they_mended_and_spoilt():
    duty, petition = "statutory_duty", "petition_procedure"
    rows = [row(i, channel=duty, department="education") for i in range(3)]
    departments = {"department": ["education"] * 3}
    served = system("model", channel=[duty, petition, duty], **departments)
    blend = system("blend", channel=[petition, duty, duty], **departments)
    found = changed_by_rules(served, blend, rows, TAXONOMY)["channel"]
    assert (found["mended"], found["spoilt"], found["neither"]) == (["r0"], ["r1"], [])
    assert found["without"] == found["with"] == pytest.approx(2 / 3, abs=1e-4)


def test_blind_reader_sides_with_label_or_model(tmp_path):
    path = tmp_path / "blind.csv"
    path.write_text(
        "id,category_l1,category_l2,nature,channel,department\n"
        "r0,教育文体,教师队伍,request,statutory_duty,education\n"
        "r1,教育文体,教师队伍,request,petition_procedure,education\n",
        encoding="utf-8",
    )
    second = next(label for label in TAXONOMY.labels["category_l2"] if label.startswith("教育文体"))
    labels = {"category_l1": "教育文体", "category_l2": second, "nature": "request", "department": "education"}
    rows = [row(i, channel="statutory_duty", **labels) for i in range(4)]
    answers = {head: [label] * 4 for head, label in labels.items()}
    model = system("model", channel=["petition_procedure", *["statutory_duty"] * 3], **answers)
    found = blind_figures(path, model, rows, TAXONOMY)["channel"]
    assert (found["wrong"], found["reader_sides_with_label"], found["reader_sides_with_model"]) == (1, 1, 0)
    assert (found["right"], found["reader_agrees"]) == (1, 0)
    # The rows were not drawn at random: counts, and no estimate for all test rows.
    assert set(found) == {"wrong", "reader_sides_with_label", "reader_sides_with_model", "right", "reader_agrees"}


def test_alarms_count_for_every_flag_that_was_looked_for():
    looked_for = ("self_harm", "group_event")
    texts = [
        replace(row(0), flags=("self_harm", "group_event"), looked_for=looked_for),
        replace(row(1), looked_for=looked_for),
        replace(row(2), flags=("self_harm",), looked_for=("self_harm",)),
    ]
    figures = alarm_figures([raised(("self_harm", "S")), raised(("group_event", "A")), raised()], texts)
    assert figures["self_harm"] == {
        "alarming": 2, "at_level_s": 1, "at_any_level": 1, "harmless": 1, "false_alarms": 0,
        "false_at_level_s": 0, "missed": ["r2"]
    }  # fmt: skip
    assert figures["group_event"] == {
        "alarming": 1, "at_level_s": 0, "at_any_level": 0, "harmless": 1, "false_alarms": 1,
        "false_at_level_s": 0, "missed": ["r0"]
    }  # fmt: skip
