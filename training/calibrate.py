"""Fit the weights of the two branches per head, and what the heads tell one another, on the held messages.

Two weights per head are at once the blend and its temperature (Guo et al. 2017): p = softmax(a * encoder + b * linear).
The shifts on top (biases per class as in Alexandari et al. 2020, and weights on the first answers of all heads) are
held small by a penalty: docs/decisions/0011-heads-that-listen.md says what they bring and how its size was chosen.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from nlp.calibrate import SHIFTED, Blend, Calibration, Shift, parent_indices, side_by_side
from nlp.petition import HEADS, Head

Floats = NDArray[np.float32]

BIAS_PENALTY = 0.01
WEIGHT_PENALTY = 0.003
PENALTY_ROWS = 1_141
"""Rows of the split that the penalties were chosen on; with fewer rows they weigh more, as a prior does."""


def fit_calibration(
    encoder: Mapping[Head, Floats],
    linear: Mapping[Head, Floats],
    truth: Mapping[Head, NDArray[np.int64]],
    labels: Mapping[Head, tuple[str, ...]],
    *,
    penalties: tuple[float, float] = (BIAS_PENALTY, WEIGHT_PENALTY),
) -> Calibration:
    """Return blends and shifts of every head; scores are (rows, labels), truth (rows,) with every row labelled.

    `penalties` weigh the squares of biases and weights beside the mean loss of `PENALTY_ROWS` rows.
    """
    blends = fit_blends(encoder, linear, truth, labels)
    first = Calibration(blends=blends, labels=labels)
    said = side_by_side(first.scores(encoder, linear).probabilities)
    shifts: dict[Head, Shift] = {}
    for head in SHIFTED:
        logits = blends[head].encoder * encoder[head] + blends[head].linear * linear[head]
        shifts[head] = _fit_shift(logits, said, truth[head], penalties=penalties)
    return Calibration(blends=blends, labels=labels, shifts=shifts)


def fit_blends(
    encoder: Mapping[Head, Floats],
    linear: Mapping[Head, Floats],
    truth: Mapping[Head, NDArray[np.int64]],
    labels: Mapping[Head, tuple[str, ...]],
) -> dict[Head, Blend]:
    """Return the blend of every head; scores are (rows, labels), truth (rows,) with every row labelled."""
    parents = parent_indices(labels)
    blends: dict[Head, Blend] = {}
    for head in HEADS:
        allowed = np.ones_like(encoder[head], dtype=bool)
        if head == "category_l2":
            # The second level is calibrated among the siblings of the true first level, as it is used.
            allowed = parents[None, :] == parents[truth[head]][:, None]
        blends[head] = fit_blend(encoder[head], linear[head], truth[head], allowed=allowed)
    return blends


def fit_blend(encoder: Floats, linear: Floats, truth: NDArray[np.int64], *, allowed: NDArray[np.bool_]) -> Blend:
    """Return the non-negative weights with the least negative log-likelihood of `truth` among `allowed` labels."""
    rows = np.arange(len(truth))

    def loss(weights: Sequence[float]) -> float:
        logits = np.where(allowed, weights[0] * encoder + weights[1] * linear, -np.inf)
        shifted = logits - logits.max(axis=1, keepdims=True)
        return float((np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, truth]).mean())

    found = minimize(loss, x0=(0.5, 1.5), method="L-BFGS-B", bounds=[(0.0, 20.0), (0.0, 20.0)])
    return Blend(encoder=float(found.x[0]), linear=float(found.x[1]))


def _fit_shift(logits: Floats, said: Floats, truth: NDArray[np.int64], *, penalties: tuple[float, float]) -> Shift:
    """Return the shift of `logits` (rows, K) from what was `said` (rows, all labels) with the least penalised loss."""
    bias_penalty, weight_penalty = (penalty * PENALTY_ROWS / len(truth) for penalty in penalties)
    rows, n_labels, n_said = np.arange(len(truth)), logits.shape[1], said.shape[1]
    middle = said.mean(axis=0)
    centred = (said - middle).astype(np.float64)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        bias, weight = flat[:n_labels], flat[n_labels:].reshape(n_said, n_labels)
        shifted = logits + bias + centred @ weight
        shifted -= shifted.max(axis=1, keepdims=True)
        probabilities = np.exp(shifted)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        value = -np.log(probabilities[rows, truth] + 1e-12).mean()
        value += bias_penalty * (bias**2).sum() + weight_penalty * (weight**2).sum()
        error = probabilities
        error[rows, truth] -= 1
        error /= len(truth)
        slopes = [
            error.sum(axis=0) + 2 * bias_penalty * bias,
            (centred.T @ error + 2 * weight_penalty * weight).ravel(),
        ]
        return float(value), np.concatenate(slopes)

    found = minimize(loss, x0=np.zeros(n_labels * (1 + n_said)), jac=True, method="L-BFGS-B").x
    weight = found[n_labels:].reshape(n_said, n_labels)
    bias = found[:n_labels] - middle @ weight
    return Shift(bias=bias.astype(np.float32), weight=weight.astype(np.float32))
