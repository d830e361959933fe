"""How good are answers? Pure functions on arrays.

Throughout, `truth` and `predicted` (rows,) hold label indices, `probabilities` (rows, labels) rows that sum to 1,
`confidence` (rows,) the probability of the answer given and `correct` (rows,) whether it was right.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

Indices = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

N_BINS = 15
"""Bins of the calibration error, of equal mass: every bin holds the same number of rows (Nguyen and O'Connor 2015)."""


def accuracy(truth: Indices, predicted: Indices) -> float:
    """Return the share of right answers; NaN for no rows."""
    return float((truth == predicted).mean()) if len(truth) else float("nan")


def macro_f1(truth: Indices, predicted: Indices) -> float:
    """Return the mean F1 over the classes that occur in `truth`; NaN for no rows.

    Answers of classes that do not occur count against the classes that should have been answered.
    """
    if not len(truth):
        return float("nan")
    return float(np.nanmean(_f1_by_class(truth, predicted, n_labels=_n_labels(truth, predicted))))


def macro_f1_of_draws(truth: Indices, predicted: Indices) -> Callable[[Indices], float]:
    """Return the macro-F1 as a function of the row numbers drawn, over the classes of all rows whichever are drawn.

    A class of which no row was drawn keeps its F1 of all rows: without it the figure would be that of other, easier
    classes, and a 0 would hold it against the answers that nobody asked.
    """
    n_labels = _n_labels(truth, predicted)
    whole = _f1_by_class(truth, predicted, n_labels=n_labels)

    def of_draw(rows: Indices) -> float:
        drawn = _f1_by_class(truth[rows], predicted[rows], n_labels=n_labels)
        return float(np.nanmean(np.where(np.isnan(drawn), whole, drawn)))

    return of_draw


def _n_labels(truth: Indices, predicted: Indices) -> int:
    return int(max(truth.max(), predicted.max())) + 1


def _f1_by_class(truth: Indices, predicted: Indices, *, n_labels: int) -> Floats:
    """Return the F1 of every class (labels,); NaN for those that do not occur in `truth`."""
    real = np.bincount(truth, minlength=n_labels)
    given = np.bincount(predicted, minlength=n_labels)
    hits = np.bincount(truth[truth == predicted], minlength=n_labels)
    return np.where(real > 0, 2 * hits / np.maximum(real + given, 1), np.nan)


@dataclass(frozen=True, kw_only=True)
class ClassRow:
    """One class of a per-class table; `n` rows of it in the truth, `answered` times given as the answer."""

    label: str
    n: int
    answered: int
    precision: float
    recall: float
    f1: float


def class_table(truth: Indices, predicted: Indices, names: Sequence[str]) -> list[ClassRow]:
    """Return one row per class that occurs in truth or answers, the most frequent first."""
    occurring = np.union1d(truth, predicted)
    precision, recall, f1, n = precision_recall_fscore_support(truth, predicted, labels=occurring, zero_division=0.0)
    rows = [
        ClassRow(
            label=names[label],
            n=int(n[i]),
            answered=int((predicted == label).sum()),
            precision=float(precision[i]),
            recall=float(recall[i]),
            f1=float(f1[i]),
        )
        for i, label in enumerate(occurring)
    ]
    return sorted(rows, key=lambda row: (-row.n, row.label))


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """How often `predicted` was answered where `truth` was right."""

    truth: str
    predicted: str
    n: int
    share_of_truth: float


def confusion_pairs(truth: Indices, predicted: Indices, names: Sequence[str], *, limit: int) -> list[Confusion]:
    """Return the `limit` most frequent confusions."""
    wrong = truth != predicted
    pairs, counts = np.unique(np.stack([truth[wrong], predicted[wrong]], axis=1), axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:limit]
    return [
        Confusion(
            truth=names[pairs[i, 0]],
            predicted=names[pairs[i, 1]],
            n=int(counts[i]),
            share_of_truth=float(counts[i] / (truth == pairs[i, 0]).sum()),
        )
        for i in order
    ]


@dataclass(frozen=True, kw_only=True)
class ReliabilityPoint:
    """One bin of a reliability diagram: what was promised and what was kept."""

    n: int
    confidence: float
    accuracy: float


def reliability(confidence: Floats, correct: Flags, *, n_bins: int = N_BINS) -> list[ReliabilityPoint]:
    """Return the points of the reliability diagram, in bins of equal mass, lowest confidence first."""
    order = np.argsort(confidence, kind="stable")
    return [
        ReliabilityPoint(n=len(rows), confidence=float(confidence[rows].mean()), accuracy=float(correct[rows].mean()))
        for rows in np.array_split(order, n_bins)
        if len(rows)
    ]


def calibration_error(confidence: Floats, correct: Flags, *, n_bins: int = N_BINS) -> float:
    """Return the expected calibration error (Guo et al. 2017) of the best answers over bins of equal mass."""
    points = reliability(confidence, correct, n_bins=n_bins)
    return float(sum(p.n * abs(p.confidence - p.accuracy) for p in points) / max(1, len(confidence)))


def expected_noise(confidence: Floats, *, n_bins: int = N_BINS, n_draws: int = 200, seed: int = 0) -> float:
    """Return the calibration error that a perfectly calibrated model would show on these rows by chance alone."""
    rng = np.random.default_rng(seed)
    draws = rng.random((n_draws, len(confidence))) < confidence
    return float(np.mean([calibration_error(confidence, draw, n_bins=n_bins) for draw in draws]))


@dataclass(frozen=True, kw_only=True)
class RiskCoverage:
    """Error rate `risk[i]` among the surest `coverage[i]` of the rows, that is all with `threshold[i]` or more."""

    coverage: Floats
    risk: Floats
    threshold: Floats

    def coverage_at(self, budget: float) -> float:
        """Return the largest coverage whose risk is at most `budget`; 0 if there is none.

        The best threshold is looked up on the very rows it is measured on, so this is what the ranking allows, a
        little more than a threshold chosen beforehand will give.
        """
        allowed = self.coverage[self.risk <= budget]
        return float(allowed.max()) if len(allowed) else 0.0


def risk_coverage(confidence: Floats, correct: Flags) -> RiskCoverage:
    """Return the risk-coverage curve (El-Yaniv and Wiener 2010); rows of equal confidence are accepted together."""
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    wrong = np.cumsum(~correct[order])
    last_of_ties = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    accepted = last_of_ties + 1
    return RiskCoverage(
        coverage=accepted / len(confidence), risk=wrong[last_of_ties] / accepted, threshold=ordered[last_of_ties]
    )


def plain(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return dataclass rows as JSON-ready mappings, figures rounded to four places."""
    return [
        {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(row).items()}
        for row in rows
    ]
