"""Fine-tune an encoder on labelled petitions: all heads at once, partial labels allowed.

A run folder holds the fine-tuned encoder and heads, the tokenizer, the curve, metrics on the calibration split per
epoch and the provenance. Reads top to bottom: settings, data, model, loop, save.
"""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from safetensors.torch import load_model, save_model
from tokenizers import Tokenizer
from torch import Tensor, nn

from nlp.petition import HEADS, Head
from nlp.taxonomy import Taxonomy, load_taxonomy
from nlp.tokenise import PieceTokeniser
from training.corrections import deal_examples
from training.data import Example
from training.flags import LEARNED, flag_array
from training.model import EncoderSettings, PetitionClassifier, WindowBatch, load_encoder, new_encoder
from training.provenance import write_provenance
from training.settings import RecipeError
from training.split import Split
from training.vocabulary import SPECIAL_PIECES

MISSING = -1
"""Stands for "not labelled" in label arrays; such rows give no loss for that head."""

PUBLIC_CATEGORIES = ("城乡建设", "劳动和社会保障", "教育文体", "商贸旅游", "环境保护", "卫生计生", "交通运输")
"""The seven classes of the public data set, an auxiliary head that is measured and never served."""


@dataclass(frozen=True, kw_only=True)
class FinetuneSettings:
    """One fine-tuning run.

    `encoder` is a folder in Hugging Face form, or None for scratch; `tokenizer` a tokenizer.json, or None for the
    encoder's own; `start` an earlier run of the same shape to go on from. Training reads `train_windows` windows of a
    text, serving `max_windows`. `corrections` is an export of petitions decided at the desk, to be learnt as well.
    `r_drop` weighs the agreement of two passes with different dropout (Liang et al. 2021),
    `adversarial` is the length of the step against the piece embeddings (FGM, Miyato et al. 2017), `piece_dropout` the
    share of pieces hidden behind [MASK]; 0 leaves each of them out.
    """

    data: Path = Path("../shared/data")
    encoder: Path | None = None
    tokenizer: Path | None = None
    start: Path | None = None
    window: int = 128
    max_windows: int = 3
    train_windows: int = 2
    width: int = 256
    n_layers: int = 3
    n_heads: int = 4
    dropout: float = 0.1
    epochs: int = 5
    batch_texts: int = 16
    learning_rate: float = 3e-4
    head_learning_rate: float = 1e-3
    layer_decay: float = 0.9
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    class_balance: float = 0.3
    public_weight: float = 0.3
    flag_weight: float = 1.0
    r_drop: float = 0.0
    adversarial: float = 0.0
    piece_dropout: float = 0.0
    written: bool = True
    corrections: Path | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot work before anything is read."""
        if self.tokenizer is None and self.encoder is None:
            raise RecipeError("give an encoder folder with its tokenizer.json, or a tokenizer to start from scratch")
        if not 1 <= self.train_windows <= self.max_windows:
            raise RecipeError(f"train_windows must lie in 1..max_windows={self.max_windows}, got {self.train_windows}")
        if not 0 <= self.class_balance <= 1:
            raise RecipeError(f"class_balance must lie in 0..1 (0 none, 1 inverse frequency), got {self.class_balance}")

    @property
    def tokenizer_file(self) -> Path:
        """The tokenizer in use; raises RecipeError if there is no such file."""
        path = self.tokenizer or Path(self.encoder or "") / "tokenizer.json"
        if not path.is_file():
            raise RecipeError(f"no tokenizer at {path}; name one with the key tokenizer")
        return path


def finetune(
    settings: FinetuneSettings,
    *,
    run: Path,
    console: Console,
    dealt: Mapping[Split, Sequence[Example]] | None = None,
) -> Path:
    """Train in folder `run` and return it; `dealt` stands in for the frozen splits (cross-validation does that)."""
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    # ── data ─────────────────────────────────────────────────────────────────────────────────────────────────────
    taxonomy = load_taxonomy()
    if dealt is None:
        dealt = deal_examples(settings.data, taxonomy, written=settings.written, corrections=settings.corrections)
    fit = [e for e in dealt["fit"] if e.labels or (settings.public_weight and e.public_category)]
    held = [e for e in dealt["calibration"] if e.labels]
    tokeniser = PieceTokeniser(
        Tokenizer.from_file(str(settings.tokenizer_file)), window=settings.window, max_windows=settings.train_windows
    )
    windows = [tokeniser.windows(example.text).ids for example in fit]
    truth, flags = label_arrays(fit, taxonomy), torch.from_numpy(flag_array(fit))
    console.print(f"{len(fit)} texts to fit ({sum(bool(e.labels) for e in fit)} with all heads), {len(held)} held out")
    # ── model ────────────────────────────────────────────────────────────────────────────────────────────────────
    model = build_classifier(settings, taxonomy, n_pieces=_vocabulary_size(settings.tokenizer_file))
    if settings.start is not None:
        load_model(model, str(settings.start / "model.safetensors"))
    weights = {head: class_weights(truth[head], power=settings.class_balance) for head in truth}
    optimiser = torch.optim.AdamW(_parameter_groups(model, settings), weight_decay=settings.weight_decay)
    base_rates = [group["lr"] for group in optimiser.param_groups]
    # ── loop ─────────────────────────────────────────────────────────────────────────────────────────────────────
    rng = np.random.default_rng(settings.seed)
    per_epoch = math.ceil(len(fit) / settings.batch_texts)
    total = per_epoch * settings.epochs
    history: list[dict[str, float]] = []
    step = 0
    for epoch in range(settings.epochs):
        model.train()
        started_at, losses = time.monotonic(), []
        for rows in _bucketed(windows, settings.batch_texts, rng):
            for group, rate in zip(optimiser.param_groups, base_rates, strict=True):
                group["lr"] = rate * _schedule(step / total, settings.warmup_share)
            batch = WindowBatch.of([windows[row] for row in rows])
            if settings.piece_dropout:
                batch = _hide(batch, settings.piece_dropout)
            target = {head: torch.from_numpy(truth[head][rows]) for head in truth}

            def objective(
                batch: WindowBatch = batch, target: dict[str, Tensor] = target, flagged: Tensor = flags[rows]
            ) -> Tensor:
                return _objective(model, batch, target, flagged, weights, settings)

            loss = objective()
            torch.autograd.backward(loss)
            if settings.adversarial:
                _attack(model, objective, size=settings.adversarial)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            losses.append(float(loss.detach()))
            step += 1
        accuracy = _accuracy(model, tokeniser, held, taxonomy)
        history.append({"epoch": epoch + 1, "loss": float(np.mean(losses)), **accuracy})
        spent = time.monotonic() - started_at
        console.print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {spent:.0f} s, " + _line(accuracy))
        _save(run, model, settings, history)
    # ── save ─────────────────────────────────────────────────────────────────────────────────────────────────────
    (run / "tokenizer.json").write_bytes(settings.tokenizer_file.read_bytes())
    write_provenance(run, settings, inputs={"data": settings.data})
    return run


def build_classifier(settings: FinetuneSettings, taxonomy: Taxonomy, *, n_pieces: int) -> PetitionClassifier:
    """Return the classifier of a recipe: on the given encoder checkpoint, else from scratch."""
    if settings.encoder is not None:
        encoder = load_encoder(settings.encoder, dropout=settings.dropout)
    else:
        shape = EncoderSettings(
            width=settings.width, n_layers=settings.n_layers, n_heads=settings.n_heads, dropout=settings.dropout
        )
        encoder = new_encoder(shape, n_pieces=n_pieces)
    n_labels = {head: len(taxonomy.labels[head]) for head in HEADS}
    return PetitionClassifier(encoder, n_labels, n_public=len(PUBLIC_CATEGORIES), n_flags=len(LEARNED))


def load_classifier(run: Path, settings: FinetuneSettings, taxonomy: Taxonomy) -> PetitionClassifier:
    """Return the classifier of a finished run."""
    model = build_classifier(settings, taxonomy, n_pieces=_vocabulary_size(run / "tokenizer.json"))
    load_model(model, str(run / "model.safetensors"))
    return model.eval()


def label_arrays(examples: Sequence[Example], taxonomy: Taxonomy) -> dict[str, NDArray[np.int64]]:
    """Return label indices (examples,) per head and for the auxiliary head "public"; MISSING where unlabelled."""
    arrays: dict[str, NDArray[np.int64]] = {}
    for head in HEADS:
        place = {label: index for index, label in enumerate(taxonomy.labels[head])}
        arrays[head] = np.asarray(
            [place[e.labels[head]] if head in e.labels else MISSING for e in examples], dtype=np.int64
        )
    public = {label: index for index, label in enumerate(PUBLIC_CATEGORIES)}
    arrays["public"] = np.asarray([public.get(e.public_category or "", MISSING) for e in examples], dtype=np.int64)
    return arrays


def class_weights(labels: NDArray[np.int64], *, power: float) -> dict[int, float]:
    """Return loss weights per class, frequency to the minus `power`, averaging 1 over the labelled rows."""
    known = labels[labels != MISSING]
    classes, counts = np.unique(known, return_counts=True)
    raw = (counts / max(1, len(known))) ** -power
    mean = float((raw * counts).sum() / max(1, len(known))) or 1.0
    return {int(c): float(w / mean) for c, w in zip(classes, raw, strict=True)}


def _objective(
    model: PetitionClassifier,
    batch: WindowBatch,
    target: dict[str, Tensor],
    flags: Tensor,
    weights: dict[str, dict[int, float]],
    settings: FinetuneSettings,
) -> Tensor:
    """Return the loss of one batch; with R-Drop of two passes and their disagreement."""
    passes = [model(batch) for _ in range(2 if settings.r_drop else 1)]
    losses = [
        _loss(logits, target, weights, settings) + settings.flag_weight * _flag_loss(logits["flags"], flags)
        for logits in passes
    ]
    if not settings.r_drop:
        return losses[0]
    return (losses[0] + losses[1]) / 2 + settings.r_drop * _disagreement(*passes)


def _disagreement(first: dict[str, Tensor], second: dict[str, Tensor]) -> Tensor:
    """Return the symmetric Kullback-Leibler divergence of two passes, summed over the served heads."""
    parts = []
    for head in HEADS:
        p, q = first[head].log_softmax(-1), second[head].log_softmax(-1)
        parts.append(((p.exp() - q.exp()) * (p - q)).sum(-1).mean() / 2)
    return torch.stack(parts).sum()


def _hide(batch: WindowBatch, share: float) -> WindowBatch:
    """Return the batch with a random `share` of its pieces, never the special ones, behind [MASK]."""
    hidden = (torch.rand(batch.pieces.shape) < share) & (batch.pieces >= len(SPECIAL_PIECES))
    return replace(batch, pieces=batch.pieces.masked_fill(hidden, SPECIAL_PIECES.index("[MASK]")))


def _attack(model: PetitionClassifier, objective: Callable[[], Tensor], *, size: float) -> None:
    """Add the gradients of a pass in which the piece embeddings stand one step of `size` up the loss."""
    embeddings = cast(nn.Embedding, model.encoder.get_input_embeddings()).weight
    gradient = embeddings.grad
    if gradient is None or not (norm := float(gradient.norm())):
        return
    step = size * gradient / norm
    with torch.no_grad():
        embeddings.add_(step)
    torch.autograd.backward(objective())
    with torch.no_grad():
        embeddings.sub_(step)


def _loss(
    logits: dict[str, Tensor],
    truth: dict[str, Tensor],
    weights: dict[str, dict[int, float]],
    settings: FinetuneSettings,
) -> Tensor:
    """Sum the heads' losses over the rows that carry their label; class weights as given by `class_weights`."""
    parts = []
    for head, target in truth.items():
        known = target != MISSING
        if not known.any():
            continue
        weight = torch.tensor([weights[head][int(t)] for t in target[known]])
        losses = torch.nn.functional.cross_entropy(
            logits[head][known], target[known], label_smoothing=settings.label_smoothing, reduction="none"
        )
        share = settings.public_weight if head == "public" else 1.0
        parts.append(share * (losses * weight).mean())
    return torch.stack(parts).sum()


