"""What the law does to the model's answers on the test rows: must-review flags, and labels changed by routing rules."""

from collections.abc import Sequence
from typing import Any

from nlp.knowledge import Knowledge
from nlp.petition import Head, Suggestion
from nlp.taxonomy import Taxonomy
from training.data import Example
from training.systems import System

RULED: tuple[Head, ...] = ("channel", "department")
"""The heads that routing law may change."""


def flag_figures(suggestions: Sequence[Suggestion], rows: Sequence[Example], knowledge: Knowledge) -> dict[str, Any]:
    """Return precision and recall of the served flags against the annotated ones, per code and for level S together.

    Level S is counted twice: raised at level S, and raised at any level (a person looks the same day). Ids of what was
    missed are listed.
    """
    annotated = {flag for row in rows for flag in row.flags}
    levels = [{firing.code: firing.level for firing in suggestion.firings} for suggestion in suggestions]
    by_model = [{firing.code for firing in s.firings if firing.source == "model"} for s in suggestions]
    urgent = {rule.code for rule in knowledge.rules if rule.level == "S"} & annotated
    per_code = {}
    for rule in knowledge.rules:
        if rule.code in annotated:
            raised = {(row.id, rule.code) for row, found in zip(rows, levels, strict=True) if rule.code in found}
            per_code[rule.code] = {
                "name": rule.name,
                "level": rule.level,
                "raised_by_model_alone": sum(rule.code in found for found in by_model),
                **_against(raised, _annotated(rows, {rule.code})),
            }
    wanted = _annotated(rows, urgent)
    found = [(row.id, code, level) for row, seen in zip(rows, levels, strict=True) for code, level in seen.items()]
    at_s = {(row, code) for row, code, level in found if code in urgent and level == "S"}
    at_any = {(row, code) for row, code, _ in found if code in urgent}
    return {
        "per_code": per_code,
        "urgent": {"at_level_s": _against(at_s, wanted), "at_any_level": _against(at_any, wanted)},
        "urgent_missed": sorted(f"{row} {code}" for row, code in wanted - at_any),
    }


def let_through(suggestions: Sequence[Suggestion], rows: Sequence[Example], knowledge: Knowledge) -> dict[str, Any]:
    """Return how many of the petitions that a person must see were accepted automatically, with their ids.

    Counted from the annotation, whatever was raised: `urgent` carry a flag of level S, `accusations` have a nature that
    a rule keeps for a person, `flagged` carry any flag.
    """
    urgent = {rule.code for rule in knowledge.rules if rule.level == "S"}
    natures = {nature for rule in knowledge.rules for nature in rule.natures}
    kinds = {
        "urgent": [bool(urgent & set(row.flags)) for row in rows],
        "accusations": [row.labels.get("nature") in natures for row in rows],
        "flagged": [bool(row.flags) for row in rows],
    }
    passed = [suggestion.decision.action == "auto" for suggestion in suggestions]
    return {
        kind: {
            "rows": sum(concerned),
            "automatic": [row.id for row, *both in zip(rows, concerned, passed, strict=True) if all(both)],
        }
        for kind, concerned in kinds.items()
    }


def alarm_figures(suggestions: Sequence[Suggestion], texts: Sequence[Example]) -> dict[str, Any]:
    """Return per urgent flag how many alarming texts raise it (at level S, at all) and how many harmless ones do so.

    A text counts for every flag that was looked for in it; ids of what was missed are listed.
    """
    counts = ("alarming", "at_level_s", "at_any_level", "harmless", "false_alarms", "false_at_level_s")
    figures: dict[str, Any] = {}
    for suggestion, text in zip(suggestions, texts, strict=True):
        for code in text.looked_for:
            f = figures.setdefault(code, dict.fromkeys(counts, 0) | {"missed": []})
            level = next((firing.level for firing in suggestion.firings if firing.code == code), None)
            if code in text.flags:
                f["alarming"] += 1
                f["at_level_s"] += level == "S"
                f["at_any_level"] += level is not None
                f["missed"] += [text.id] if level is None else []
            else:
                f["harmless"] += 1
                f["false_alarms"] += level is not None
                f["false_at_level_s"] += level == "S"
    return figures


def changed_by_rules(served: System, blend: System, rows: Sequence[Example], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return, per head that rules may change, accuracy without and with them and the ids of the changed rows."""
    figures: dict[str, Any] = {}
    for head in RULED:
        names = taxonomy.labels[head]
        gold = [row.labels[head] for row in rows]
        before = [names[place] for place in blend.answers[head].predicted]
        after = [names[place] for place in served.answers[head].predicted]
        changed = [i for i in range(len(rows)) if before[i] != after[i]]
        figures[head] = {
            "without": round(sum(b == g for b, g in zip(before, gold, strict=True)) / len(rows), 4),
            "with": round(sum(a == g for a, g in zip(after, gold, strict=True)) / len(rows), 4),
            "mended": [rows[i].id for i in changed if after[i] == gold[i]],
            "spoilt": [rows[i].id for i in changed if before[i] == gold[i]],
            "neither": [rows[i].id for i in changed if gold[i] not in (before[i], after[i])],
        }
    return figures


def _annotated(rows: Sequence[Example], codes: set[str]) -> set[tuple[str, str]]:
    return {(row.id, flag) for row in rows for flag in row.flags if flag in codes}


def _against(raised: set[tuple[str, str]], wanted: set[tuple[str, str]]) -> dict[str, Any]:
    right = len(raised & wanted)
    return {
        "annotated": len(wanted),
        "raised": len(raised),
        "right": right,
        "precision": round(right / len(raised), 4) if raised else None,
        "recall": round(right / len(wanted), 4) if wanted else None,
    }
