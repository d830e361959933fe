"""How much hangs on the split and on the number of labels: cross-validation and learning curve of the whole model.

    petition-train repeat training/recipes/repeat.toml --out runs/repeats --set encoder=runs/stage-2/encoder

Fine-tuning, linear branch and blend are made anew for every fold and every point of the curve, each as long as the
recipe says. What a finished one answered is kept in the folder: an interrupted run begins the unfinished one anew. The
quick linear branch alone goes through the same lines in `petition-train evaluate --folds`.

Only messages with all labels teach; texts that teach flags alone are left out. A pre-trained encoder has read the
messages of `fit` without their labels, those of other folds too: the points of the curve, measured on the test rows,
are free of that.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from nlp.calibrate import best_label
from nlp.petition import HEADS, Head
from nlp.taxonomy import Taxonomy, load_taxonomy
from training.calibrate import fit_calibration
from training.classifier import FinetuneSettings, label_arrays, load_run
from training.data import DATASETS, Example, read_examples
from training.finetune import finetune, recipe_inputs
from training.folds import SECOND_LEVEL, Learner, repeat_figures
from training.linear import feature_matrix, fit_linear_branch
from training.provenance import claim, hash_path, write_provenance, write_text
from training.settings import RecipeError
from training.split import Split, read_splits, split_examples

_HELD_SHARE = 10
"""One group in so many is held back to fit the blend."""


def repeat_recipe(settings: FinetuneSettings, *, out: Path, console: Console) -> Path:
    """Cross-validate the whole model as `settings` make it, draw its learning curve, and return repeats.json in `out`.

    Raises RecipeError if `out` was begun with other settings, or if the recipe goes on from an earlier run: weights
    that have learnt all rows know every held fold.
    """
    if settings.start is not None:
        raise RecipeError(
            f"the recipe goes on from {settings.start}, whose weights have learnt the rows of every fold; "
            "cross-validate a recipe without start"
        )
    if settings.corrections is not None:
        raise RecipeError(f"corrections ({settings.corrections}) are not read here; leave them out")
    claim(out, settings)
    taxonomy, inputs = load_taxonomy(), {name: hash_path(path) for name, path in recipe_inputs(settings).items()}
    dealt = split_examples(read_examples(settings.data, taxonomy, written=settings.written))
    learner = remembering(
        full_learner(settings, taxonomy, console), out / "answers", made_of=[taxonomy.version, inputs, SECOND_LEVEL]
    )
    found = repeat_figures(learner, dealt, taxonomy, frozen=read_splits(DATASETS / "annotations" / "splits.csv"))
    write_text(out / "repeats.json", json.dumps({"learner": "full", **found}, ensure_ascii=False, indent=1))
    write_provenance(out, settings, inputs=recipe_inputs(settings))
    return out / "repeats.json"


def full_learner(settings: FinetuneSettings, taxonomy: Taxonomy, console: Console) -> Learner:
    """Return a learner that makes the whole model of the rows it is given, but for int8."""

    def learn(rows: Sequence[Example], texts: Sequence[str]) -> Mapping[Head, NDArray[np.int64]]:
        held = [e for e in rows if crc32(e.group.encode()) % _HELD_SHARE == 0]
        fit = [e for e in rows if crc32(e.group.encode()) % _HELD_SHARE]
        shares: dict[Split, Sequence[Example]] = {"fit": fit, "calibration": held}
        with tempfile.TemporaryDirectory() as folder:
            trained = load_run(finetune(settings, run=Path(folder), console=console, dealt=shares), taxonomy)
            held_encoder, encoder = (trained.logits(part) for part in ([e.text for e in held], texts))
        branch = fit_linear_branch(fit, taxonomy)
        held_linear, linear = (
            branch.scores(feature_matrix(part, branch.vocabulary)) for part in ([e.text for e in held], texts)
        )
        truth = {head: labels for head, labels in label_arrays(held, taxonomy).items() if head in HEADS}
        calibration = fit_calibration({head: held_encoder[head] for head in HEADS}, held_linear, truth, taxonomy.labels)
        scores = calibration.scores({head: encoder[head] for head in HEADS}, linear)
        return {head: best_label(scores, head, taxonomy.labels) for head in HEADS}

    return learn


def remembering(learner: Learner, folder: Path, *, made_of: Any) -> Learner:
    """Return `learner` with its answers kept in `folder`: the same question is answered from there.

    A file is named by a hash of what the learner is `made_of` (plain values), all that is known of the rows it learns
    and the texts it is asked about; it holds label numbers alone.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def learn(rows: Sequence[Example], texts: Sequence[str]) -> Mapping[Head, NDArray[np.int64]]:
        question = [made_of, [(e.text, asdict(e)) for e in rows], list(texts)]
        name = sha256(json.dumps(question, ensure_ascii=False).encode()).hexdigest()[:16]
        path = folder / f"{name}.json"
        if not path.exists():
            write_text(path, json.dumps({head: labels.tolist() for head, labels in learner(rows, texts).items()}))
        answers = json.loads(path.read_text(encoding="utf-8"))
        return {head: np.asarray(answers[head], dtype=np.int64) for head in HEADS}

    return learn
