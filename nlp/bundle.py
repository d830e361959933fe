"""The model bundle: one self-describing folder, the unit that is trained, checked, promoted and served.

    model.onnx        encoder: piece ids of one window → piece vectors and attention scores
    tokenizer.json    pieces
    heads.npz         linear heads on the encoder
    linear.npz        linear branch: n-gram hashes, idf, int8 weights
    flags.npz         weights of the learned flags in both branches
    flags.json        their blends with the rules, and from which probability on they are raised
    labels.json       taxonomy version and the labels of every head in order
    calibration.json  weights of the two branches per head
    calibration.npz   shifts of a head's logits by what all heads say
    thresholds.json   when a suggestion may stand without review
    settings.json     how it was made: recipe, revision, data hashes
    metrics.json      figures on the test split
    card.md           for people
    SHA256SUMS        of all of them

Loading verifies everything and refuses with one clear error. No pickle anywhere.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from nlp.calibrate import SHIFTED, Blend, Calibration, Shift
from nlp.decide import Thresholds
from nlp.errors import BundleError
from nlp.flags import FlagBlend, FlagModel
from nlp.ngrams import NgramVocabulary
from nlp.petition import HEADS, Head
from nlp.runtime import FlagWeights, HeadWeights, LinearHead, Runtime
from nlp.taxonomy import Taxonomy
from nlp.tokenise import PieceTokeniser

FILES = (
    "model.onnx",
    "tokenizer.json",
    "heads.npz",
    "linear.npz",
    "flags.npz",
    "flags.json",
    "labels.json",
    "calibration.json",
    "calibration.npz",
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

    def decision_thresholds(self, budget: float | None = None) -> Thresholds:
        """Return the thresholds for an error `budget` (None: the bundle's own) in the form `nlp.decide` uses.

        Raises BundleError if the file does not fit or has no threshold for that budget.
        """
        with self._refusing("thresholds.json"):
            raw = self.thresholds
            thresholds = Thresholds(**{**raw, "needed": tuple(raw["needed"])})
            if 0 in (thresholds.joint, *thresholds.other_budgets.values()):
                raise ValueError("a joint threshold of 0 would let everything pass; null sends everything to review")
        try:
            return thresholds if budget is None else thresholds.within(budget)
        except ValueError as error:
            raise BundleError(f"模型包 {self.folder} {error}") from error

    def calibration(self) -> Calibration:
        """Return the branches' weights, the shifts and the label order; raises BundleError if a file does not fit."""
        with self._refusing("calibration.json"):
            raw = self._json("calibration.json")
            blends = {head: Blend(**raw[head]) for head in HEADS}
        sizes = self._sizes()
        with self._refusing("calibration.npz"), np.load(self.folder / "calibration.npz", allow_pickle=False) as arrays:
            shifts: dict[Head, Shift] = {}
            for head in SHIFTED:
                shifts[head] = Shift(bias=arrays[f"{head}_bias"], weight=arrays[f"{head}_weight"])
                _check_shape(f"{head}_bias", shifts[head].bias, (sizes[head],))
                _check_shape(f"{head}_weight", shifts[head].weight, (sum(sizes.values()), sizes[head]))
        return Calibration(blends=blends, labels=self._labels(), shifts=shifts)

    def flag_model(self) -> FlagModel:
        """Return the blends of the learned flags; raises BundleError if the file does not fit."""
        with self._refusing("flags.json"):
            raw = self._json("flags.json")
            blends = {code: FlagBlend(**blend) for code, blend in raw["blends"].items()}
            if not isinstance(raw["urgent"], dict):
                raise ValueError(f"urgent must hold a probability per flag, got {raw['urgent']!r}; export the run anew")
            return FlagModel(blends=blends, look=raw["look"], urgent=raw["urgent"])

    def runtime(self, *, n_threads: int | None = None) -> Runtime:
        """Open the model for inference; raises BundleError if its parts do not fit this program or one another."""
        vocabulary, linear = self._linear()
        return Runtime(
            self.folder / "model.onnx",
            tokeniser=self._tokeniser(),
            heads=self._heads(),
            vocabulary=vocabulary,
            linear=linear,
            flags=self._flags(n_ngrams=len(vocabulary.hashes)),
            n_threads=n_threads,
        )

    def _tokeniser(self) -> PieceTokeniser:
        with self._refusing("labels.json"):
            window = self._json("labels.json")["window"]
            n_pieces, max_windows = int(window["pieces"]), int(window["max_windows"])
        with self._refusing("tokenizer.json"):
            content = (self.folder / "tokenizer.json").read_text(encoding="utf-8")
            return PieceTokeniser(_read_tokenizer(content), window=n_pieces, max_windows=max_windows)

    def _heads(self) -> dict[Head, HeadWeights]:
        with self._refusing("heads.npz"), np.load(self.folder / "heads.npz", allow_pickle=False) as arrays:
            heads = {head: HeadWeights(weight=arrays[f"{head}_weight"], bias=arrays[f"{head}_bias"]) for head in HEADS}
            for head, n_labels in self._sizes().items():
                _check_shape(f"{head}_weight", heads[head].weight, (None, n_labels))
                _check_shape(f"{head}_bias", heads[head].bias, (n_labels,))
            return heads

    def _linear(self) -> tuple[NgramVocabulary, dict[Head, LinearHead]]:
        with self._refusing("linear.npz"), np.load(self.folder / "linear.npz", allow_pickle=False) as arrays:
            vocabulary = NgramVocabulary(hashes=arrays["hashes"], idf=arrays["idf"])
            linear = {
                head: LinearHead(
                    weight=arrays[f"{head}_weight"], scale=arrays[f"{head}_scale"], bias=arrays[f"{head}_bias"]
                )
                for head in HEADS
            }
            n_ngrams = len(vocabulary.hashes)
            _check_shape("idf", vocabulary.idf, (n_ngrams,))
            for head, n_labels in self._sizes().items():
                _check_shape(f"{head}_weight", linear[head].weight, (n_ngrams, n_labels))
                _check_shape(f"{head}_scale", linear[head].scale, (n_labels,))
                _check_shape(f"{head}_bias", linear[head].bias, (n_labels,))
            return vocabulary, linear

    def _flags(self, *, n_ngrams: int) -> FlagWeights:
        n_flags = len(self.flag_model().blends)
        with self._refusing("flags.npz"), np.load(self.folder / "flags.npz", allow_pickle=False) as arrays:
            _check_shape("encoder_weight", arrays["encoder_weight"], (None, n_flags))
            _check_shape("linear_weight", arrays["linear_weight"], (n_ngrams, n_flags))
            for name in ("encoder_bias", "linear_scale", "linear_bias"):
                _check_shape(name, arrays[name], (n_flags,))
            return FlagWeights(
                encoder=HeadWeights(weight=arrays["encoder_weight"], bias=arrays["encoder_bias"]),
                linear=LinearHead(
                    weight=arrays["linear_weight"], scale=arrays["linear_scale"], bias=arrays["linear_bias"]
                ),
            )

    def check_labels(self, taxonomy: Taxonomy) -> None:
        """Raise BundleError unless the model's outputs are the labels of `taxonomy`, in its order."""
        labels = self._labels()
        with self._refusing("labels.json"):
            version = self._json("labels.json")["taxonomy_version"]
        if version != taxonomy.version:
            raise BundleError(f"{self.folder} was made for taxonomy {version}, this program has {taxonomy.version}")
        for head in HEADS:
            if labels[head] != taxonomy.labels[head]:
                raise BundleError(f"{self.folder}: the labels of head {head} are not the taxonomy's, or in other order")

    def _labels(self) -> dict[Head, tuple[str, ...]]:
        with self._refusing("labels.json"):
            labels = self._json("labels.json")["labels"]
            return {head: tuple(labels[head]) for head in HEADS}

    def _sizes(self) -> dict[Head, int]:
        return {head: len(labels) for head, labels in self._labels().items()}

    def _json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / name).read_text(encoding="utf-8"))
        return content

    @contextmanager
    def _refusing(self, name: str) -> Iterator[None]:
        """Turn whatever is wrong with the content of one file into a BundleError that names it."""
        try:
            yield
        except (LookupError, TypeError, ValueError, OSError, BadZipFile) as error:
            reason = f"{type(error).__name__}: {error}"
            raise BundleError(f"{self.folder / name} does not fit this program: {reason}") from error


def load_bundle(folder: Path | None, taxonomy: Taxonomy) -> Bundle:
    """Verify the bundle in `folder` (None: the one that comes with the package) against `taxonomy`.

    Raises BundleError if a file is missing or altered, if the labels are not those of `taxonomy` in its order, or if
    calibration or thresholds make no sense. What is in the weights is checked when they are opened by `runtime`.
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
    bundle.check_labels(taxonomy)
    bundle.calibration()
    bundle.decision_thresholds()
    bundle.flag_model()
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
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _read_tokenizer(content: str) -> Tokenizer:
    try:
        return Tokenizer.from_str(content)
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(str(error)) from error


def _check_shape(name: str, array: NDArray[Any], shape: tuple[int | None, ...]) -> None:
    fits = len(shape) == array.ndim and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
    if not fits:
        raise ValueError(f"{name} has shape {array.shape}, {shape} is needed")