def _flag_loss(logits: Tensor, flags: Tensor) -> Tensor:
    """Return the mean binary cross-entropy over the rows in which flags were looked for; 0 where there are none."""
    known = flags[:, 0] != MISSING
    if not known.any():
        return logits.sum() * 0.0
    return torch.nn.functional.binary_cross_entropy_with_logits(logits[known], flags[known].float())


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


def _schedule(done: float, warmup: float) -> float:
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


@torch.inference_mode()
def classifier_logits(
    model: PetitionClassifier, tokeniser: PieceTokeniser, texts: Sequence[str], *, batch: int = 32
) -> dict[str, NDArray[np.float32]]:
    """Return the logits (texts, labels) of every head, in the order of `texts`."""
    windows = [tokeniser.windows(text).ids for text in texts]
    order = np.argsort([sum(map(len, w)) for w in windows])
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for i in range(0, len(order), batch):
        for head, logits in model(WindowBatch.of([windows[row] for row in order[i : i + batch]])).items():
            parts.setdefault(head, []).append(logits.float().numpy())
    back = np.argsort(order)
    return {head: np.concatenate(chunks)[back] for head, chunks in parts.items()}


def _line(accuracy: dict[str, float]) -> str:
    heads: tuple[Head | str, ...] = (*HEADS, "public")
    return "  ".join(f"{head} {accuracy[head]:.3f}" for head in heads if head in accuracy)


def _save(run: Path, model: PetitionClassifier, settings: FinetuneSettings, history: list[dict[str, float]]) -> None:
    save_model(model, str(run / "model.safetensors"))
    (run / "history.json").write_text(json.dumps(history, indent=1))
    (run / "settings.json").write_text(json.dumps(settings.__dict__, default=str, indent=1))


def _vocabulary_size(tokenizer: Path) -> int:
    return int(Tokenizer.from_file(str(tokenizer)).get_vocab_size())
