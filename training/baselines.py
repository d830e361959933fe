"""What has to be beaten: character n-grams with a linear SVM, and jieba words with logistic regression.

Both read the same normalised, masked text as the model and are trained on the same rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from nlp.tokenise import words

Kind = Literal["char_svm", "word_logistic"]
KINDS: tuple[Kind, ...] = ("char_svm", "word_logistic")


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A fitted vectoriser and one classifier per task; `names[task]` gives the order of the scores."""

    kind: Kind
    vectoriser: TfidfVectorizer
    classifiers: Mapping[str, Any]
    names: Mapping[str, Sequence[str]]

    def scores(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return raw scores (texts, labels) per task; labels never seen lie below every other."""
        features = self.vectoriser.transform(texts)
        found: dict[str, NDArray[np.float32]] = {}
        for task, classifier in self.classifiers.items():
            raw = classifier.decision_function(features)
            if raw.ndim == 1:
                raw = np.stack([-raw, raw], axis=1)
            scores = np.repeat(raw.min(axis=1, keepdims=True) - 1, len(self.names[task]), axis=1)
            scores[:, [list(self.names[task]).index(name) for name in classifier.classes_]] = raw
            found[task] = scores.astype(np.float32)
        return found


def fit_baseline(
    kind: Kind, texts: Sequence[str], labels: Mapping[Any, Sequence[str | None]], names: Mapping[Any, Sequence[str]]
) -> Baseline:
    """Fit one classifier per task of `labels` on the rows that carry its label; the vectoriser reads every text."""
    vectoriser = _vectoriser(kind)
    features = vectoriser.fit_transform(texts)
    classifiers: dict[str, Any] = {}
    for task, column in labels.items():
        rows = [i for i, label in enumerate(column) if label is not None]
        classifiers[task] = _classifier(kind).fit(features[rows], [column[i] for i in rows])
    return Baseline(kind=kind, vectoriser=vectoriser, classifiers=classifiers, names=names)


def _vectoriser(kind: Kind) -> TfidfVectorizer:
    if kind == "char_svm":
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True, dtype=np.float32)
    return TfidfVectorizer(analyzer=_word_list, min_df=2, sublinear_tf=True, dtype=np.float32)


def _word_list(text: str) -> list[str]:
    return list(words(text))


def _classifier(kind: Kind) -> Any:
    # The costs were chosen on the calibration split, see docs/evaluation.md.
    return LinearSVC(C=0.5) if kind == "char_svm" else LogisticRegression(C=20.0, max_iter=300, tol=1e-3)
