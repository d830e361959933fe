"""Fine-tune an encoder on labelled petitions: all heads at once, partial labels allowed.

A run folder holds the fine-tuned encoder and heads, the tokenizer, the curve, metrics on the calibration split per
epoch and the provenance. Reads top to bottom: settings, data, model, loop, save.
"""

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from safetensors.torch import load_file, save_model
from tokenizers import Tokenizer
from torch import Tensor

from nlp.petition import HEADS, Head
from nlp.taxonomy import Taxonomy, load_taxonomy
from nlp.tokenise import PieceTokeniser
from training.classifier import (
    FinetuneSettings,
    Outputs,
    build_classifier,
    classifier_logits,
    label_arrays,
    read_outputs,
    vocabulary_size,
    write_outputs,
)
from training.corrections import deal_examples
from training.data import DATASETS, MISSING, Example
from training.flags import flag_array
from training.model import PetitionClassifier, WindowBatch
from training.objective import Objective, Truth
from training.provenance import claim, write_provenance
from training.settings import RecipeError
from training.split import Split


def finetune(
    settings: FinetuneSettings,
    *,
    run: Path,
    console: Console,
    dealt: Mapping[Split, Sequence[Example]] | None = None,
) -> Path:
    """Train in folder `run` and return it; `dealt` stands in for the frozen splits (cross-validation does that).

    Raises RecipeError if `run` was begun with other settings.
    """
    claim(run, settings)
    torch.manual_seed(settings.seed)
    # ── data ─────────────────────────────────────────────────────────────────────────────────────────────────────
    taxonomy = load_taxonomy()
    if dealt is None:
        dealt = deal_examples(
            settings.data, taxonomy, written=settings.written, corrections=settings.corrections, console=console
        )
    fit = [e for e in dealt["fit"] if _teaches(e, settings)]
    held = [e for e in dealt["calibration"] if e.labels]
    tokeniser = PieceTokeniser(
        Tokenizer.from_file(str(settings.tokenizer_file)), window=settings.window, max_windows=settings.train_windows
    )
    windows = [tokeniser.windows(example.text).ids for example in fit]
    truth = Truth(
        labels={head: torch.from_numpy(labels) for head, labels in label_arrays(fit, taxonomy).items()},
        flags=torch.from_numpy(flag_array(fit)),
    )
    console.print(f"{len(fit)} texts to fit ({sum(bool(e.labels) for e in fit)} with all heads), {len(held)} held out")
    # ── model ────────────────────────────────────────────────────────────────────────────────────────────────────
    model = build_classifier(settings, taxonomy, n_pieces=vocabulary_size(settings.tokenizer_file))
    if settings.start is not None:
        start_from(model, settings.start, taxonomy)
    objective = Objective(model, settings, truth)
    optimiser = torch.optim.AdamW(_parameter_groups(model, settings), weight_decay=settings.weight_decay)
    total = math.ceil(len(fit) / settings.batch_texts) * settings.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: _rate(step / total, warmup=settings.warmup_share)
    )
    # ── loop ─────────────────────────────────────────────────────────────────────────────────────────────────────
    rng = np.random.default_rng(settings.seed)
    history: list[dict[str, float]] = []
    for epoch in range(1, settings.epochs + 1):
        model.train()
        started_at, losses = time.monotonic(), []
        for rows in _bucketed(windows, settings.batch_texts, rng):
            losses.append(objective.backward(WindowBatch.of([windows[row] for row in rows]), truth.of(rows)))
            _step(model, optimiser, schedule)
        accuracy, loss = _accuracy(model, tokeniser, held, taxonomy), float(np.mean(losses))
        history.append({"epoch": epoch, "loss": loss, **accuracy})
        console.print(f"epoch {epoch}: loss {loss:.3f}, {time.monotonic() - started_at:.0f} s, " + _line(accuracy))
        _save(run, model, history)
    # ── save ─────────────────────────────────────────────────────────────────────────────────────────────────────
    (run / "tokenizer.json").write_bytes(settings.tokenizer_file.read_bytes())
    write_outputs(run, Outputs.of(taxonomy))
    write_provenance(run, settings, inputs=recipe_inputs(settings))
    return run


