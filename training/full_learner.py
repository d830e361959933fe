"""The whole model as a learner for cross-validation: fine-tuning, linear branch and blend, repeated on other rows.

Each call trains for as long as the run it repeats.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from tokenizers import Tokenizer

from nlp.petition import HEADS, Head
from nlp.taxonomy import Taxonomy
from nlp.tokenise import PieceTokeniser
from training.calibrate import fit_calibration
from training.data import Example
from training.export import fit_linear_branch
from training.finetune import FinetuneSettings, classifier_logits, finetune, label_arrays, load_classifier
from training.folds import Learner
from training.linear import feature_matrix
from training.settings import build

_HELD_SHARE = 10
"""One group in so many is held back to fit the blend."""


def full_learner(run: Path, taxonomy: Taxonomy) -> Learner:
    """Return a learner that repeats the fine-tuning run in folder `run` on the rows it is given."""
    values = json.loads((run / "settings.json").read_text(encoding="utf-8"))
    settings = build(FinetuneSettings, values, source=str(run / "settings.json"))

    def learn(rows: Sequence[Example], texts: Sequence[str]) -> Mapping[Head, NDArray[np.int64]]:
        held = [e for e in rows if crc32(e.group.encode()) % _HELD_SHARE == 0]
        fit = [e for e in rows if crc32(e.group.encode()) % _HELD_SHARE]
        with tempfile.TemporaryDirectory() as folder:
            repeat = finetune(settings, run=Path(folder), console=Console(), dealt={"fit": fit, "calibration": held})
            model = load_classifier(repeat, settings, taxonomy)
            tokeniser = PieceTokeniser(
                Tokenizer.from_file(str(repeat / "tokenizer.json")),
                window=settings.window,
                max_windows=settings.max_windows,
            )
            held_encoder, encoder = (
                classifier_logits(model, tokeniser, part) for part in ([e.text for e in held], texts)
            )
        branch = fit_linear_branch(fit, taxonomy)
        held_linear, linear = (
            branch.scores(feature_matrix(part, branch.vocabulary)) for part in ([e.text for e in held], texts)
        )
        truth = {head: labels for head, labels in label_arrays(held, taxonomy).items() if head in HEADS}
        calibration = fit_calibration({head: held_encoder[head] for head in HEADS}, held_linear, truth, taxonomy.labels)
        scores = calibration.scores({head: encoder[head] for head in HEADS}, linear)
        return {head: scores.probabilities[head].argmax(axis=1) for head in HEADS}

    return learn
