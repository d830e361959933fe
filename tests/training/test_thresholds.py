"""The guarantee behind every suggestion that may stand: simulated, and compared with MAPIE and with scipy."""

import numpy as np
import pytest
from scipy.stats import binom

from training.thresholds import candidate_counts, choose_threshold

BUDGET = DELTA = 0.05


def draw(rng: np.random.Generator, n_rows: int, *, decimals: int | None = None):
    """Draw answers whose chance to be right is a known function of their confidence."""
    confidence = rng.beta(6, 0.6, size=n_rows)
    if decimals is not None:
        confidence = confidence.round(decimals)
    return confidence, rng.random(n_rows) < chance(confidence)


def chance(confidence):
    """Return the true probability of a right answer: a little less than the model believes, never quite 1."""
    return np.clip(1.02 * confidence - 0.025, 0, 0.995)


class Population:
    """So many petitions that their error rate above a threshold counts as the true one."""

    def __init__(self, rng: np.random.Generator, decimals: int | None) -> None:
        confidence, _ = draw(rng, 400_000, decimals=decimals)
        self.descending = np.sort(confidence)[::-1]
        self.errors = np.cumsum(1 - chance(self.descending))

    def true_error(self, threshold: float) -> float:
        n_accepted = np.searchsorted(-self.descending, -threshold, side="right")
        return float(self.errors[n_accepted - 1] / n_accepted)


@pytest.mark.parametrize(("n_rows", "decimals"), [(800, None), (1500, None), (1500, 2)])
def test_the_error_rate_exceeds_the_budget_in_at_most_delta_of_the_draws(n_rows, decimals):
    rng = np.random.default_rng(n_rows)
    population = Population(rng, decimals)
    n_draws, n_chosen, n_broken = 600, 0, 0
    for _ in range(n_draws):
        threshold = choose_threshold(*draw(rng, n_rows, decimals=decimals), budget=BUDGET, delta=DELTA)
        if threshold is not None:
            n_chosen += 1
            n_broken += population.true_error(threshold) > BUDGET
    # Three standard errors of a share of 0.05 over 600 draws.
    assert n_broken / n_draws <= DELTA + 3 * np.sqrt(DELTA * (1 - DELTA) / n_draws)
    # A rule that never accepts would keep the promise too.
    assert n_chosen > 0.8 * n_draws


def test_more_rows_let_more_pass():
    rng = np.random.default_rng(5)
    population, _ = draw(rng, 100_000)
    accepted = {}
    for n_rows in (400, 4000):
        found = [choose_threshold(*draw(rng, n_rows), budget=BUDGET, delta=DELTA) for _ in range(60)]
        accepted[n_rows] = np.mean([0 if t is None else (population >= t).mean() for t in found])
    assert accepted[4000] > accepted[400] + 0.05


def test_nothing_is_chosen_where_answers_are_too_often_wrong():
    rng = np.random.default_rng(6)
    assert choose_threshold(rng.random(3000), rng.random(3000) < 0.8) is None


def test_nothing_is_chosen_from_too_few_rows_even_if_all_are_right():
    confidence = np.linspace(0.5, 1, 233)
    assert choose_threshold(confidence, np.ones(233, dtype=bool)) is None
    assert choose_threshold(np.linspace(0.5, 1, 234), np.ones(234, dtype=bool)) == 0.5
    assert choose_threshold(np.empty(0), np.empty(0, dtype=bool)) is None


def test_rows_of_equal_confidence_are_accepted_together():
    # 600 sure and right, then 400 that share one confidence and are half wrong: whatever their order, none may pass.
    confidence = np.concatenate([np.linspace(0.9, 1, 600), np.full(400, 0.8)])
    for wrong_first in (True, False):
        tied = np.repeat([not wrong_first, wrong_first], 200)
        chosen = choose_threshold(confidence, np.concatenate([np.ones(600, dtype=bool), tied]))
        assert chosen is not None
        assert chosen >= 0.9


def test_the_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(8)
    confidence, correct = draw(rng, 1500, decimals=2)
    order = rng.permutation(1500)
    assert choose_threshold(confidence, correct) == choose_threshold(confidence[order], correct[order])


def test_the_last_accepted_candidate_passes_the_binomial_test_and_the_next_does_not():
    rng = np.random.default_rng(9)
    confidence, correct = draw(rng, 2000)
    chosen = choose_threshold(confidence, correct)

    def p_value(threshold):
        accepted = confidence >= threshold
        return binom.cdf((~correct[accepted]).sum(), accepted.sum(), BUDGET)

    ranked = np.sort(confidence)[::-1]
    counts = list(candidate_counts(2000, least=234))
    place = [ranked[n - 1] for n in counts].index(chosen)
    assert p_value(chosen) <= DELTA
    assert p_value(ranked[counts[place + 1] - 1]) > DELTA


def test_our_walk_accepts_what_mapies_corrected_tests_accept_and_more():
    # MAPIE tests every threshold with Hoeffding-Bentkus and a Bonferroni correction; the exact binomial test along a
    # fixed sequence is never weaker, and whatever MAPIE calls safe must be safe here too.
    mapie = pytest.importorskip("mapie.risk_control", reason="mapie is not installed")
    rng = np.random.default_rng(10)
    confidence, correct = draw(rng, 3000)
    ours = choose_threshold(confidence, correct, budget=BUDGET, delta=DELTA)
    controller = mapie.BinaryClassificationController(
        lambda rows: np.stack([1 - rows[:, 0], rows[:, 0]], axis=1),
        risk="precision",
        target_level=1 - BUDGET,
        confidence_level=1 - DELTA,
        list_predict_params=np.linspace(0.5, 0.999, 100),
    )
    controller.calibrate(confidence[:, None], correct.astype(int))
    safe = np.asarray(controller.valid_predict_params)
    assert ours is not None
    assert len(safe) > 0
    assert ours <= safe.min() + 0.01


@pytest.mark.parametrize(("budget", "delta"), [(0, 0.05), (1, 0.05), (0.05, 0), (0.05, 1.2)])
def test_a_budget_or_delta_outside_its_range_is_refused(budget, delta):
    with pytest.raises(ValueError, match="must lie in"):
        choose_threshold(np.ones(9), np.ones(9, dtype=bool), budget=budget, delta=delta)


def test_candidates_run_from_the_least_to_all_rows():
    counts = candidate_counts(1000, least=234)
    assert (counts[0], counts[-1]) == (234, 1000)
    assert len(counts) == 100
    assert list(candidate_counts(240, least=234)) == list(range(234, 241))
    assert list(candidate_counts(10, least=234)) == []
