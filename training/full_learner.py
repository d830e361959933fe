"""The whole model as a learner for cross-validation: fine-tuning, linear branch and blend, repeated on other rows.

Each call trains for as long as the run it repeats.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from nlp.petition import HEADS, Head
from nlp.taxonomy import Taxonomy
from training.calibrate import fit_calibration
from training.classifier import label_arrays, load_run, run_settings
from training.data import Example
from training.export import fit_linear_branch
from training.finetune import finetune
from training.folds import Learner
from training.linear import feature_matrix
from training.settings import RecipeError
from training.split import Split

_HELD_SHARE = 10
"""One group in so many is held back to fit the blend."""


def full_learner(run: Path, taxonomy: Taxonomy) -> Learner:
    """Return a learner that repeats the fine-tuning run in folder `run` on the rows it is given.

    Raises RecipeError if the run went on from another: weights that have learnt all rows know every held fold.
    """
    settings = run_settings(run)
    if settings.start is not None:
        raise RecipeError(
            f"{run} went on from {settings.start}, whose weights have learnt the rows of every fold; "
            "cross-validate a run that was fine-tuned without start"
        )

    def learn(rows: Sequence[Example], texts: Sequence[str]) -> Mapping[Head, NDArray[np.int64]]:
        held = [e for e in rows if crc32(e.group.encode()) % _HELD_SHARE == 0]
        fit = [e for e in rows if crc32(e.group.encode()) % _HELD_SHARE]
        shares: dict[Split, Sequence[Example]] = {"fit": fit, "calibration": held}
        with tempfile.TemporaryDirectory() as folder:
            trained = load_run(finetune(settings, run=Path(folder), console=Console(), dealt=shares), taxonomy)
            held_encoder, encoder = (trained.logits(part) for part in ([e.text for e in held], texts))
        branch = fit_linear_branch(fit, taxonomy)
        held_linear, linear = (
            branch.scores(feature_matrix(part, branch.vocabulary)) for part in ([e.text for e in held], texts)
        )
        truth = {head: labels for head, labels in label_arrays(held, taxonomy).items() if head in HEADS}
        calibration = fit_calibration({head: held_encoder[head] for head in HEADS}, held_linear, truth, taxonomy.labels)
        scores = calibration.scores({head: encoder[head] for head in HEADS}, linear)
        return {head: scores.probabilities[head].argmax(axis=1) for head in HEADS}

    return learn
