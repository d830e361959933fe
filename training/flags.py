"""The learned flags: what the annotation guide calls review flags, where enough petitions carry them.

The encoder learns them as yes-or-no outputs beside its heads, the linear branch as one SVM each; a logistic blend per
flag, fitted on the held messages, weighs both with the must-review rule of the same code (nlp/flags.py).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.svm import LinearSVC

from nlp.flags import FlagBlend, FlagModel
from nlp.knowledge import Knowledge
from nlp.petition import Firing
from nlp.runtime import Reading
from training.data import MISSING, Example
from training.linear import UNSEEN

LEARNED = (
    "self_harm",
    "violence_threat",
    "group_event",
    "imminent_safety_risk",
    "official_accusation",
    "repeat_long_history",
    "criminal_suspicion",
    "vulnerable",
    "fraud_finance_mass",
    "death_or_serious_injury",
    "minors",
)
"""Codes with at least fifty petitions to fit; changing them needs a new fine-tuning run."""

URGENT_PRECISION = 0.5
"""The least precision of level S: half of what is reported at once must deserve it …"""
SOONER = {"self_harm": 0.5}
"""… but what may be a farewell is reported from this share of that probability on (docs/decisions/0017)."""
SOUGHT_RECALL = 0.95
"""What share of the petitions that deserve a flag must be raised at some level …"""
LEAST_CHANCE = 0.2
"""… unless the model gives the others less than one chance in five: everybody would be stopped for the last of them."""
LEAST_CHANCES = {
    "self_harm": 0.02,
    "imminent_safety_risk": 0.02,
    "violence_threat": 0.05,
    "group_event": 0.05,
    "official_accusation": 0.1,
}
"""The same where more hangs on it: a life, what is to be reported at once, an accusation sent to the accused
(docs/decisions/0014, 0017)."""
WRITTEN_WEIGHT = 0.1
"""Weight of a written sentence beside a real petition when a blend is fitted."""
N_FOLDS = 5


_RULE_ALONE = FlagBlend(encoder=0.0, linear=0.0, strong=50.0, weak=0.0, bias=-25.0)
"""Says yes exactly where the rule fired at its own level."""

RULES_ALONE = FlagModel(
    blends=dict.fromkeys(LEARNED, _RULE_ALONE),
    look=dict.fromkeys(LEARNED, 1.0),
    urgent=dict.fromkeys(LEARNED, 0.5),
)
"""Leaves every flag to its rule; stands in a bundle until its held messages have been read."""


@dataclass(frozen=True, kw_only=True)
class LinearFlags:
    """One SVM per learned flag: `weights` (n-grams, flags) and `intercepts` (flags,)."""

    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]


def flag_array(examples: Sequence[Example]) -> NDArray[np.int64]:
    """Return 1 or 0 per example and learned flag, shape (examples, flags); -1 where nobody looked for the flag.

    Petitions annotated after the guide carry flags (and a count of appeals); corrections made at the desk do not.
    """
    found = np.full((len(examples), len(LEARNED)), MISSING, dtype=np.int64)
    for row, example in enumerate(examples):
        for place, code in enumerate(LEARNED):
            if example.n_appeals is not None or code in example.looked_for:
                found[row, place] = code in example.flags
    return found


def fit_linear_flags(features: csr_matrix, truth: NDArray[np.int64], *, cost: float = 0.3) -> LinearFlags:
    """Fit the SVMs on TF-IDF rows; flagged rows weigh three times, since they are few."""
    weights = np.zeros((features.shape[1], len(LEARNED)), dtype=np.float32)
    intercepts = np.full(len(LEARNED), UNSEEN, dtype=np.float32)
    for flag in range(len(LEARNED)):
        rows = np.flatnonzero(truth[:, flag] != MISSING)
        wanted = truth[rows, flag]
        if len(np.unique(wanted)) < 2:
            continue
        svm = LinearSVC(C=cost, intercept_scaling=1.0, class_weight={1: 3.0}, max_iter=3000).fit(features[rows], wanted)
        weights[:, flag], intercepts[flag] = svm.coef_[0], svm.intercept_[0]
    return LinearFlags(weights=weights, intercepts=intercepts)


def fit_flag_model(
    readings: Sequence[Reading],
    firings: Sequence[Sequence[Firing]],
    truth: NDArray[np.int64],
    *,
    knowledge: Knowledge,
    n_written: int = 0,
) -> FlagModel:
    """Fit the blends and choose the cuts on rows that neither branch has seen; `truth` as from `flag_array`.

    Cuts are chosen on probabilities of blends fitted without the row. A flag with fewer examples than folds is left to
    its rule. The last `n_written` rows are sentences of ours, most of them alarming: they stand in for what real
    petitions hardly show, count a tenth in the blends, so that probabilities stay those of real petitions, and have no
    say in which probability is urgent.
    """
    real = np.arange(len(truth)) < len(truth) - n_written
    levels = {rule.code: rule.level for rule in knowledge.rules}
    strong, weak = rules_fired(firings, knowledge)
    blends: dict[str, FlagBlend] = {}
    look: dict[str, float] = {}
    urgent_p: list[NDArray[np.float64]] = []
    urgent_truth: list[NDArray[np.int64]] = []
    for flag, code in enumerate(LEARNED):
        scores = [(r.flags.encoder[flag], r.flags.linear[flag]) for r in readings]
        inputs = np.column_stack([np.asarray(scores, dtype=np.float64), strong[:, flag], weak[:, flag]])
        known = truth[:, flag] != MISSING
        inputs, wanted, fires, here = inputs[known], truth[known, flag], (strong | weak)[known, flag], real[known]
        if wanted.sum() < N_FOLDS:
            blends[code], look[code] = _RULE_ALONE, 1.0
            continue
        weights = np.where(here, 1.0, WRITTEN_WEIGHT)
        learner = LogisticRegression(C=1.0, max_iter=1000)
        p = cross_val_predict(
            learner, inputs, wanted, cv=N_FOLDS, method="predict_proba", params={"sample_weight": weights}
        )[:, 1]
        learner.fit(inputs, wanted, sample_weight=weights)
        encoder, linear, with_strong, with_weak = (float(w) for w in learner.coef_[0])
        blends[code] = FlagBlend(
            encoder=encoder, linear=linear, strong=with_strong, weak=with_weak, bias=float(learner.intercept_[0])
        )
        look[code] = max(LEAST_CHANCES.get(code, LEAST_CHANCE), cut_for_recall(p, wanted, fires, recall=SOUGHT_RECALL))
        if levels[code] == "S":
            urgent_p.append(p[here])
            urgent_truth.append(wanted[here])
    cut = 1.0
    if urgent_p:
        cut = cut_for_precision(np.concatenate(urgent_p), np.concatenate(urgent_truth), precision=URGENT_PRECISION)
    urgent = {code: cut * SOONER.get(code, 1.0) for code in LEARNED}
    return FlagModel(blends=blends, look=look, urgent=urgent)


def rules_fired(
    firings: Sequence[Sequence[Firing]], knowledge: Knowledge
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell per text and learned flag whether its rule fired at its own level and whether at a lesser one."""
    own = {rule.code: rule.level for rule in knowledge.rules}
    strong = np.zeros((len(firings), len(LEARNED)), dtype=np.bool_)
    weak = np.zeros_like(strong)
    for row, found in enumerate(firings):
        for firing in found:
            if firing.code in LEARNED:
                (strong if firing.level == own[firing.code] else weak)[row, LEARNED.index(firing.code)] = True
    return strong, weak


