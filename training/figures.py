"""The figures of one head and of several heads together, as plain nested values ready for metrics.json."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.petition import Head
from nlp.taxonomy import Taxonomy
from training.classifier import label_arrays
from training.data import MISSING, Example
from training.measures import (
    calibration_error,
    class_table,
    confusion_pairs,
    expected_noise,
    macro_f1_of_draws,
    plain,
    reliability,
    risk_coverage,
)
from training.significance import N_DRAWS, bootstrap, mcnemar, paired_bootstrap
from training.systems import MODEL, Answers, System

JOINT: tuple[Head, ...] = ("category_l1", "channel", "department")
"""The heads that must all be right before a petition may go out without a person's look."""

BUDGET = 0.05
"""Error rate that may remain among accepted answers."""

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]


def task_figures(
    truth: Indices,
    answers: Mapping[str, Answers],
    groups: Sequence[str],
    names: Sequence[str],
    *,
    n_draws: int = N_DRAWS,
) -> dict[str, Any]:
    """Return the figures of one task from the `answers` of every system; the first system is the model."""
    (_, model), *others = answers.items()
    confidence, correct = model.confidence, model.predicted == truth
    return {
        "rows": len(truth),
        "classes": len(np.unique(truth)),
        "systems": {name: _system_figures(truth, found, groups, n_draws=n_draws) for name, found in answers.items()},
        "against": {
            name: _comparison(truth, model.predicted, other.predicted, groups, n_draws=n_draws)
            for name, other in others
        },
        "per_class": plain(class_table(truth, model.predicted, names)),
        "confusions": plain(confusion_pairs(truth, model.predicted, names, limit=25)),
        "reliability": plain(reliability(confidence, correct)),
        "risk_coverage": curve_points(confidence, correct),
    }


def head_figures(
    head: Head,
    systems: Sequence[System],
    examples: Sequence[Example],
    *,
    fit_counts: Mapping[str, int],
    taxonomy: Taxonomy,
    n_draws: int = N_DRAWS,
) -> dict[str, Any]:
    """Return everything measured for `head`; the first of `systems` is the model, the others are compared with it.

    `fit_counts` says how many fitted rows each label has, for the slices by class frequency.
    """
    everything = label_arrays(examples, taxonomy)[head]
    known = np.flatnonzero(everything != MISSING).tolist()
    rows, truth, names = [examples[i] for i in known], everything[known], taxonomy.labels[head]
    groups = [e.group for e in rows]
    answers = {s.name: s.answers[head].take(known) for s in systems}
    found = task_figures(truth, answers, groups, names, n_draws=n_draws)
    correct = {name: a.predicted == truth for name, a in answers.items()}
    found["slices"] = _slices(truth, correct, rows, names, fit_counts)
    if head == "channel":
        for name, given in answers.items():
            lenient = correct[name] | is_accepted(given.predicted, rows, names)
            found["systems"][name]["accuracy_with_accepted"] = _share(lenient, groups, n_draws)
    return found


def is_accepted(predicted: Indices, rows: Sequence[Example], names: Sequence[str]) -> Flags:
    """Return whether each predicted channel is one the annotation accepts beside the labelled one."""
    return np.asarray([names[answer] in row.accepted for answer, row in zip(predicted, rows, strict=True)], dtype=bool)


