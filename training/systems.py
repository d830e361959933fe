"""Who is measured: the served bundle, each of its branches alone, and the baselines, as probabilities on the same rows.

The bundle is run by `nlp.runtime`, exactly as it is served. What has no calibration of its own (a branch alone, a
baseline) gets one temperature per head, fitted on the calibration split, so that all systems are compared fairly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.bundle import Bundle
from nlp.calibrate import Calibration, softmax
from nlp.petition import HEADS, Head
from nlp.runtime import Runtime
from nlp.taxonomy import Taxonomy
from training.baselines import KINDS, fit_baseline
from training.calibrate import fit_blend, fit_blends
from training.data import Example
from training.export import stack
from training.finetune import label_arrays

Floats = NDArray[np.float32]
ByHead = Mapping[Head, Floats]

MODEL, ENCODER, LINEAR = "model", "encoder", "linear"


@dataclass(frozen=True, kw_only=True)
class System:
    """What one system says: `probabilities[head]` (rows, labels)."""

    name: str
    probabilities: Mapping[Head, Floats]

    def predicted(self, head: Head) -> NDArray[np.int64]:
        """Return the index of the best answer of each row."""
        return np.asarray(self.probabilities[head].argmax(axis=1), dtype=np.int64)

    def confidence(self, head: Head) -> Floats:
        """Return the probability of the best answer of each row."""
        return np.asarray(self.probabilities[head].max(axis=1))


def read_branches(runtime: Runtime, texts: Sequence[str]) -> tuple[ByHead, ByHead]:
    """Return the raw scores (texts, labels) of the bundle's encoder and linear branch; one by one as when served."""
    return stack([runtime.read(text) for text in texts])


def bundle_systems(
    bundle: Bundle, *, held: Sequence[Example], rows: Sequence[Example], taxonomy: Taxonomy
) -> list[System]:
    """Return the bundle and each of its branches alone on `rows`; `held` (calibration split) fits the temperatures."""
    runtime, calibration = bundle.runtime(), bundle.calibration()
    truth = {head: labels for head, labels in label_arrays(held, taxonomy).items() if head in HEADS}
    held_encoder, held_linear = read_branches(runtime, [e.text for e in held])
    encoder, linear = read_branches(runtime, [e.text for e in rows])
    held_none, none = _zeros(held_encoder), _zeros(encoder)
    encoder_blends = fit_blends(held_encoder, held_none, truth, taxonomy.labels)
    linear_blends = fit_blends(held_none, held_linear, truth, taxonomy.labels)
    scores = {
        MODEL: calibration.scores(encoder, linear),
        ENCODER: Calibration(blends=encoder_blends, labels=taxonomy.labels).scores(encoder, none),
        LINEAR: Calibration(blends=linear_blends, labels=taxonomy.labels).scores(none, linear),
    }
    return [System(name=name, probabilities=found.probabilities) for name, found in scores.items()]


def baseline_systems(
    fit: Sequence[Example], *, held: Sequence[Example], rows: Sequence[Example], taxonomy: Taxonomy
) -> list[System]:
    """Return both baselines on `rows`, trained on `fit` with a temperature per head from `held`."""
    labels = {head: [e.labels.get(head) for e in fit] for head in HEADS}
    truth = label_arrays(held, taxonomy)
    systems = []
    for kind in KINDS:
        baseline = fit_baseline(kind, [e.text for e in fit], labels, taxonomy.labels)
        held_scores = baseline.scores([e.text for e in held])
        scores = baseline.scores([e.text for e in rows])
        probabilities = {
            head: softmax(np.float32(temperature(held_scores[head], truth[head])) * scores[head]) for head in HEADS
        }
        systems.append(System(name=kind, probabilities=probabilities))
    return systems


def temperature(scores: Floats, truth: NDArray[np.int64]) -> float:
    """Return the factor that makes `scores` (rows, labels) the most likely; every row is labelled."""
    everything = np.ones_like(scores, dtype=bool)
    return fit_blend(scores, np.zeros_like(scores), truth, allowed=everything).encoder


def _zeros(scores: ByHead) -> ByHead:
    return {head: np.zeros_like(values) for head, values in scores.items()}
