"""The public seven-class task: our model against the usual baseline, on the frozen test rows.

The data set's own labels are learned by the auxiliary head of a fine-tuning run (fp32, as trained) and by the baseline
SVM; the blend of the two is weighted on the calibration split. Neither is part of the bundle, which serves the fifteen
classes: what these figures tell is how good the encoder is that the bundle was made from.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.bundle import Bundle
from nlp.calibrate import softmax
from nlp.taxonomy import Taxonomy
from training.baselines import fit_baseline
from training.calibrate import fit_blend
from training.classifier import PUBLIC_CATEGORIES, FinetuneSettings, label_arrays, load_run, run_settings
from training.data import Example
from training.figures import task_figures
from training.settings import RecipeError, build
from training.significance import N_DRAWS
from training.split import Split
from training.systems import Answers, temperature

TASK = "public"
"""Name of the auxiliary head and of the baselines' task."""

BLEND, AUXILIARY = "public_blend", "public_auxiliary"
"""Names of the two systems that are measured here and served nowhere."""


def check_origin(bundle: Bundle, run: Path) -> None:
    """Raise RecipeError unless the settings of `run` are those that `bundle` was exported with."""
    origin = build(FinetuneSettings, bundle.settings.get("settings", {}), source=str(bundle.folder / "settings.json"))
    found = run_settings(run)
    others = [name for name, value in vars(found).items() if value != getattr(origin, name)]
    if others:
        told = ", ".join(f"{name} is {getattr(found, name)} and was {getattr(origin, name)}" for name in others)
        raise RecipeError(f"{run} is not the run that {bundle.folder} was exported from: {told}")


def evaluate_public(
    run: Path, dealt: dict[Split, list[Example]], taxonomy: Taxonomy, *, n_draws: int = N_DRAWS
) -> dict[str, Any]:
    """Return the figures of the fine-tuning run in folder `run` on the public task, beside the baseline's."""
    fit, held, rows = (
        [e for e in dealt[name] if e.public_category in PUBLIC_CATEGORIES] for name in ("fit", "calibration", "test")
    )
    truth, held_truth = (label_arrays(part, taxonomy)[TASK] for part in (rows, held))
    baseline = fit_baseline(
        "char_svm",
        [e.text for e in fit],
        {TASK: [e.public_category for e in fit]},
        {TASK: PUBLIC_CATEGORIES},
    )
    linear_held, linear = (baseline.scores([e.text for e in part])[TASK] for part in (held, rows))
    encoder_held, encoder = _encoder_logits(run, [held, rows], taxonomy)
    both = fit_blend(encoder_held, linear_held, held_truth, allowed=np.ones_like(linear_held, dtype=bool))
    answers = {
        BLEND: Answers.of(softmax(np.float32(both.encoder) * encoder + np.float32(both.linear) * linear)),
        AUXILIARY: Answers.of(softmax(np.float32(temperature(encoder_held, held_truth)) * encoder)),
        "char_svm": Answers.of(softmax(np.float32(temperature(linear_held, held_truth)) * linear)),
    }
    return task_figures(truth, answers, [e.group for e in rows], PUBLIC_CATEGORIES, n_draws=n_draws)


def _encoder_logits(run: Path, parts: Sequence[Sequence[Example]], taxonomy: Taxonomy) -> list[NDArray[np.float32]]:
    trained = load_run(run, taxonomy)
    return [trained.logits([e.text for e in part])[TASK] for part in parts]
