"""Choose when a suggestion may stand without review, with a guarantee.

Learn-then-test with fixed-sequence testing (Angelopoulos, Bates, Candès, Jordan and Lei 2021): candidate thresholds are
tried from the strictest down; each is kept while an exact binomial test rejects "the error rate among the accepted is
above the budget" at level delta, and the first failure ends the walk. Because the order is fixed beforehand, with
probability 1 - delta over the draw of the split the chosen threshold's error rate among accepted petitions is at most
the budget, if future petitions come from the same source. Where even the first test fails, there is no threshold.

A bundle's answers are cross-fitted (training/cross_fit.py), and penalties, the encoder, the weight and the floor of the
flags were chosen by figures on the same rows (docs/decisions/0011, 0013, 0015, 0016): the bound is a little too good.
The frozen test rows show what it comes to.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

N_STEPS = 100


def choose_threshold(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], *, budget: float = 0.05, delta: float = 0.05
) -> float | None:
    """Return the lowest confidence (rows,) from which acceptance keeps the error rate within `budget`, or None.

    `correct` (rows,) says whether the answer of a row was right. The strictest candidate accepts four times the rows
    that would pass without a single error, so that the walk does not end at its first step by bad luck. Raises
    ValueError for a budget or delta outside (0, 1).
    """
    if not 0 < budget < 1 or not 0 < delta < 1:
        raise ValueError(f"budget and delta must lie in (0, 1), got {budget} and {delta}")
    order = np.argsort(-confidence, kind="stable")
    ranked, errors = confidence[order], np.cumsum(~correct[order])
    least = int(np.ceil(4 * np.log(delta) / np.log(1 - budget)))
    thresholds = ranked[np.asarray(candidate_counts(len(confidence), least=least), dtype=np.int64) - 1]
    # Ties are accepted together, so the test must count all of them.
    n_accepted = np.searchsorted(-ranked, -thresholds, side="right")
    passed = binom.cdf(errors[n_accepted - 1], n_accepted, budget) <= delta
    n_passed = len(passed) if passed.all() else int(passed.argmin())
    return float(thresholds[n_passed - 1]) if n_passed else None


def candidate_counts(n_rows: int, *, least: int, n_steps: int = N_STEPS) -> Sequence[int]:
    """Return how many rows each candidate accepts, from `least` up to all of them in at most `n_steps` steps."""
    if n_rows < least:
        return []
    return sorted({int(n) for n in np.linspace(least, n_rows, n_steps)})
