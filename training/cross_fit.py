"""Fit what makes answers of scores on the held messages, and choose the thresholds on answers that did not know them.

Calibration and flags are fitted on all labelled messages of the splits `calibration` and `thresholds`. The thresholds
are chosen on the same messages, each answered with a calibration and flags fitted on the other folds (cross-fitting,
Chernozhukov et al. 2018): twice the rows of either split alone (docs/decisions/0016-cross-fitted-thresholds.md).
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.progress import track

from nlp.bundle import Bundle
from nlp.calibrate import Calibration
from nlp.decide import Thresholds, joint_confidence
from nlp.flags import FlagModel
from nlp.knowledge import Knowledge, load_knowledge
from nlp.petition import HEADS, Firing, Masked, Suggestion
from nlp.prepare import prepare
from nlp.router import Router
from nlp.rules import find_firings
from nlp.runtime import Reading, Runtime
from nlp.taxonomy import Taxonomy
from training.calibrate import fit_calibration
from training.classifier import label_arrays
from training.data import Example, read_urgent_sentences
from training.figures import BUDGET, JOINT
from training.flags import fit_flag_model, flag_array
from training.folds import deal_folds, joined_groups
from training.readings import read_all, stack
from training.thresholds import choose_threshold

MIN_CHARACTERS = 10
JOINT_BUDGET = 0.10
OTHER_BUDGETS = (0.05,)
"""What an office may choose instead (PETITION_ERROR_BUDGET)."""
DELTA = 0.05
KNOWN_SHARE_QUANTILE = 0.002


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a bundle decides with."""

    calibration: Calibration
    flags: FlagModel
    thresholds: Thresholds


@dataclass(frozen=True, kw_only=True)
class Held:
    """Examples that neither branch has learnt, what the runtime reads from their masked texts and which rules fire."""

    examples: Sequence[Example]
    masked: Sequence[Masked]
    readings: Sequence[Reading]
    firings: Sequence[Sequence[Firing]]

    def take(self, rows: Sequence[int]) -> "Held":
        """Return only `rows`."""
        return Held(
            examples=[self.examples[row] for row in rows],
            masked=[self.masked[row] for row in rows],
            readings=[self.readings[row] for row in rows],
            firings=[self.firings[row] for row in rows],
        )


def cross_fit(bundle: Bundle, examples: Sequence[Example], taxonomy: Taxonomy) -> Fitted:
    """Return calibration, flags and thresholds for the draft `bundle`, whose branches have not learnt `examples`."""
    runtime, knowledge = bundle.runtime(), load_knowledge()
    held = read_held(runtime, examples, knowledge, title="held messages")
    sentences = read_held(runtime, read_urgent_sentences("dev"), knowledge, title="sentences")
    lenient = _asking_nothing(runtime, examples)
    answers: dict[int, Suggestion] = {}
    folds = deal_folds(examples, joined_groups(examples))
    for learnt, left in track(folds, description="folds"):
        part = held.take(learnt.tolist())
        router = Router(
            bundle=bundle,
            taxonomy=taxonomy,
            knowledge=knowledge,
            runtime=runtime,
            calibration=_calibration(part, taxonomy),
            thresholds=lenient,
            flags=fit_flags(part, sentences, knowledge),
        )
        for row in left.tolist():
            answers[row] = router.conclude(examples[row].petition, held.masked[row], held.readings[row])
    return Fitted(
        calibration=_calibration(held, taxonomy),
        flags=fit_flags(held, sentences, knowledge),
        thresholds=thresholds_within_budgets([answers[row] for row in range(len(examples))], examples, lenient),
    )


def thresholds_within_budgets(
    answers: Sequence[Suggestion], examples: Sequence[Example], lenient: Thresholds
) -> Thresholds:
    """Return `lenient` with the thresholds that keep its budgets on `answers` to `examples`, given under `lenient`.

    The joint threshold is chosen among the petitions that nothing but confidence would send to review, which is where
    it will act; a channel that the annotation accepts as an alternative counts as right, since the petitioner may
    choose it. docs/decisions/0006-error-budgets.md says why the joint budget is what it is.
    """
    delta = 1 - lenient.confidence_level
    free = np.asarray([answer.decision.action == "auto" for answer in answers])
    correct = {
        head: np.asarray(
            [a.predictions[head].best.code == e.labels[head] for a, e in zip(answers, examples, strict=True)]
        )
        for head in HEADS
    }
    confidence = {head: np.asarray([a.predictions[head].best.confidence for a in answers]) for head in HEADS}
    joint = np.asarray([joint_confidence(answer.predictions, JOINT) for answer in answers])
    accepted = [a.predictions["channel"].best.code in e.accepted for a, e in zip(answers, examples, strict=True)]
    lawful = correct["channel"] | np.asarray(accepted)
    joint_correct = np.logical_and.reduce([lawful if head == "channel" else correct[head] for head in JOINT])

    def chosen(budget: float) -> float | None:
        return choose_threshold(joint[free], joint_correct[free], budget=budget, delta=delta)

    return dataclasses.replace(
        lenient,
        joint=chosen(lenient.budget),
        other_budgets={f"{budget:g}": chosen(budget) for budget in OTHER_BUDGETS},
        per_head={
            head: choose_threshold(confidence[head], correct[head], budget=lenient.per_head_budget, delta=delta)
            for head in HEADS
        },
    )


def _asking_nothing(runtime: Runtime, examples: Sequence[Example]) -> Thresholds:
    """Return thresholds that ask for no confidence, but for texts as long and as familiar as those served will be."""
    shares = [runtime.vocabulary.features(example.text)[2] for example in examples]
    return Thresholds(
        budget=JOINT_BUDGET,
        confidence_level=1 - DELTA,
        needed=JOINT,
        joint=0.0,
        per_head=dict.fromkeys(HEADS, 0.0),
        min_characters=MIN_CHARACTERS,
        min_known_share=round(float(np.quantile(shares, KNOWN_SHARE_QUANTILE)), 4),
        per_head_budget=BUDGET,
    )


def read_held(runtime: Runtime, examples: Sequence[Example], knowledge: Knowledge, *, title: str) -> Held:
    """Read `examples` with the serving runtime and find the rules that fire in them."""
    masked = [prepare(example.petition) for example in examples]
    return Held(
        examples=examples,
        masked=masked,
        readings=read_all(runtime, examples, title=title),
        firings=[find_firings(text, knowledge=knowledge) for text in masked],
    )


def _calibration(held: Held, taxonomy: Taxonomy) -> Calibration:
    encoder, linear = stack(held.readings)
    truth = label_arrays(held.examples, taxonomy)
    return fit_calibration(encoder, linear, {head: truth[head] for head in HEADS}, taxonomy.labels)


def fit_flags(held: Held, sentences: Held, knowledge: Knowledge) -> FlagModel:
    """Fit the flags on held messages and on our own `sentences`."""
    return fit_flag_model(
        [*held.readings, *sentences.readings],
        [*held.firings, *sentences.firings],
        flag_array([*held.examples, *sentences.examples]),
        knowledge=knowledge,
        n_written=len(sentences.examples),
    )