def joint_figures(systems: Sequence[System], examples: Sequence[Example], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return accuracy and coverage of all heads of JOINT together; the confidence is the product of theirs.

    `with_accepted` also counts a channel right that the annotation accepts.
    """
    truth = {head: label_arrays(examples, taxonomy)[head] for head in JOINT}
    known = np.flatnonzero(np.all([truth[head] != MISSING for head in JOINT], axis=0)).tolist()
    rows = [examples[i] for i in known]
    groups = [e.group for e in rows]
    found: dict[str, Any] = {"heads": list(JOINT), "rows": len(rows), "systems": {}}
    for system in systems:
        answers = {head: system.answers[head].take(known) for head in JOINT}
        right = {head: answers[head].predicted == truth[head][known] for head in JOINT}
        accepted = is_accepted(answers["channel"].predicted, rows, taxonomy.labels["channel"])
        confidence = np.prod([answers[head].confidence for head in JOINT], axis=0)
        strict = np.logical_and.reduce(list(right.values()))
        lenient = np.logical_and.reduce(list((right | {"channel": right["channel"] | accepted}).values()))
        figures = _together(confidence, strict, groups) | {"with_accepted": _together(confidence, lenient, groups)}
        found["systems"][system.name] = figures
        if system.name == MODEL:
            found["risk_coverage"] = curve_points(confidence, strict)
            found["risk_coverage_with_accepted"] = curve_points(confidence, lenient)
    return found


def _together(confidence: Floats, correct: Flags, groups: Sequence[str]) -> dict[str, Any]:
    curve = risk_coverage(confidence, correct)
    return {
        "accuracy": round(float(correct.mean()), 4),
        "ece": round(calibration_error(confidence, correct), 4),
        "coverage_at_budget": round(curve.coverage_at(BUDGET), 4),
        "coverage_at_twice_the_budget": round(curve.coverage_at(2 * BUDGET), 4),
        "coverage_interval": _coverage_interval(confidence, correct, groups),
    }


def _system_figures(truth: Indices, answers: Answers, groups: Sequence[str], *, n_draws: int) -> dict[str, Any]:
    predicted, confidence = answers.predicted, answers.confidence
    correct = predicted == truth
    return {
        "accuracy": _share(correct, groups, n_draws),
        "macro_f1": _interval(macro_f1_of_draws(truth, predicted), groups, n_draws),
        "top3": round(float((answers.best == truth[:, None]).any(axis=1).mean()), 4),
        "ece": round(calibration_error(confidence, correct), 4),
        "ece_by_chance": round(expected_noise(confidence), 4),
        "coverage_at_budget": round(risk_coverage(confidence, correct).coverage_at(BUDGET), 4),
    }


def _coverage_interval(confidence: Floats, correct: Flags, groups: Sequence[str]) -> dict[str, float]:
    return _interval(lambda drawn: risk_coverage(confidence[drawn], correct[drawn]).coverage_at(BUDGET), groups, 200)


def _comparison(
    truth: Indices, model: Indices, other: Indices, groups: Sequence[str], *, n_draws: int
) -> dict[str, Any]:
    test = mcnemar(model == truth, other == truth)
    difference = paired_bootstrap(
        macro_f1_of_draws(truth, model), macro_f1_of_draws(truth, other), groups, n_draws=n_draws
    )
    return {
        "only_model_right": test.only_first,
        "only_other_right": test.only_second,
        "mcnemar_p": test.p,
        "macro_f1_difference": difference.plain(),
    }


def _slices(
    truth: Indices,
    correct: Mapping[str, Flags],
    rows: Sequence[Example],
    names: Sequence[str],
    fit_counts: Mapping[str, int],
) -> dict[str, list[dict[str, Any]]]:
    keys: dict[str, list[str]] = {
        "length": [_length_band(len(e.text)) for e in rows],
        "labels_from": [e.source for e in rows],
        "file": ["messages_unlabelled" if e.public_category is None else "messages_labelled" for e in rows],
        "fitted_rows_of_class": [_frequency_band(fit_counts.get(names[label], 0)) for label in truth],
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for name, values in keys.items():
        column = np.asarray(values)
        found[name] = [
            {
                "slice": value,
                "rows": int((column == value).sum()),
                **{system: round(float(flags[column == value].mean()), 4) for system, flags in correct.items()},
            }
            for value in sorted(set(values), key=_band_order)
        ]
    return found


def _length_band(n_characters: int) -> str:
    limits = ((100, "<100"), (200, "100-199"), (400, "200-399"), (800, "400-799"))
    return next((name for limit, name in limits if n_characters < limit), "≥800")


def _frequency_band(n_rows: int) -> str:
    limits = ((20, "<20"), (100, "20-99"), (500, "100-499"))
    return next((name for limit, name in limits if n_rows < limit), "≥500")


def _band_order(value: str) -> tuple[int, str]:
    digits = "".join(c for c in value.partition("-")[0] if c.isdigit())
    return (int(digits) - (value[0] == "<") if digits else 0, value)


def curve_points(confidence: Floats, correct: Flags, *, n_points: int = 60) -> list[list[float]]:
    """Return the risk-coverage curve as about `n_points` pairs [coverage, risk]."""
    curve = risk_coverage(confidence, correct)
    chosen = np.unique(np.linspace(0, len(curve.coverage) - 1, n_points).round().astype(int))
    return [[round(float(curve.coverage[i]), 4), round(float(curve.risk[i]), 4)] for i in chosen]


def count_labels(examples: Sequence[Example], head: Head) -> Counter[str]:
    """Return how many rows each label of `head` has."""
    return Counter(e.labels[head] for e in examples if head in e.labels)


def _interval(statistic: Callable[[Indices], float], groups: Sequence[str], n_draws: int) -> dict[str, float]:
    return bootstrap(statistic, groups, n_draws=n_draws).plain()


def _share(flags: Flags, groups: Sequence[str], n_draws: int) -> dict[str, float]:
    return _interval(lambda drawn: float(flags[drawn].mean()), groups, n_draws)
