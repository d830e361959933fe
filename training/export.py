"""From a fine-tuned run to a bundle that serves without torch.

Fits the linear branch, exports the encoder to ONNX (int8), calibrates with the very runtime that serves, chooses the
thresholds, and writes the checksummed folder. Metrics and card are added by the evaluation before the sums are sealed.
"""

import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn

from nlp.bundle import FILES, Bundle, write_sums
from nlp.calibrate import Blend, Calibration
from nlp.decide import Thresholds
from nlp.knowledge import load_knowledge
from nlp.petition import HEADS, Head
from nlp.prepare import prepare
from nlp.routes import combine
from nlp.rules import find_firings
from nlp.runtime import Reading, Runtime
from nlp.taxonomy import Taxonomy, load_taxonomy
from training.calibrate import fit_blends
from training.data import Example, read_examples
from training.finetune import FinetuneSettings, label_arrays, load_classifier
from training.linear import LinearBranch, choose_vocabulary, fit_linear
from training.model import PetitionClassifier
from training.settings import build
from training.split import split_examples
from training.thresholds import choose_threshold

NEEDED: tuple[Head, ...] = ("category_l1", "channel", "department")
MIN_CHARACTERS = 12
KNOWN_SHARE_QUANTILE = 0.002
N_NGRAMS = 60_000


class ServedEncoder(nn.Module):
    """The part of a classifier that goes into ONNX: piece ids of one window → piece vectors and attention scores."""

    def __init__(self, model: PetitionClassifier) -> None:
        """Wrap a fine-tuned classifier."""
        super().__init__()
        self.model = model

    def forward(self, pieces: Tensor) -> tuple[Tensor, Tensor]:
        """Return hidden (windows, length, width) and scores (windows, length)."""
        return self.model.read(pieces)


def export_bundle(run: Path, out: Path, *, data: Path, console: Console, quantise: bool = True) -> Path:
    """Write the bundle of a fine-tuning `run` to `out`, everything but metrics and card filled in; return `out`."""
    out.mkdir(parents=True, exist_ok=True)
    taxonomy = load_taxonomy()
    raw = json.loads((run / "settings.json").read_text())
    settings = build(FinetuneSettings, {k: v for k, v in raw.items() if v is not None}, source=str(run))
    model = load_classifier(run, settings, taxonomy)
    console.print("exporting the encoder")
    export_encoder(model, out / "model.onnx", quantise=quantise)
    shutil.copy(run / "tokenizer.json", out / "tokenizer.json")
    _write_heads(model, out / "heads.npz")
    dealt = split_examples(read_examples(data, taxonomy, written=settings.written))
    console.print("fitting the linear branch")
    _write_linear(fit_linear_branch(dealt["fit"], taxonomy), out / "linear.npz")
    window = {"pieces": settings.window, "max_windows": settings.max_windows}
    labels = {"taxonomy_version": taxonomy.version, "labels": taxonomy.labels, "window": window}
    _write_json(out / "labels.json", labels)
    runtime = Bundle(folder=out, id="draft").runtime()
    calibration = _calibrate(runtime, [e for e in dealt["calibration"] if e.labels], taxonomy)
    _write_json(out / "calibration.json", {head: asdict(blend) for head, blend in calibration.blends.items()})
    thresholds = fit_thresholds(runtime, calibration, [e for e in dealt["thresholds"] if e.labels], taxonomy)
    _write_json(out / "thresholds.json", asdict(thresholds))
    shutil.copy(run / "provenance.json", out / "settings.json")
    for name in ("metrics.json", "card.md"):
        if not (out / name).exists():
            (out / name).write_text("{}" if name.endswith("json") else "", encoding="utf-8")
    seal(out)
    return out


def seal(out: Path) -> None:
    """Write the checksums; after this the folder loads."""
    missing = [name for name in FILES if not (out / name).exists()]
    if missing:
        raise FileNotFoundError(f"{out}: {', '.join(missing)} missing, the bundle cannot be sealed")
    write_sums(out)


def export_encoder(model: PetitionClassifier, path: Path, *, quantise: bool) -> None:
    """Write the encoder to `path` for windows of any length, with int8 weights if `quantise`."""
    served = ServedEncoder(model).eval()
    full = path.with_suffix(".fp32.onnx")
    length = torch.export.Dim("length", min=3, max=512)
    with warnings.catch_warnings():
        # The exporter warns of its own internals; nothing of it is ours to mend.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            served,
            (torch.ones((1, 40), dtype=torch.long),),
            str(full),
            dynamo=True,
            opset_version=23,
            external_data=False,
            input_names=["pieces"],
            output_names=["hidden", "scores"],
            dynamic_shapes=({1: length},),
            verbose=False,
        )
    graph = onnx.load(str(full))
    # quantize_dynamic trusts stored shapes that the exporter got wrong.
    del graph.graph.value_info[:]
    onnx.save(graph, str(full))
    if not quantise:
        full.replace(path)
        return
    quantize_dynamic(
        str(full),
        str(path),
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Gemm", "Gather"],
    )
    full.unlink()


