"""A fine-tuning run as others use it: its settings, its labels as numbers, its model and what the model answers."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_model
from tokenizers import Tokenizer

from nlp.petition import HEADS
from nlp.taxonomy import Taxonomy
from nlp.tokenise import PieceTokeniser
from training.data import MISSING, Example
from training.flags import LEARNED
from training.model import EncoderSettings, PetitionClassifier, WindowBatch, load_encoder, new_encoder
from training.settings import RecipeError, build

PUBLIC_CATEGORIES = ("城乡建设", "劳动和社会保障", "教育文体", "商贸旅游", "环境保护", "卫生计生", "交通运输")
"""The seven classes of the public data set, an auxiliary head that is measured and never served."""

_OUTPUTS = "outputs.json"


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


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What a model's outputs are, by name: `taxonomy` is the version of the labels, `flags` the codes in order.

    Stands in a run folder as outputs.json, plain enough to be written by hand.
    """

    taxonomy: str
    flags: tuple[str, ...]

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> "Outputs":
        """Return the outputs of a model that is made now."""
        return cls(taxonomy=taxonomy.version, flags=LEARNED)


def write_outputs(run: Path, outputs: Outputs) -> None:
    """Write what the outputs of a run's model are into its folder."""
    (run / _OUTPUTS).write_text(json.dumps(asdict(outputs), indent=1), encoding="utf-8")


def read_outputs(run: Path, taxonomy: Taxonomy) -> Outputs:
    """Return what the outputs of a finished `run` are.

    Raises RecipeError if the run does not say so or its labels are those of another taxonomy.
    """
    path, now = run / _OUTPUTS, Outputs.of(taxonomy)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"{run} does not say which labels and flags its outputs are ({error}); fine-tune it anew or, if you know "
            f"them, write {path}, for a run of today {json.dumps(asdict(now))}"
        ) from error
    outputs = build(Outputs, values, source=str(path))
    if outputs.taxonomy != now.taxonomy:
        raise RecipeError(
            f"{run} was made for the labels of taxonomy {outputs.taxonomy}, this program has {now.taxonomy}; fine-tune "
            f"it anew or, if only descriptions differ and no label, write the new version into {path}"
        )
    return outputs


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


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished run, ready to answer."""

    model: PetitionClassifier
    tokeniser: PieceTokeniser
    settings: FinetuneSettings

    def logits(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the logits (texts, labels) of every head, in the order of `texts`."""
        return classifier_logits(self.model, self.tokeniser, texts)


def load_run(run: Path, taxonomy: Taxonomy) -> Trained:
    """Return the classifier of a finished `run`; raises RecipeError if the folder is none or its outputs are others."""
    settings = run_settings(run)
    if not (run / "provenance.json").exists():
        raise RecipeError(f"{run} was begun and not finished; run the same command once more")
    made, now = read_outputs(run, taxonomy), Outputs.of(taxonomy)
    if made.flags != now.flags:
        raise RecipeError(
            f"{run} was made for the flags {', '.join(made.flags)}, this program has {', '.join(now.flags)}; fine-tune "
            "it anew or go on from it"
        )
    tokenizer = Tokenizer.from_file(str(run / "tokenizer.json"))
    model = build_classifier(settings, taxonomy, n_pieces=tokenizer.get_vocab_size())
    try:
        load_model(model, str(run / "model.safetensors"))
    except RuntimeError as error:
        raise RecipeError(f"{run} holds a model of another shape than it says: {error}") from error
    tokeniser = PieceTokeniser(tokenizer, window=settings.window, max_windows=settings.max_windows)
    return Trained(model=model.eval(), tokeniser=tokeniser, settings=settings)


def run_settings(run: Path) -> FinetuneSettings:
    """Return the settings of a fine-tuning run; raises RecipeError if the folder is none."""
    path = run / "settings.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{run} is no fine-tuning run: {error}") from error
    return build(FinetuneSettings, values, source=str(path))


def vocabulary_size(tokenizer: Path) -> int:
    """Return the number of pieces of a tokenizer.json."""
    return int(Tokenizer.from_file(str(tokenizer)).get_vocab_size())


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
