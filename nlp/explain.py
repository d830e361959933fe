"""Which words of the citizen moved the answer.

Both branches are additive in what they read last: the encoder's heads are linear in its piece vectors (given the
attention), the linear branch in its n-grams. So the lead of the best answer over the second splits exactly into
contributions of characters, at the cost of a few vector products and without running the model again. Contributions
are summed over clauses; the clauses that carry most of the lead are shown.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nlp.calibrate import Blend
from nlp.ngrams import ngram_hash, ngrams
from nlp.petition import Evidence, Head, Masked, Prediction
from nlp.runtime import Reading, Runtime

Floats = NDArray[np.float32]

_CLAUSE = re.compile(r"[^,。;!?、:\n]+")
_LONGEST = 24
"""A clause longer than this is cut to the stretch of this length that carries most."""

_PER_HEAD = 2


def explain(
    masked: Masked,
    reading: Reading,
    *,
    runtime: Runtime,
    predictions: Mapping[Head, Prediction],
    blends: Mapping[Head, Blend],
    labels: Mapping[Head, Sequence[str]],
) -> tuple[Evidence, ...]:
    """Return for every head up to two spans of the original with their share of the answer's support, largest first."""
    found: list[Evidence] = []
    length, clauses = len(masked.text), _clauses(masked.text)
    occurrences = _Occurrences(masked.text, runtime)
    for head, prediction in predictions.items():
        best, second = _two_best(prediction, labels[head])
        if second is None:
            continue
        weight, branch = runtime.heads[head].weight, runtime.linear[head]
        known = branch.weight[occurrences.places]
        lead = known[:, best] * branch.scale[best] - known[:, second] * branch.scale[second]
        support = blends[head].encoder * _encoder_support(reading, weight[:, best] - weight[:, second], length)
        support += blends[head].linear * occurrences.support(lead)
        found += _evidence(head, prediction.best.code, support, clauses, masked)
    return tuple(found)


def strongest_span(
    masked: Masked, reading: Reading, runtime: Runtime, *, encoder: Floats, linear: Floats
) -> tuple[int, int]:
    """Return the span of the original that raises one score most.

    The score's weights are `encoder` (2 * width,) on the pooled vector and `linear` (n-grams,) on the vocabulary.
    """
    support = _encoder_support(reading, encoder, len(masked.text))
    occurrences = _Occurrences(masked.text, runtime)
    support += occurrences.support(linear[occurrences.places])
    clauses = _clauses(masked.text) or [(0, len(masked.text))]
    start, end, _ = max((_strongest_stretch(support, *clause) for clause in clauses), key=lambda span: span[2])
    return masked.original_span(start, end)


def _two_best(prediction: Prediction, labels: Sequence[str]) -> tuple[int, int | None]:
    places = [labels.index(candidate.code) for candidate in prediction.candidates[:2]]
    return places[0], places[1] if len(places) > 1 else None


def _encoder_support(reading: Reading, lead: Floats, length: int) -> Floats:
    """Spread each piece's share of a score, with weights `lead` (2 * width,), evenly over its characters."""
    width = reading.hidden.shape[1]
    per_piece = reading.hidden @ lead[:width] / len(reading.hidden)
    per_piece += reading.attention * (reading.hidden @ lead[width:])
    bounds = np.asarray(reading.spans, dtype=np.int64)
    sizes = np.maximum(bounds[:, 1] - bounds[:, 0], 1)
    # [CLS] and [SEP] stand for no character.
    return _spread(bounds[:, 0], bounds[:, 1], np.where(bounds[:, 1] > bounds[:, 0], per_piece, 0) / sizes, length)


def _spread(starts: NDArray[np.int64], ends: NDArray[np.int64], values: NDArray[np.floating], length: int) -> Floats:
    """Return per character the sum of the `values` of all spans that cover it: a running sum of starts and ends."""
    steps = np.zeros(length + 1, dtype=np.float64)
    np.add.at(steps, starts, values)
    np.add.at(steps, ends, -values)
    return np.asarray(np.cumsum(steps)[:-1], dtype=np.float32)


class _Occurrences:
    """Where the known n-grams of a text stand, found once for all heads; `places` tells them in the vocabulary."""

    def __init__(self, text: str, runtime: Runtime) -> None:
        self._length = len(text)
        self._runtime = runtime
        placed = list(ngrams(text))
        hashes = np.fromiter((ngram_hash(gram) for _, gram in placed), dtype=np.uint32, count=len(placed))
        self.places = runtime.vocabulary.find(hashes) if len(placed) else np.empty(0, np.int64)
        self._starts = np.fromiter((start for start, _ in placed), dtype=np.int64, count=len(placed))
        self._sizes = np.fromiter((len(gram) for _, gram in placed), dtype=np.int64, count=len(placed))
        indices, values, _ = runtime.vocabulary.features(text)
        value_of = np.zeros(len(runtime.vocabulary.hashes), dtype=np.float32)
        value_of[indices] = values
        known = self.places >= 0
        self.places, self._starts, self._sizes = self.places[known], self._starts[known], self._sizes[known]
        # An n-gram's value belongs to all its occurrences together.
        counts = np.bincount(self.places, minlength=len(value_of)) if len(self.places) else np.ones(1)
        self._values = value_of[self.places] / counts[self.places] if len(self.places) else np.empty(0, np.float32)

    def support(self, lead: Floats) -> Floats:
        """Return every character's share (characters,) of a score that weighs the n-gram `places[i]` by `lead[i]`."""
        per_character = self._values * lead / self._sizes
        return _spread(self._starts, self._starts + self._sizes, per_character, self._length)


def _clauses(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _CLAUSE.finditer(text)]


def _evidence(
    head: Head, code: str, support: Floats, clauses: Sequence[tuple[int, int]], masked: Masked
) -> list[Evidence]:
    spans = [_strongest_stretch(support, *clause) for clause in clauses]
    total = sum(value for _, _, value in spans if value > 0)
    chosen = sorted((span for span in spans if span[2] > 0), key=lambda span: -span[2])[:_PER_HEAD]
    evidence = []
    for start, end, value in chosen:
        first, last = masked.original_span(start, end)
        evidence.append(Evidence(head=head, code=code, start=first, end=last, weight=round(float(value / total), 4)))
    return evidence


def _strongest_stretch(support: Floats, start: int, end: int) -> tuple[int, int, float]:
    """Return the clause, or of a long one the stretch of `_LONGEST` characters with the largest sum."""
    if end - start <= _LONGEST:
        return start, end, float(support[start:end].sum())
    sums = np.convolve(support[start:end], np.ones(_LONGEST, dtype=np.float32), mode="valid")
    best = int(sums.argmax())
    return start + best, start + best + _LONGEST, float(sums[best])
