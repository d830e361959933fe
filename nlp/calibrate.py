"""From raw scores of both branches to probabilities.

Per head two weights are fitted on held messages, one per branch: p = softmax(a * encoder + b * linear). They
are at once the blend of the branches and its temperature (Guo et al. 2017). What these first answers of all heads say
together shifts each head once more (stacking, Wolpert 1992): a suggestion is seldom handled by a court, and a class
that both branches overrate is lowered. A second-level class gets its first-level
class's probability times its own share among its siblings, so that the second level sums to the first; and the best
second-level class is looked for under the best first-level class, so that the two answers never contradict each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from nlp.petition import HEADS, Head, Scores
from nlp.taxonomy.records import SEPARATOR

Floats = NDArray[np.float32]

SHIFTED: tuple[Head, ...] = tuple(head for head in HEADS if head != "category_l2")
"""The heads that listen to the others; the second level follows its first level anyway."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Blend:
    """Weights of the two branches of one head; raises ValueError unless both are finite and not negative."""

    encoder: float
    linear: float

    def __post_init__(self) -> None:
        """Refuse weights that turn an answer round or into nothing."""
        if not all(is_number(weight) and weight >= 0 for weight in (self.encoder, self.linear)):
            raise ValueError(f"weights must be numbers of at least 0, got {self.encoder!r} and {self.linear!r}")


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Added to the K logits of one head: `bias` (K,) and the first answers of all heads @ `weight` (all labels, K).

    Raises ValueError unless all numbers are finite.
    """

    bias: Floats
    weight: Floats

    def __post_init__(self) -> None:
        """Refuse what would turn every answer into nothing."""
        if not (np.isfinite(self.bias).all() and np.isfinite(self.weight).all()):
            raise ValueError("shifts must be finite numbers")


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The blends of all heads, their shifts (none: the blends' answers stand) and the label order they refer to."""

    blends: Mapping[Head, Blend]
    labels: Mapping[Head, tuple[str, ...]]
    shifts: Mapping[Head, Shift] = field(default_factory=dict)

    def scores(self, encoder: Mapping[Head, Floats], linear: Mapping[Head, Floats]) -> Scores:
        """Return calibrated probabilities; inputs hold raw scores (labels,) or (rows, labels) per head."""
        logits = {
            head: self.blends[head].encoder * encoder[head] + self.blends[head].linear * linear[head] for head in HEADS
        }
        first = self._probabilities(logits)
        if not self.shifts:
            return Scores(probabilities=first)
        said = side_by_side(first)
        shifted = logits | {
            head: logits[head] + shift.bias + said @ shift.weight for head, shift in self.shifts.items()
        }
        return Scores(probabilities=self._probabilities(shifted))

    def _probabilities(self, logits: Mapping[Head, Floats]) -> dict[Head, Floats]:
        found: dict[Head, Floats] = {head: softmax(logits[head]) for head in SHIFTED}
        found["category_l2"] = share_among_siblings(
            logits["category_l2"], found["category_l1"], parent_indices(self.labels)
        )
        return found


def side_by_side(probabilities: Mapping[Head, Floats]) -> Floats:
    """Return the probabilities of all heads in one array (…, labels of all heads), in the order of HEADS."""
    return np.concatenate([probabilities[head] for head in HEADS], axis=-1)


def rank(scores: Scores, head: Head, labels: Mapping[Head, tuple[str, ...]]) -> NDArray[np.int64]:
    """Return the label indices of one head, best first, shape (labels,) or (rows, labels).

    Second-level classes under the best first-level class come before all others.
    """
    key = scores.probabilities[head]
    if head == "category_l2":
        first = scores.probabilities["category_l1"].argmax(axis=-1)
        # Probabilities end at 1, so no class outside can overtake.
        key = key + 2 * (parent_indices(labels) == first[..., None])
    return np.asarray((-key).argsort(axis=-1, kind="stable"), dtype=np.int64)


def best_label(scores: Scores, head: Head, labels: Mapping[Head, tuple[str, ...]]) -> NDArray[np.int64]:
    """Return the label index of one head that `rank` puts first, a number or (rows,)."""
    return np.asarray(rank(scores, head, labels)[..., 0], dtype=np.int64)


def is_number(value: object) -> bool:
    """Tell whether `value`, as read from a JSON file, is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def softmax(logits: Floats) -> Floats:
    """Return the softmax over the last axis."""
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True), dtype=np.float32)


def parent_indices(labels: Mapping[Head, tuple[str, ...]]) -> NDArray[np.int64]:
    """Return for every second-level label the index of its first-level label, shape (labels of category_l2,)."""
    first = {label: index for index, label in enumerate(labels["category_l1"])}
    return np.asarray([first[label.partition(SEPARATOR)[0]] for label in labels["category_l2"]])


def share_among_siblings(logits: Floats, parent_probabilities: Floats, parents: NDArray[np.int64]) -> Floats:
    """Return P(l2) = P(l1) * softmax of `logits` among the siblings under l1, over the last axis."""
    result = np.empty_like(logits, dtype=np.float32)
    for parent in np.unique(parents):
        members = np.flatnonzero(parents == parent)
        result[..., members] = softmax(logits[..., members]) * parent_probabilities[..., [parent]]
    return result