def _step(
    model: PetitionClassifier, optimiser: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LambdaLR
) -> None:
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad()
    schedule.step()


def _teaches(example: Example, settings: FinetuneSettings) -> bool:
    """Say whether anything is known of a text that a recipe learns."""
    public = bool(settings.public_weight and example.public_category)
    return bool(example.labels) or bool(example.looked_for) or public


def recipe_inputs(settings: FinetuneSettings) -> dict[str, Path]:
    """Return every file and folder that decides what a recipe makes."""
    inputs = {
        "data": settings.data,
        "annotations": DATASETS / "annotations",
        "samples": DATASETS / "samples",
        "corrections": settings.corrections,
        "encoder": settings.encoder,
        "tokenizer": settings.tokenizer,
        "start": settings.start,
    }
    return {name: path for name, path in inputs.items() if path is not None}


def start_from(model: PetitionClassifier, run: Path, taxonomy: Taxonomy) -> None:
    """Give `model` the weights of an earlier run; outputs for flags that the run did not know stay fresh.

    Raises RecipeError if the run was made for other labels or has another shape.
    """
    known, wanted = read_outputs(run, taxonomy).flags, Outputs.of(taxonomy).flags
    weights = load_file(run / "model.safetensors")
    fresh = model.state_dict()
    kept = [place for place, flag in enumerate(wanted) if flag in known]
    earlier = [known.index(wanted[place]) for place in kept]
    try:
        for name in ("heads.flags.weight", "heads.flags.bias"):
            if len(weights[name]) != len(known):
                raise RecipeError(f"{run} says it has {len(known)} flags, its model has {len(weights[name])}")
            flags = fresh[name].clone()
            flags[kept] = weights[name][earlier]
            weights[name] = flags
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise RecipeError(f"{run} holds a model of another shape: {error}") from error


def _parameter_groups(model: PetitionClassifier, settings: FinetuneSettings) -> list[dict[str, object]]:
    """Give lower layers smaller steps (Howard and Ruder 2018) and the fresh heads larger ones."""
    layers: dict[int, list[Tensor]] = {}
    heads: list[Tensor] = []
    depth = model.encoder.config.num_hidden_layers
    for name, parameter in model.named_parameters():
        if not name.startswith("encoder."):
            heads.append(parameter)
            continue
        place = next((int(part) + 1 for part in name.split(".") if part.isdigit()), 0)
        layers.setdefault(place, []).append(parameter)
    groups: list[dict[str, object]] = [{"params": heads, "lr": settings.head_learning_rate}]
    for place, parameters in layers.items():
        groups.append({"params": parameters, "lr": settings.learning_rate * settings.layer_decay ** (depth - place)})
    return groups


def _bucketed(
    windows: Sequence[Sequence[Sequence[int]]], size: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Return shuffled batches of texts of similar length, so that little is padding."""
    noise = rng.normal(scale=12, size=len(windows))
    order = np.argsort([sum(map(len, w)) for w in windows] + noise)
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    rng.shuffle(batches)
    return batches


def _rate(done: float, *, warmup: float) -> float:
    """Return the share of the learning rate after a share of the run: up for `warmup`, then down to a fiftieth."""
    return done / warmup if done < warmup else max(0.02, (1 - done) / (1 - warmup))


@torch.inference_mode()
def _accuracy(
    model: PetitionClassifier, tokeniser: PieceTokeniser, held: Sequence[Example], taxonomy: Taxonomy
) -> dict[str, float]:
    model.eval()
    truth = label_arrays(held, taxonomy)
    logits = classifier_logits(model, tokeniser, [example.text for example in held])
    found: dict[str, float] = {}
    for head in truth:
        scores = logits[head]
        known = truth[head] != MISSING
        if known.any():
            found[head] = float((scores.argmax(1)[known] == truth[head][known]).mean())
    return found


def _line(accuracy: dict[str, float]) -> str:
    heads: tuple[Head | str, ...] = (*HEADS, "public")
    return "  ".join(f"{head} {accuracy[head]:.3f}" for head in heads if head in accuracy)


def _save(run: Path, model: PetitionClassifier, history: list[dict[str, float]]) -> None:
    save_model(model, str(run / "model.safetensors"))
    (run / "history.json").write_text(json.dumps(history, indent=1))
