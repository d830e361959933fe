"""Who is measured: the router as served, its blend before routing law, each branch alone, and the baselines.

All of them answer the same rows. The bundle is run by `nlp.runtime`, exactly as it is served. What has no calibration
of its own (a branch alone, a baseline) gets one temperature per head, fitted on the held messages, so that all
systems are compared fairly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.bundle import Bundle
from nlp.calibrate import Calibration, rank, softmax
from nlp.petition import HEADS, Head, Scores, Suggestion
from nlp.runtime import Runtime
from nlp.taxonomy import Taxonomy
from training.baselines import KINDS, fit_baseline
from training.calibrate import fit_blend, fit_blends, fit_calibration
from training.classifier import label_arrays
from training.data import Example
from training.readings import stack

Floats = NDArray[np.float32]
ByHead = Mapping[Head, Floats]

MODEL, BLEND, ENCODER, LINEAR = "model", "blend", "encoder", "linear"
N_BEST = 3


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a system says on one task: `probabilities` (rows, labels) and label indices `best` (rows, 3), best first."""

    probabilities: Floats
    best: NDArray[np.int64]

    @classmethod
    def of(cls, probabilities: Floats) -> "Answers":
        """Return the answers of a system that just takes what is most probable."""
        order = (-probabilities).argsort(axis=1, kind="stable")[:, :N_BEST]
        return cls(probabilities=probabilities, best=np.asarray(order, dtype=np.int64))

    def take(self, rows: Sequence[int]) -> "Answers":
        """Return the answers on some of the rows."""
        return Answers(probabilities=self.probabilities[rows], best=self.best[rows])

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The answer of each row."""
        return self.best[:, 0]

    @property
    def confidence(self) -> Floats:
        """The probability of the answer of each row."""
        return self.probabilities[np.arange(len(self.best)), self.predicted]


@dataclass(frozen=True, kw_only=True)
class System:
    """What one system says on every head."""

    name: str
    answers: Mapping[Head, Answers]


def served_system(suggestions: Sequence[Suggestion], taxonomy: Taxonomy) -> System:
    """Return what the router answered: the blend, and what routing law makes of it.

    A suggestion carries its best candidates only; all other labels count as probability 0.
    """
    answers = {}
    for head in HEADS:
        places = {label: index for index, label in enumerate(taxonomy.labels[head])}
        probabilities = np.zeros((len(suggestions), len(places)), dtype=np.float32)
        best = np.zeros((len(suggestions), N_BEST), dtype=np.int64)
        for row, suggestion in enumerate(suggestions):
            candidates = suggestion.predictions[head].candidates
            found = [places[candidate.code] for candidate in candidates]
            probabilities[row, found] = [candidate.confidence for candidate in candidates]
            # A lone candidate fills all three places, so the others cannot be right by accident.
            best[row] = (found + found[:1] * N_BEST)[:N_BEST]
        answers[head] = Answers(probabilities=probabilities, best=best)
    return System(name=MODEL, answers=answers)


def read_branches(runtime: Runtime, texts: Sequence[str]) -> tuple[ByHead, ByHead]:
    """Return the raw scores (texts, labels) of the bundle's encoder and linear branch; one by one as when served."""
    return stack([runtime.read(text) for text in texts])


def bundle_systems(
    bundle: Bundle, *, held: Sequence[Example], rows: Sequence[Example], taxonomy: Taxonomy, refit: bool = False
) -> list[System]:
    """Return the blend and each of its branches alone on `rows`; `held` fits the temperatures.

    With `refit` it fits the blend too, instead of the bundle's own calibration: for `rows` whose labels that one knows.
    """
    runtime = bundle.runtime()
    truth = {head: labels for head, labels in label_arrays(held, taxonomy).items() if head in HEADS}
    held_encoder, held_linear = read_branches(runtime, [e.text for e in held])
    encoder, linear = read_branches(runtime, [e.text for e in rows])
    calibration = fit_calibration(held_encoder, held_linear, truth, taxonomy.labels) if refit else bundle.calibration()
    held_none, none = _zeros(held_encoder), _zeros(encoder)
    encoder_blends = fit_blends(held_encoder, held_none, truth, taxonomy.labels)
    linear_blends = fit_blends(held_none, held_linear, truth, taxonomy.labels)
    scores = {
        BLEND: calibration.scores(encoder, linear),
        ENCODER: Calibration(blends=encoder_blends, labels=taxonomy.labels).scores(encoder, none),
        LINEAR: Calibration(blends=linear_blends, labels=taxonomy.labels).scores(none, linear),
    }
    return [System(name=name, answers=_ranked(found, taxonomy)) for name, found in scores.items()]


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
        answers = {
            head: Answers.of(softmax(np.float32(temperature(held_scores[head], truth[head])) * scores[head]))
            for head in HEADS
        }
        systems.append(System(name=kind, answers=answers))
    return systems


def temperature(scores: Floats, truth: NDArray[np.int64]) -> float:
    """Return the factor that makes `scores` (rows, labels) the most likely; every row is labelled."""
    everything = np.ones_like(scores, dtype=bool)
    return fit_blend(scores, np.zeros_like(scores), truth, allowed=everything).encoder


def _ranked(scores: Scores, taxonomy: Taxonomy) -> dict[Head, Answers]:
    return {
        head: Answers(probabilities=scores.probabilities[head], best=rank(scores, head, taxonomy.labels)[:, :N_BEST])
        for head in HEADS
    }


def _zeros(scores: ByHead) -> ByHead:
    return {head: np.zeros_like(values) for head, values in scores.items()}
