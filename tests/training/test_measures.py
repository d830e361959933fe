"""The measures against scikit-learn, against hand-made cases and against simulated systems of known quality."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from training.measures import (
    accuracy,
    calibration_error,
    class_table,
    confusion_pairs,
    expected_noise,
    macro_f1,
    macro_f1_of_draws,
    plain,
    reliability,
    risk_coverage,
)
from training.significance import bootstrap, draw_rows, mcnemar, paired_bootstrap

NAMES = ("甲", "乙", "丙", "丁", "戊")


@pytest.fixture
def answers():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, size=300)  # class 戊 is answered but never right
    probabilities = rng.dirichlet(np.ones(5), size=300)
    probabilities[np.arange(300), truth] += 0.4
    return truth, probabilities / probabilities.sum(axis=1, keepdims=True)


def test_macro_f1_counts_the_classes_of_the_truth(answers):
    truth, probabilities = answers
    predicted = probabilities.argmax(axis=1)
    assert (predicted == 4).any()
    expected = f1_score(truth, predicted, labels=np.unique(truth), average="macro")
    assert macro_f1(truth, predicted) == pytest.approx(expected)


def test_macro_f1_of_a_draw_is_over_the_classes_of_all_rows():
    truth = np.array([0, 0, 1, 1, 2])
    predicted = np.array([0, 0, 1, 0, 0])
    of_draw = macro_f1_of_draws(truth, predicted)
    assert of_draw(np.arange(5)) == pytest.approx(macro_f1(truth, predicted))
    # Class 2 is never found. A draw without its only row must not score as if it had no such class.
    first, second = 1.0, 1.0
    assert of_draw(np.array([0, 0, 1, 2, 2])) == pytest.approx((first + second + 0) / 3)
    # Nor does a class lose what it has: without a row of class 1, its F1 of all rows stands.
    assert of_draw(np.array([0, 1])) == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_interval_of_macro_f1_lies_round_the_figure_where_rare_classes_are_missed():
    truth = np.concatenate([np.repeat(np.arange(5), 100), np.arange(5, 25)])
    predicted = np.where(truth < 5, truth, 0)
    found = bootstrap(macro_f1_of_draws(truth, predicted), range(len(truth)), n_draws=200)
    assert found.low <= found.value <= found.high
    assert found.high - found.low < 0.02  # a third of the rare classes would be gone from every draw


def test_accuracy_agrees_with_scikit_learn(answers):
    truth, probabilities = answers
    predicted = probabilities.argmax(axis=1)
    assert accuracy(truth, predicted) == pytest.approx(accuracy_score(truth, predicted))


def test_figures_of_no_rows_are_not_numbers():
    nothing = np.empty(0, dtype=np.int64)
    assert np.isnan(accuracy(nothing, nothing))
    assert np.isnan(macro_f1(nothing, nothing))


def test_class_table_and_confusions_of_a_case_counted_by_hand():
    truth = np.array([0, 0, 0, 1, 1, 2])
    predicted = np.array([0, 1, 1, 1, 0, 4])
    rows = {row["label"]: row for row in plain(class_table(truth, predicted, NAMES))}
    assert list(rows) == ["甲", "乙", "丙", "戊"]
    assert rows["甲"] == {"label": "甲", "n": 3, "answered": 2, "precision": 0.5, "recall": 0.3333, "f1": 0.4}
    assert rows["戊"]["n"] == 0
    first = confusion_pairs(truth, predicted, NAMES, limit=1)[0]
    assert (first.truth, first.predicted, first.n) == ("甲", "乙", 2)
    assert first.share_of_truth == pytest.approx(2 / 3)


def test_bins_have_equal_mass_and_hold_every_row():
    confidence = np.random.default_rng(0).random(100)
    points = reliability(confidence, confidence > 0.5, n_bins=15)
    assert sum(point.n for point in points) == 100
    assert {point.n for point in points} == {6, 7}
    assert [point.confidence for point in points] == sorted(point.confidence for point in points)


def test_calibration_error_of_a_system_that_promises_a_tenth_too_much():
    confidence = np.full(1000, 0.9)
    correct = np.arange(1000) % 10 < 8
    assert calibration_error(confidence, correct) == pytest.approx(0.1, abs=0.01)


def test_calibration_error_of_an_honest_system_is_what_chance_explains():
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.3, 1, size=4000)
    correct = rng.random(4000) < confidence
    assert calibration_error(confidence, correct) < 2 * expected_noise(confidence) < 0.06
    assert calibration_error(confidence, rng.random(4000) < confidence - 0.2) > 0.15


def test_risk_coverage_of_a_case_counted_by_hand():
    confidence = np.array([0.9, 0.8, 0.8, 0.5])
    correct = np.array([True, True, False, True])
    curve = risk_coverage(confidence, correct)
    assert curve.coverage.tolist() == [0.25, 0.75, 1.0]  # the two rows of 0.8 are accepted together
    assert curve.risk.tolist() == pytest.approx([0, 1 / 3, 1 / 4])
    assert curve.coverage_at(0.05) == 0.25
    assert curve.coverage_at(0.25) == 1.0
    assert risk_coverage(confidence, ~correct).coverage_at(0.05) == 0.0


def test_bootstrap_interval_covers_the_true_accuracy_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    inside = 0
    for repeat in range(60):
        correct = rng.random(200) < 0.8
        found = bootstrap(lambda rows, c=correct: float(c[rows].mean()), range(200), n_draws=200, seed=repeat)
        inside += found.low <= 0.8 <= found.high
    assert inside >= 50


def test_drawing_keeps_groups_together_and_widens_the_interval():
    groups = np.repeat(np.arange(20), 10)
    for rows in draw_rows(groups, n_draws=5, seed=0):
        assert all(np.bincount(groups[rows], minlength=20) % 10 == 0)
    correct = np.repeat(np.arange(20) % 2 == 0, 10)
    grouped = bootstrap(lambda rows: float(correct[rows].mean()), groups.tolist(), seed=0)
    single = bootstrap(lambda rows: float(correct[rows].mean()), range(200), seed=0)
    assert grouped.high - grouped.low > 2 * (single.high - single.low)


def test_paired_tests_see_a_difference_and_none():
    rng = np.random.default_rng(2)
    weak = rng.random(500) < 0.7
    strong = weak | (rng.random(500) < 0.3)
    result = mcnemar(strong, weak)
    assert result.only_second == 0
    assert result.p < 1e-6
    assert mcnemar(weak, weak).p == 1.0
    difference = paired_bootstrap(
        lambda rows: float(strong[rows].mean()), lambda rows: float(weak[rows].mean()), range(500)
    )
    assert difference.low > 0
    assert difference.p == pytest.approx(0.001)
    same = paired_bootstrap(lambda rows: float(weak[rows].mean()), lambda rows: float(weak[rows].mean()), range(500))
    assert (same.value, same.p) == (0.0, 1.0)
