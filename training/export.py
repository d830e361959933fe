"""From a fine-tuned run to a bundle that serves without torch.

Fits the linear branch, exports the encoder to ONNX (int8), calibrates with the very runtime that serves, chooses the
thresholds, and writes the checksummed folder. Its figures are empty, and its card says so, until an evaluation adds
them.
"""

import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from rich.console import Console
from torch import Tensor, nn

from nlp.bundle import FILES, Bundle, write_sums
from nlp.calibrate import Calibration
from nlp.petition import HEADS
from nlp.taxonomy import load_taxonomy
from training.card import render_card
from training.classifier import load_run
from training.corrections import deal_examples
from training.cross_fit import cross_fit
from training.data import Example
from training.flags import (
    RULES_ALONE,
    LinearFlags,
    fit_linear_flags,
    flag_array,
    write_flag_model,
)
from training.linear import LinearBranch, feature_matrix, fit_linear_branch
from training.model import PetitionClassifier
from training.settings import RecipeError
from training.split import HELD, Split


class ServedEncoder(nn.Module):
    """The part of a classifier that goes into ONNX: piece ids of one window → piece vectors and attention scores."""

    def __init__(self, model: PetitionClassifier) -> None:
        """Wrap a fine-tuned classifier."""
        super().__init__()
        self.model = model

    def forward(self, pieces: Tensor) -> tuple[Tensor, Tensor]:
        """Return hidden (windows, length, width) and scores (windows, length)."""
        return self.model.read(pieces)


def export_bundle(
    run: Path,
    out: Path,
    *,
    data: Path,
    console: Console,
    quantise: bool = True,
    dealt: Mapping[Split, Sequence[Example]] | None = None,
) -> Path:
    """Write the bundle of a fine-tuning `run` to the new folder `out`, not yet measured; return `out`.

    `dealt` stands in for the frozen splits of the messages in `data`. The folder is made beside `out` and renamed when
    it is whole. Raises RecipeError if `out` is there already.
    """
    if out.exists():
        raise RecipeError(f"{out} is there already; name a new folder, or move the old bundle away first")
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        draft = Path(scratch) / out.name
        draft.mkdir()
        _fill(draft, run, data=data, console=console, quantise=quantise, dealt=dealt)
        draft.rename(out)
    return out


def _fill(
    out: Path,
    run: Path,
    *,
    data: Path,
    console: Console,
    quantise: bool,
    dealt: Mapping[Split, Sequence[Example]] | None,
) -> None:
    """Make every file of the bundle of `run` in the empty folder `out`."""
    taxonomy = load_taxonomy()
    trained = load_run(run, taxonomy)
    model, settings = trained.model, trained.settings
    console.print("exporting the encoder")
    export_encoder(model, out / "model.onnx", quantise=quantise)
    shutil.copy(run / "tokenizer.json", out / "tokenizer.json")
    _write_heads(model, out / "heads.npz")
    if dealt is None:
        dealt = deal_examples(
            data, taxonomy, written=settings.written, corrections=settings.corrections, console=console
        )
    console.print("fitting the linear branch")
    branch = fit_linear_branch(dealt["fit"], taxonomy)
    _write_linear(branch, out / "linear.npz")
    _write_flags(model, _linear_flags(dealt["fit"], branch), out / "flags.npz")
    write_flag_model(RULES_ALONE, out / "flags.json")
    window = {"pieces": settings.window, "max_windows": settings.max_windows}
    labels = {"taxonomy_version": taxonomy.version, "labels": taxonomy.labels, "window": window}
    _write_json(out / "labels.json", labels)
    draft = Bundle(folder=out, id="draft")
    held = [e for split in HELD for e in dealt[split] if e.labels]
    fitted = cross_fit(draft, held, taxonomy)
    write_flag_model(fitted.flags, out / "flags.json")
    _write_calibration(fitted.calibration, out)
    _write_json(out / "thresholds.json", asdict(fitted.thresholds))
    shutil.copy(run / "provenance.json", out / "settings.json")
    _write_json(out / "metrics.json", {})
    card = render_card({}, draft.settings, draft.thresholds)
    (out / "card.md").write_text(card, encoding="utf-8")
    seal(out)


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


def _linear_flags(fit: Sequence[Example], branch: LinearBranch) -> LinearFlags:
    features = feature_matrix([example.text for example in fit], branch.vocabulary)
    return fit_linear_flags(features, flag_array(fit))


def _write_calibration(calibration: Calibration, out: Path) -> None:
    _write_json(out / "calibration.json", {head: asdict(blend) for head, blend in calibration.blends.items()})
    arrays: dict[str, Any] = {}
    for head, shift in calibration.shifts.items():
        arrays |= {f"{head}_bias": shift.bias, f"{head}_weight": shift.weight}
    np.savez_compressed(out / "calibration.npz", **arrays)


def _write_heads(model: PetitionClassifier, path: Path) -> None:
    arrays: dict[str, Any] = {}
    for head in HEADS:
        layer = cast(nn.Linear, model.heads[head])
        arrays[f"{head}_weight"] = layer.weight.detach().numpy().T.copy()
        arrays[f"{head}_bias"] = layer.bias.detach().numpy()
    np.savez(path, **arrays)


def _write_linear(branch: LinearBranch, path: Path) -> None:
    arrays: dict[str, Any] = {"hashes": branch.vocabulary.hashes, "idf": branch.vocabulary.idf}
    for head in HEADS:
        arrays[f"{head}_weight"], arrays[f"{head}_scale"] = _as_int8(branch.weights[head])
        arrays[f"{head}_bias"] = branch.intercepts[head].astype(np.float32)
    np.savez_compressed(path, **arrays)


def _write_flags(model: PetitionClassifier, linear: LinearFlags, path: Path) -> None:
    layer = cast(nn.Linear, model.heads["flags"])
    weight, scale = _as_int8(linear.weights)
    np.savez_compressed(
        path,
        encoder_weight=layer.weight.detach().numpy().T.copy(),
        encoder_bias=layer.bias.detach().numpy(),
        linear_weight=weight,
        linear_scale=scale,
        linear_bias=linear.intercepts,
    )


def _as_int8(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return weights (n-grams, labels) as int8 with one scale per label: the steps are far below an SVM's noise."""
    scale = np.maximum(np.abs(weights).max(axis=0), 1e-8) / 127
    return np.round(weights / scale).astype(np.int8), scale.astype(np.float32)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
