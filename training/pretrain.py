"""Pre-train the encoder by masked language modelling (Devlin et al. 2019) with whole-word masking (Cui et al. 2021).

A run lives in one folder: tokenizer, stream of pieces, checkpoints, loss curve and at the end `encoder/` in Hugging
Face form. Started again on the same folder it goes on where it stopped, with the same data in the same order. A
curriculum is a chain of runs, each of which starts from the weights of the one before. The same loop runs on CPU, one
GPU or several (`accelerate launch -m training.cli pretrain …`), where the main process alone prepares the data.
"""

import json
import math
import shutil
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, InitProcessGroupKwargs
from rich.console import Console
from tokenizers import Tokenizer

from training.corpus import CorpusSettings, documents, fingerprint
from training.model import EncoderSettings, MaskedLanguageModel, new_encoder
from training.provenance import claim, write_provenance, write_text
from training.settings import RecipeError
from training.skipgram import skipgram_vectors
from training.stream import MaskedStream, write_stream
from training.vocabulary import SPECIAL_PIECES, train_vocabulary

_PLOT_EVERY = 50
_PATIENCE = timedelta(days=1)
"""How long processes wait for each other: the main one may tokenise for hours before the others have anything to do."""


@dataclass(frozen=True, kw_only=True)
class PretrainSettings:
    """One pre-training run; `start` is an earlier run of the same shape whose vocabulary and weights it begins with."""

    corpus: Path = Path("../shared/corpus")
    data: Path = Path("../shared/data")
    start: Path | None = None
    weights: dict[str, float] = field(default_factory=dict)
    in_domain_weight: float = 2.0
    max_characters: int = 16_000_000
    n_vocabulary: int = 12_000
    width: int = 256
    n_layers: int = 4
    n_heads: int = 4
    dropout: float = 0.0
    skipgram_epochs: int = 2
    length: int = 128
    n_rows: int = 32
    mask_share: float = 0.2
    whole_words: bool = True
    steps: int = 2500
    learning_rate: float = 7e-4
    warmup_share: float = 0.05
    weight_decay: float = 0.01
    precision: str = "no"
    checkpoint_seconds: int = 300
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot work before anything is read."""
        if self.width % self.n_heads:
            raise RecipeError(f"width {self.width} is not a multiple of n_heads {self.n_heads}")
        if self.in_domain_weight != int(self.in_domain_weight) or self.in_domain_weight < 1:
            raise RecipeError(f"in_domain_weight must be a whole number of copies, got {self.in_domain_weight}")
        if not 0 < self.mask_share < 1:
            raise RecipeError(f"mask_share must lie between 0 and 1, got {self.mask_share}")
        if self.precision not in {"no", "bf16"}:
            raise RecipeError(f"precision must be no or bf16 (fp16 would not resume exactly), got {self.precision!r}")
        if self.start is not None and not (self.start / "checkpoint.pt").is_file():
            raise RecipeError(f"no earlier run to start from: {self.start / 'checkpoint.pt'} is not there")

    @property
    def corpus_settings(self) -> CorpusSettings:
        """The part that decides what text is read."""
        return CorpusSettings(
            corpus=self.corpus,
            data=self.data,
            weights=self.weights,
            in_domain_weight=self.in_domain_weight,
            max_characters=self.max_characters,
            seed=self.seed,
        )


def pretrain(settings: PretrainSettings, *, run: Path, console: Console) -> Path:
    """Train in folder `run` and return the folder of the finished encoder.

    Raises RecipeError if `run` was begun with other settings.
    """
    accelerator = Accelerator(
        mixed_precision=settings.precision, kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)]
    )
    # ── data and model: what the main process leaves in the folder, the others read ──────────────────────────────
    with accelerator.main_process_first():
        claim(run, settings)
        stream = _masked_stream(settings, run, console)
        torch.manual_seed(settings.seed)
        model = _new_model(settings, stream)
    optimiser = torch.optim.AdamW(
        model.parameters(),
        lr=settings.learning_rate,
        betas=(0.9, 0.98),
        weight_decay=settings.weight_decay,
        fused=True,
    )
    model, optimiser = accelerator.prepare(model, optimiser)
    step, curve = _resume(run, accelerator.unwrap_model(model), optimiser)
    # ── loop ─────────────────────────────────────────────────────────────────────────────────────────────────────
    model.train()
    saved_at = started_at = time.monotonic()
    first_step = step
    while step < settings.steps:
        for group in optimiser.param_groups:
            group["lr"] = _learning_rate(settings, step)
        # Several processes take neighbouring batches; data order depends on the step alone.
        batch = stream.batch(step * accelerator.num_processes + accelerator.process_index)
        pieces, positions, targets = (
            torch.from_numpy(part).to(accelerator.device) for part in (batch.pieces, batch.positions, batch.targets)
        )
        torch.manual_seed(settings.seed + step)
        loss = model(pieces, positions, targets)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        curve.append(float(loss.detach()))
        step += 1
        if step % _PLOT_EVERY == 0:
            rate = (step - first_step) * settings.n_rows * settings.length / (time.monotonic() - started_at)
            recent = sum(curve[-_PLOT_EVERY:]) / _PLOT_EVERY
            console.print(f"step {step}/{settings.steps}  loss {recent:.3f}  {rate:,.0f} pieces/s per process")
        if time.monotonic() - saved_at > settings.checkpoint_seconds and accelerator.is_main_process:
            _checkpoint(run, accelerator.unwrap_model(model), optimiser, step, curve)
            saved_at = time.monotonic()
    # ── save ─────────────────────────────────────────────────────────────────────────────────────────────────────
    if accelerator.is_main_process:
        _checkpoint(run, accelerator.unwrap_model(model), optimiser, step, curve)
        write_provenance(run, settings, inputs={"data": settings.data})
    return run / "encoder"


def _masked_stream(settings: PretrainSettings, run: Path, console: Console) -> MaskedStream:
    tokenizer = _vocabulary(settings, run, console)
    return MaskedStream(
        path=_stream(settings, tokenizer, run, console),
        n_rows=settings.n_rows,
        length=settings.length,
        mask_share=settings.mask_share,
        whole_words=settings.whole_words,
        n_pieces=tokenizer.get_vocab_size(),
        n_special=len(SPECIAL_PIECES),
        mask_id=SPECIAL_PIECES.index("[MASK]"),
        seed=settings.seed,
    )


def _vocabulary(settings: PretrainSettings, run: Path, console: Console) -> Tokenizer:
    path = run / "tokenizer.json"
    if not path.exists() and settings.start is not None:
        write_text(path, (settings.start / "tokenizer.json").read_text(encoding="utf-8"))
    elif not path.exists():
        console.print("training the vocabulary")
        tokenizer = train_vocabulary(documents(settings.corpus_settings), n_pieces=settings.n_vocabulary)
        write_text(path, tokenizer.to_str(pretty=True))
    return Tokenizer.from_file(str(path))


def _stream(settings: PretrainSettings, tokenizer: Tokenizer, run: Path, console: Console) -> Path:
    path, note = run / "stream.bin", run / "stream.json"
    wanted = fingerprint(settings.corpus_settings)
    if not note.exists():
        console.print("tokenising the corpus")
        n_pieces = write_stream(documents(settings.corpus_settings), tokenizer, path, fingerprint=wanted)
        console.print(f"{n_pieces:,} pieces")
    if (found := json.loads(note.read_text())["fingerprint"]) != wanted:
        raise RecipeError(f"{path} was made with other corpus settings ({found}, now {wanted}); use another folder")
    return path


def _new_model(settings: PretrainSettings, stream: MaskedStream) -> MaskedLanguageModel:
    shape = EncoderSettings(
        width=settings.width, n_layers=settings.n_layers, n_heads=settings.n_heads, dropout=settings.dropout
    )
    encoder = new_encoder(shape, n_pieces=stream.n_pieces)
    model = MaskedLanguageModel(encoder)
    if settings.start is not None:
        earlier = torch.load(settings.start / "checkpoint.pt", weights_only=True, map_location="cpu")
        try:
            model.load_state_dict(earlier["model"])
        except RuntimeError as error:
            wanted = f"width {settings.width}, {settings.n_layers} layers"
            raise RecipeError(f"{settings.start} holds a model of another shape than {wanted}: {error}") from error
    elif settings.skipgram_epochs:
        cache = stream.path.with_name("skipgram.pt")
        if not cache.exists():
            vectors = skipgram_vectors(
                stream.path, n_pieces=stream.n_pieces, width=settings.width, epochs=settings.skipgram_epochs
            )
            partial = cache.with_suffix(".partial")
            torch.save(torch.from_numpy(vectors), partial)
            partial.replace(cache)
        with torch.no_grad():
            encoder.embeddings.word_embeddings.weight.copy_(torch.load(cache, weights_only=True))
    return model


def _learning_rate(settings: PretrainSettings, step: int) -> float:
    """Warm up linearly, then fall along a cosine to a tenth."""
    warmup = max(1, round(settings.warmup_share * settings.steps))
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, settings.steps - warmup)
    return settings.learning_rate * (0.1 + 0.45 * (1 + math.cos(math.pi * done)))


def _checkpoint(
    run: Path,
    model: MaskedLanguageModel,
    optimiser: torch.optim.Optimizer,
    step: int,
    curve: list[float],
) -> None:
    """Write weights, optimiser and curve so that a kill at any moment leaves the older or the newer, never half.

    Beside it comes the encoder as it is now, with its tokenizer: a folder in Hugging Face form that can be fine-tuned.
    """
    state: dict[str, Any] = {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "curve": curve,
    }
    partial = run / "checkpoint.partial"
    torch.save(state, partial)
    partial.replace(run / "checkpoint.pt")
    model.encoder.save_pretrained(run / "encoder")
    shutil.copy(run / "tokenizer.json", run / "encoder" / "tokenizer.json")
    _plot(run, curve)


def _resume(run: Path, model: torch.nn.Module, optimiser: torch.optim.Optimizer) -> tuple[int, list[float]]:
    path = run / "checkpoint.pt"
    if not path.exists():
        return 0, []
    state = torch.load(path, weights_only=True, map_location="cpu")
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"]), list(state["curve"])


def _plot(run: Path, curve: list[float]) -> None:
    """Draw the smoothed loss curve."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    span = max(1, len(curve) // 200)
    smooth = [sum(curve[i : i + span]) / len(curve[i : i + span]) for i in range(0, len(curve), span)]
    axes.plot([i * span for i in range(len(smooth))], smooth)
    axes.set(xlabel="step", ylabel="cross-entropy at masked places", title="masked language modelling")
    axes.grid(alpha=0.3)
    figure.savefig(run / "loss.png", dpi=120, bbox_inches="tight")