def fit_linear_branch(fit: Sequence[Example], taxonomy: Taxonomy) -> LinearBranch:
    """Return the linear branch fitted on the labelled examples of the fit split."""
    labelled = [example for example in fit if example.labels]
    texts = [example.text for example in labelled]
    labels = {head: [example.labels.get(head) for example in labelled] for head in HEADS}
    vocabulary = choose_vocabulary(texts, n_ngrams=N_NGRAMS)
    return fit_linear(texts, labels, taxonomy.labels, vocabulary=vocabulary)


def read_all(runtime: Runtime, examples: Sequence[Example], *, title: str) -> list[Reading]:
    """Run the serving runtime over `examples`."""
    return [runtime.read(example.text) for example in track(examples, description=title)]


def stack(readings: Sequence[Reading]) -> tuple[dict[Head, NDArray[np.float32]], dict[Head, NDArray[np.float32]]]:
    """Return the raw scores (rows, labels) of the encoder and of the linear branch, per head."""
    encoder = {head: np.stack([reading.encoder[head] for reading in readings]) for head in HEADS}
    linear = {head: np.stack([reading.linear[head] for reading in readings]) for head in HEADS}
    return encoder, linear


def fit_thresholds(
    runtime: Runtime,
    calibration: Calibration,
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    *,
    budget: float = 0.05,
    delta: float = 0.05,
) -> Thresholds:
    """Choose the thresholds on a split used for nothing else.

    The joint threshold is chosen among the petitions that nothing else sends to review, which is where it will act.
    """
    readings = read_all(runtime, examples, title="thresholds")
    scores = calibration.scores(*stack(readings)).probabilities
    truth = label_arrays(examples, taxonomy)
    correct = {head: scores[head].argmax(1) == truth[head] for head in HEADS}
    confidence = {head: scores[head].max(1).astype(np.float64) for head in HEADS}
    min_known_share = float(np.quantile([reading.known_share for reading in readings], KNOWN_SHARE_QUANTILE))
    free = np.asarray(
        [_is_free(example, reading, calibration, min_known_share) for example, reading in zip(examples, readings, strict=True)]
    )
    joint_correct = np.logical_and.reduce([correct[head] for head in NEEDED])
    joint = np.prod([confidence[head] for head in NEEDED], axis=0)
    return Thresholds(
        budget=budget,
        confidence_level=1 - delta,
        needed=NEEDED,
        joint=choose_threshold(joint[free], joint_correct[free], budget=budget, delta=delta),
        per_head={
            head: choose_threshold(confidence[head], correct[head], budget=budget, delta=delta) for head in HEADS
        },
        min_characters=MIN_CHARACTERS,
        min_known_share=round(min_known_share, 4),
    )


def _is_free(example: Example, reading: Reading, calibration: Calibration, min_known_share: float) -> bool:
    """Tell whether nothing but confidence could send this petition to review."""
    masked = prepare(example.petition)
    if len(masked.text) < MIN_CHARACTERS or reading.known_share < min_known_share:
        return False
    knowledge = load_knowledge()
    firings = find_firings(masked, knowledge=knowledge)
    if firings:
        return False
    scores = calibration.scores(reading.encoder, reading.linear)
    routing = combine(masked, scores, labels=calibration.labels, knowledge=knowledge, firings=firings)
    return not routing.reasons


def _calibrate(runtime: Runtime, examples: Sequence[Example], taxonomy: Taxonomy) -> Calibration:
    encoder, linear = stack(read_all(runtime, examples, title="calibration"))
    truth = label_arrays(examples, taxonomy)
    blends: Mapping[Head, Blend] = fit_blends(encoder, linear, {head: truth[head] for head in HEADS}, taxonomy.labels)
    return Calibration(blends=blends, labels=taxonomy.labels)


def _write_heads(model: PetitionClassifier, path: Path) -> None:
    arrays: dict[str, Any] = {}
    for head in HEADS:
        layer = model.heads[head]
        arrays[f"{head}_weight"] = layer.weight.detach().numpy().T.copy()
        arrays[f"{head}_bias"] = layer.bias.detach().numpy()
    np.savez(path, **arrays)


def _write_linear(branch: LinearBranch, path: Path) -> None:
    """Store the weights as int8 with one scale per label: the steps are far below the noise of an SVM."""
    arrays: dict[str, Any] = {"hashes": branch.vocabulary.hashes, "idf": branch.vocabulary.idf}
    for head in HEADS:
        weights = branch.weights[head]
        scale = np.maximum(np.abs(weights).max(axis=0), 1e-8) / 127
        arrays[f"{head}_weight"] = np.round(weights / scale).astype(np.int8)
        arrays[f"{head}_scale"] = scale.astype(np.float32)
        arrays[f"{head}_bias"] = branch.intercepts[head].astype(np.float32)
    np.savez_compressed(path, **arrays)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
