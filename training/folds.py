"""Grouped cross-validation and the learning curve: how much hangs on the split and on the number of labels.

Folds are dealt from labelled messages outside the frozen test split, on which the curve is measured; petitions written
by us help to fit and are never measured on. The learner is a function, so the fast linear branch and a full fine-tuning
run (hours) go through the same lines.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from nlp.calibrate import best_label, softmax
from nlp.petition import HEADS, Head, Scores
from nlp.taxonomy import Taxonomy
from training.classifier import label_arrays
from training.data import MISSING, Example
from training.linear import feature_matrix, fit_linear_branch
from training.measures import accuracy, macro_f1
from training.split import HELD, Split, duplicate_families

Learner = Callable[[Sequence[Example], Sequence[str]], Mapping[Head, NDArray[np.int64]]]
"""Learns from labelled examples and returns the label indices it answers for the texts, per head."""

SHARES = (0.1, 0.25, 0.5, 1.0)

SECOND_LEVEL = "within first"
"""How learners answer the second level: as served, under their first. Figures that do not say so took the likeliest."""


def linear_learner(taxonomy: Taxonomy) -> Learner:
    """Return the linear branch, as bundles carry it, as a learner."""

    def learn(fit: Sequence[Example], texts: Sequence[str]) -> Mapping[Head, NDArray[np.int64]]:
        branch = fit_linear_branch(fit, taxonomy)
        raw = branch.scores(feature_matrix(texts, branch.vocabulary))
        scores = Scores(probabilities={head: softmax(raw[head]) for head in HEADS})
        return {head: best_label(scores, head, taxonomy.labels) for head in HEADS}

    return learn


def cross_validate(
    learner: Learner,
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    *,
    fit_only: Sequence[Example] = (),
    n_folds: int = 5,
    seed: int = 0,
) -> dict[str, Any]:
    """Return accuracy and macro-F1 per head and fold; near-duplicates never stand in two folds.

    Folds are stratified by the first-level category. `fit_only` is learnt in every fold, but for what nearly repeats a
    held row. Each head has the folds' figures, their mean and their standard deviation.
    """
    labelled = [e for e in examples if "category_l1" in e.labels]
    joined = joined_groups([*labelled, *fit_only])
    groups, fit_only_groups = joined[: len(labelled)], joined[len(labelled) :]
    figures = []
    for fit, held in deal_folds(labelled, groups, n_folds=n_folds, seed=seed):
        held_rows, held_groups = [labelled[i] for i in held], {groups[i] for i in held}
        learnt = [labelled[i] for i in fit]
        learnt += [e for e, group in zip(fit_only, fit_only_groups, strict=True) if group not in held_groups]
        figures.append(_figures(learner(learnt, [e.text for e in held_rows]), held_rows, taxonomy))
    return {
        head: {
            measure: {
                "folds": [fold[head][measure] for fold in figures],
                "mean": round(float(np.mean([fold[head][measure] for fold in figures])), 4),
                "deviation": round(float(np.std([fold[head][measure] for fold in figures], ddof=1)), 4),
            }
            for measure in ("accuracy", "macro_f1")
        }
        for head in HEADS
    }


def learning_curve(
    learner: Learner,
    fit: Sequence[Example],
    held: Sequence[Example],
    taxonomy: Taxonomy,
    *,
    fit_only: Sequence[Example] = (),
    shares: Sequence[float] = SHARES,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return accuracy and macro-F1 on `held` after learning from growing shares of the labelled rows of `fit`.

    Each share contains the smaller ones, and all of `fit_only`, which `rows` does not count.
    """
    labelled = [e for e in fit if e.labels]
    order = np.random.default_rng(seed).permutation(len(labelled))
    held_rows = [e for e in held if e.labels]
    points = []
    for share in shares:
        chosen = [labelled[i] for i in order[: max(1, round(share * len(labelled)))]]
        figures = _figures(learner([*chosen, *fit_only], [e.text for e in held_rows]), held_rows, taxonomy)
        points.append({"share": share, "rows": len(chosen), "heads": figures})
    return points


def repeat_figures(
    learner: Learner, dealt: Mapping[Split, Sequence[Example]], taxonomy: Taxonomy, *, frozen: Mapping[str, Split]
) -> dict[str, Any]:
    """Return five-fold cross-validation over all messages but the test rows, and the learning curve on the test rows.

    What the `frozen` splits do not name (our own written petitions) helps to fit in every fold and at every point.
    """
    fit, fit_only = ([e for e in dealt["fit"] if e.labels and (e.id in frozen) == named] for named in (True, False))
    held = [e for split in HELD for e in dealt[split]]
    return {
        "fit_only": len(fit_only),
        "second_level": SECOND_LEVEL,
        "folds": cross_validate(learner, [*fit, *held], taxonomy, fit_only=fit_only),
        "curve": learning_curve(learner, fit, dealt["test"], taxonomy, fit_only=fit_only),
    }


def deal_folds(
    examples: Sequence[Example], groups: Sequence[str], *, n_folds: int = 5, seed: int = 0
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the rows to learn and the rows held back of every fold, stratified by the first-level category.

    Rows of one of `groups` (one name per row) are never dealt to both sides.
    """
    folds = StratifiedGroupKFold(n_splits=n_folds, shuffle=True, random_state=seed)
    strata = _strata(examples, n_folds)
    return list(folds.split(strata, strata, groups))


def joined_groups(examples: Sequence[Example]) -> list[str]:
    """Return one group per row: the given near-duplicate groups, joined where our own search links them further."""
    home = {e.id: family for family, members in duplicate_families(examples).items() for e in members}
    return [home[e.id] for e in examples]


def _strata(examples: Sequence[Example], n_folds: int) -> list[str]:
    """Return the first-level category of each row; categories too rare for every fold join the most frequent one."""
    categories = [e.labels["category_l1"] for e in examples]
    counts = Counter(categories)
    most_frequent = counts.most_common(1)[0][0]
    return [category if counts[category] >= n_folds else most_frequent for category in categories]


def _figures(
    answers: Mapping[Head, NDArray[np.int64]], rows: Sequence[Example], taxonomy: Taxonomy
) -> dict[Head, dict[str, float]]:
    found: dict[Head, dict[str, float]] = {}
    for head in HEADS:
        truth = label_arrays(rows, taxonomy)[head]
        known = truth != MISSING
        found[head] = {
            "accuracy": round(accuracy(truth[known], answers[head][known]), 4),
            "macro_f1": round(macro_f1(truth[known], answers[head][known]), 4),
        }
    return found
