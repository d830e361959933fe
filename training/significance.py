"""How sure are the figures? Bootstrap intervals and tests between two systems on the same rows.

Near-duplicates of one message are not independent, so the bootstrap draws whole near-duplicate groups.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

Indices = NDArray[np.int64]
Statistic = Callable[[Indices], float]
"""Computes a figure from the row numbers drawn."""

N_DRAWS = 1000


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A figure with its 95 % percentile bootstrap interval."""

    value: float
    low: float
    high: float

    def plain(self) -> dict[str, float]:
        """Return the JSON form."""
        return {"value": round(self.value, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


def bootstrap(statistic: Statistic, groups: Sequence[Hashable], *, n_draws: int = N_DRAWS, seed: int = 0) -> Interval:
    """Return `statistic` over all rows with its 95 % interval; `groups` names the near-duplicate group of each row."""
    values = [statistic(rows) for rows in draw_rows(groups, n_draws=n_draws, seed=seed)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(value=statistic(np.arange(len(groups))), low=float(low), high=float(high))


@dataclass(frozen=True, kw_only=True)
class Difference:
    """By how much a figure of one system exceeds another's, with interval and two-sided bootstrap p-value."""

    value: float
    low: float
    high: float
    p: float

    def plain(self) -> dict[str, float]:
        """Return the JSON form."""
        return {
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "p": round(self.p, 4),
        }


def paired_bootstrap(
    first: Statistic, second: Statistic, groups: Sequence[Hashable], *, n_draws: int = N_DRAWS, seed: int = 0
) -> Difference:
    """Return `first` minus `second`, both computed on the same drawn rows (Efron and Tibshirani 1993, ch. 16).

    The p-value is twice the smaller tail beyond zero and never below 1 / `n_draws`.
    """
    values = np.asarray([first(rows) - second(rows) for rows in draw_rows(groups, n_draws=n_draws, seed=seed)])
    low, high = np.nanpercentile(values, [2.5, 97.5])
    tail = min(float((values <= 0).mean()), float((values >= 0).mean()))
    everything = np.arange(len(groups))
    return Difference(
        value=first(everything) - second(everything),
        low=float(low),
        high=float(high),
        p=min(1.0, max(2 * tail, 1 / n_draws)),
    )


@dataclass(frozen=True, kw_only=True)
class McNemar:
    """Rows only one of two systems got right, and the exact two-sided p-value of such a split."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first_correct: NDArray[np.bool_], second_correct: NDArray[np.bool_]) -> McNemar:
    """Compare the accuracy of two systems on the same rows by the exact McNemar test."""
    only_first = int((first_correct & ~second_correct).sum())
    only_second = int((~first_correct & second_correct).sum())
    n = only_first + only_second
    p = float(binomtest(only_first, n).pvalue) if n else 1.0
    return McNemar(only_first=only_first, only_second=only_second, p=p)


def draw_rows(groups: Sequence[Hashable], *, n_draws: int, seed: int) -> Iterator[Indices]:
    """Yield `n_draws` samples of row numbers, each made of as many groups as there are, drawn with replacement."""
    places: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        places.setdefault(group, []).append(row)
    members = [np.asarray(rows, dtype=np.int64) for rows in places.values()]
    rng = np.random.default_rng(seed)
    singles = all(len(rows) == 1 for rows in members)
    for _ in range(n_draws):
        drawn = rng.integers(len(members), size=len(members))
        yield drawn if singles else np.concatenate([members[group] for group in drawn])
