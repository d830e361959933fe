"""Run a bundle's two branches on one text: encoder (ONNX) and linear n-grams; the only importer of onnxruntime.

Every text is run on its own, without padding. Dynamic int8 takes its scales from the whole input, so a text in a batch
would depend on its neighbours; one by one it cannot, and on CPU batching gains next to nothing (docs/decisions/0004).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from nlp.errors import BundleError
from nlp.ngrams import NgramVocabulary
from nlp.petition import HEADS, Head
from nlp.tokenise import PieceTokeniser, Windows

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """One text as the branches take it: windows of pieces for the encoder, weighted n-grams for the linear branch.

    `indices` (n-grams,) into the vocabulary with their `values` (n-grams,); `known_share` as in `Reading`.
    """

    windows: Windows
    indices: NDArray[np.int64]
    values: Floats
    known_share: float


@dataclass(frozen=True, kw_only=True)
class FlagScores:
    """Raw scores of the learned flags by both branches, shape (flags,) each."""

    encoder: Floats
    linear: Floats


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the branches make of one text, before calibration.

    `encoder` and `linear` hold raw scores per head (labels,); `known_share` is the share of the text's n-grams met in
    training. `hidden` (pieces, width), `attention` (pieces,) summing to 1, and `spans` keep what explaining needs.
    """

    encoder: Mapping[Head, Floats]
    linear: Mapping[Head, Floats]
    flags: FlagScores
    known_share: float
    hidden: Floats
    attention: Floats
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class HeadWeights:
    """One linear layer of the encoder branch: `weight` (2 * width, labels), `bias` (labels,)."""

    weight: Floats
    bias: Floats

    def scores(self, pooled: Floats) -> Floats:
        """Return raw scores (labels,) of one pooled vector (2 * width,)."""
        return pooled @ self.weight + self.bias


@dataclass(frozen=True, kw_only=True)
class LinearHead:
    """One head of the linear branch: int8 `weight` (n-grams, labels) times `scale` (labels,), plus `bias` (labels,)."""

    weight: NDArray[np.int8]
    scale: Floats
    bias: Floats

    def scores(self, indices: NDArray[np.int64], values: Floats) -> Floats:
        """Return raw scores (labels,) of one text's n-grams: `indices` (n,) and their `values` (n,)."""
        weighted: Floats = values @ self.weight[indices].astype(np.float32)
        return weighted * self.scale + self.bias


@dataclass(frozen=True, kw_only=True)
class FlagWeights:
    """The weights of the learned flags in both branches, in one order; there may be none."""

    encoder: HeadWeights
    linear: LinearHead

    def directions(self, flag: int) -> tuple[Floats, Floats]:
        """Return what raises one flag: weights on the pooled vector (2 * width,) and on the n-grams (n-grams,)."""
        return self.encoder.weight[:, flag], self.linear.weight[:, flag] * self.linear.scale[flag]


class Runtime:
    """Encoder session, tokeniser and the weights of all heads."""

    def __init__(
        self,
        model: Path,
        *,
        tokeniser: PieceTokeniser,
        heads: Mapping[Head, HeadWeights],
        vocabulary: NgramVocabulary,
        linear: Mapping[Head, LinearHead],
        flags: FlagWeights,
        n_threads: int | None = None,
    ) -> None:
        """Open the ONNX file `model`; `n_threads` None lets ONNX Runtime use every core.

        Raises BundleError if the file is no model or its width is not that of `heads`.
        """
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if n_threads is not None:
            options.intra_op_num_threads = n_threads
        # Spinning threads starve whatever else runs on a small server: see shared/design/DEPENDENCIES.md.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no narrower base
            raise BundleError(f"{model} cannot be opened: {error}") from error
        width = self._session.get_outputs()[0].shape[-1]
        layers: list[tuple[str, HeadWeights]] = [*((head, heads[head]) for head in HEADS), ("flags", flags.encoder)]
        if wrong := [name for name, layer in layers if layer.weight.shape[0] != 2 * width]:
            raise BundleError(f"{model} gives vectors of width {width}, the weights of {', '.join(wrong)} need another")
        self._tokeniser = tokeniser
        self.heads = heads
        self.vocabulary = vocabulary
        self.linear = linear
        self.flags = flags

    def read(self, text: str) -> Reading:
        """Return both branches' scores for one normalised, masked text; safe to call from several threads."""
        return self.infer(self.tokenise(text))

    def tokenise(self, text: str) -> Tokens:
        """Cut one normalised, masked text as both branches take it."""
        indices, values, known_share = self.vocabulary.features(text)
        return Tokens(windows=self._tokeniser.windows(text), indices=indices, values=values, known_share=known_share)

    def infer(self, tokens: Tokens) -> Reading:
        """Run both branches."""
        hidden_parts, score_parts = [], []
        for ids in tokens.windows.ids:
            hidden, scores = self._session.run(None, {"pieces": np.asarray([ids], dtype=np.int64)})
            hidden_parts.append(hidden[0])
            score_parts.append(scores[0])
        hidden = np.concatenate(hidden_parts)
        attention = _softmax(np.concatenate(score_parts))
        pooled = np.concatenate([hidden.mean(axis=0), attention @ hidden])
        return Reading(
            encoder={head: self.heads[head].scores(pooled) for head in HEADS},
            linear={head: self.linear[head].scores(tokens.indices, tokens.values) for head in HEADS},
            flags=FlagScores(
                encoder=self.flags.encoder.scores(pooled),
                linear=self.flags.linear.scores(tokens.indices, tokens.values),
            ),
            known_share=tokens.known_share,
            hidden=hidden,
            attention=attention,
            spans=tuple(span for window in tokens.windows.spans for span in window),
        )


def _softmax(scores: Floats) -> Floats:
    exponents = np.exp(scores - scores.max())
    return np.asarray(exponents / exponents.sum(), dtype=np.float32)
