"""The model bundle: one self-describing folder, the unit that is trained, checked, promoted and served.

    model.onnx        encoder: piece ids of one window → piece vectors and attention scores
    tokenizer.json    pieces
    heads.npz         linear heads on the encoder
    linear.npz        linear branch: n-gram hashes, idf, int8 weights
    labels.json       taxonomy version and the labels of every head in order
    calibration.json  weights of the two branches per head
    thresholds.json   when a suggestion may stand without review
    settings.json     how it was made: recipe, revision, data hashes
    metrics.json      figures on the test split
    card.md           for people
    SHA256SUMS        of all of them

Loading verifies everything and refuses with one clear error. No pickle anywhere.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from nlp.calibrate import Blend, Calibration
from nlp.decide import Thresholds
from nlp.errors import BundleError
from nlp.ngrams import NgramVocabulary
from nlp.petition import HEADS
from nlp.runtime import HeadWeights, LinearHead, Runtime
from nlp.taxonomy import Taxonomy
from nlp.tokenise import PieceTokeniser

FILES = (
    "model.onnx",
    "tokenizer.json",
    "heads.npz",
    "linear.npz",
    "labels.json",
    "calibration.json",
    "thresholds.json",
    "settings.json",
    "metrics.json",
    "card.md",
)
SUMS = "SHA256SUMS"
DEFAULT = Path(__file__).parent / "bundles" / "default"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A verified bundle. `id` is the folder's name and the start of the hash of its checksum file."""

    folder: Path
    id: str

    @cached_property
    def card(self) -> str:
        """The model card, Markdown."""
        return (self.folder / "card.md").read_text(encoding="utf-8")

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """Figures on the test split."""
        return self._json("metrics.json")

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """How the bundle was made."""
        return self._json("settings.json")

    @cached_property
    def thresholds(self) -> Mapping[str, Any]:
        """The content of thresholds.json."""
        return self._json("thresholds.json")

    def decision_thresholds(self) -> Thresholds:
        """Return the thresholds in the form `nlp.decide` uses; raises BundleError if the file does not fit."""
        raw = self.thresholds
        try:
            return Thresholds(**{**raw, "needed": tuple(raw["needed"])})
        except (KeyError, TypeError) as error:
            raise BundleError(f"{self.folder}/thresholds.json does not fit this program: {error}") from error

    def calibration(self) -> Calibration:
        """Return the branches' weights and the label order; raises BundleError if the file does not fit."""
        raw = self._json("calibration.json")
        labels = self._json("labels.json")["labels"]
        try:
            blends = {head: Blend(**raw[head]) for head in HEADS}
        except (KeyError, TypeError) as error:
            raise BundleError(f"{self.folder}/calibration.json does not fit this program: {error}") from error
        return Calibration(blends=blends, labels={head: tuple(labels[head]) for head in HEADS})

    def runtime(self, *, n_threads: int | None = None) -> Runtime:
        """Open the model for inference."""
        window = self._json("labels.json")["window"]
        tokeniser = PieceTokeniser(
            Tokenizer.from_file(str(self.folder / "tokenizer.json")),
            window=window["pieces"],
            max_windows=window["max_windows"],
        )
        with np.load(self.folder / "heads.npz", allow_pickle=False) as arrays:
            heads = {
                head: HeadWeights(weight=arrays[f"{head}_weight"], bias=arrays[f"{head}_bias"]) for head in HEADS
            }
        with np.load(self.folder / "linear.npz", allow_pickle=False) as arrays:
            vocabulary = NgramVocabulary(hashes=arrays["hashes"], idf=arrays["idf"])
            linear = {
                head: LinearHead(
                    weight=arrays[f"{head}_weight"], scale=arrays[f"{head}_scale"], bias=arrays[f"{head}_bias"]
                )
                for head in HEADS
            }
        return Runtime(
            self.folder / "model.onnx",
            tokeniser=tokeniser,
            heads=heads,
            vocabulary=vocabulary,
            linear=linear,
            n_threads=n_threads,
        )

    def _json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / name).read_text(encoding="utf-8"))
        return content


def load_bundle(folder: Path | None, taxonomy: Taxonomy) -> Bundle:
    """Verify the bundle in `folder` (None: the one that comes with the package) against `taxonomy`.

    Raises BundleError if a file is missing or altered, or the labels are not those of `taxonomy` in its order.
    """
    folder = folder or DEFAULT
    if not folder.is_dir():
        raise BundleError(f"no bundle at {folder}: a folder with {', '.join(FILES)} and {SUMS} is needed")
    sums_file = folder / SUMS
    if not sums_file.is_file():
        raise BundleError(f"{sums_file} is missing, the bundle cannot be verified")
    sums = _read_sums(sums_file)
    for name in FILES:
        if not (folder / name).is_file():
            raise BundleError(f"{folder}/{name} is missing")
        if sums.get(name) != sha256(folder / name):
            raise BundleError(f"{folder}/{name} does not match its checksum in {SUMS}: damaged or altered")
    bundle = Bundle(folder=folder, id=f"{folder.name}-{sha256(sums_file)[:10]}")
    _check_labels(bundle, taxonomy)
    return bundle


def write_sums(folder: Path) -> None:
    """Write the checksum file of a finished bundle."""
    lines = [f"{sha256(folder / name)}  {name}" for name in FILES]
    (folder / SUMS).write_text("\n".join(lines) + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_sums(path: Path) -> dict[str, str]:
    pairs = (line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines() if "  " in line)
    return {name: digest for digest, name in pairs}


def _check_labels(bundle: Bundle, taxonomy: Taxonomy) -> None:
    content = json.loads((bundle.folder / "labels.json").read_text(encoding="utf-8"))
    if content["taxonomy_version"] != taxonomy.version:
        raise BundleError(
            f"{bundle.folder} was made for taxonomy {content['taxonomy_version']}, this program has {taxonomy.version}"
        )
    for head in HEADS:
        if tuple(content["labels"].get(head, ())) != taxonomy.labels[head]:
            raise BundleError(f"{bundle.folder}: the labels of head {head} differ from the taxonomy's, or their order")
