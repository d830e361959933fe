"""Fit the weights of the two branches per head on the calibration split, by likelihood.

Two weights per head are at once the blend and its temperature (Guo et al. 2017): p = softmax(a * encoder + b * linear).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from nlp.calibrate import Blend, parent_indices
from nlp.petition import HEADS, Head

Floats = NDArray[np.float32]


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