def cut_for_precision(p: NDArray[np.float64], truth: NDArray[np.int64], *, precision: float) -> float:
    """Return the lowest cut on `p` (rows,) from which the precision is at least `precision`; 1 if there is none."""
    order = np.argsort(-p, kind="stable")
    reached = np.flatnonzero(np.cumsum(truth[order]) / np.arange(1, len(order) + 1) >= precision)
    return float(p[order[reached[-1]]]) if len(reached) else 1.0


def cut_for_recall(
    p: NDArray[np.float64], truth: NDArray[np.int64], raised: NDArray[np.bool_], *, recall: float
) -> float:
    """Return the highest cut on `p` (rows,) that with what is `raised` anyway finds the share `recall` of the truth."""
    missed = np.sort(p[(truth == 1) & ~raised])[::-1]
    n_wanted = int(np.ceil(recall * truth.sum())) - int((truth[raised] == 1).sum())
    return float(missed[n_wanted - 1]) if n_wanted > 0 else 1.0


def write_flag_model(model: FlagModel, path: Path) -> None:
    """Write flags.json of a bundle."""
    content: Mapping[str, object] = {
        "blends": {code: asdict(blend) for code, blend in model.blends.items()},
        "look": dict(model.look),
        "urgent": dict(model.urgent),
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
