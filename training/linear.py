"""The linear branch: character n-grams weighted by TF-IDF, one linear SVM per head (Joachims 1998).

It is the strongest baseline on this task and, blended with the encoder, a part of the bundled model.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from nlp.ngrams import NgramVocabulary, count_ngrams
from nlp.petition import HEADS, Head
from nlp.taxonomy import Taxonomy
from training.data import Example


def choose_vocabulary(texts: Sequence[str], *, n_ngrams: int, min_documents: int = 3) -> NgramVocabulary:
    """Return the `n_ngrams` n-grams with the highest document frequency among those in `min_documents` or more."""
    frequencies: Counter[int] = Counter()
    for text in texts:
        frequencies.update(count_ngrams(text).keys())
    chosen = sorted(h for h, n in frequencies.most_common(n_ngrams) if n >= min_documents)
    hashes = np.asarray(chosen, dtype=np.uint32)
    documents = np.asarray([frequencies[h] for h in chosen], dtype=np.float32)
    return NgramVocabulary(hashes=hashes, idf=np.log((1 + len(texts)) / (1 + documents)) + 1)


def feature_matrix(texts: Sequence[str], vocabulary: NgramVocabulary) -> csr_matrix:
    """Return the TF-IDF rows (len(texts), n_ngrams) of `texts`."""
    rows = [vocabulary.features(text)[:2] for text in texts]
    indptr = np.cumsum([0, *(len(indices) for indices, _ in rows)])
    indices = np.concatenate([indices for indices, _ in rows]) if rows else np.empty(0, np.int64)
    values = np.concatenate([values for _, values in rows]) if rows else np.empty(0, np.float32)
    return csr_matrix((values, indices, indptr), shape=(len(texts), len(vocabulary.hashes)))


@dataclass(frozen=True, kw_only=True)
class LinearBranch:
    """Weights per head (n_ngrams, labels) and intercepts (labels,); labels never seen get a constant low score."""

    vocabulary: NgramVocabulary
    weights: Mapping[Head, NDArray[np.float32]]
    intercepts: Mapping[Head, NDArray[np.float32]]

    def scores(self, features: csr_matrix) -> dict[Head, NDArray[np.float32]]:
        """Return SVM scores (rows, labels) per head."""
        return {head: features @ self.weights[head] + self.intercepts[head] for head in self.weights}


N_NGRAMS = 60_000
"""How many n-grams the branch of a bundle knows."""

UNSEEN = -3.0
"""Score of a label without training rows: lower than any trained SVM gives in practice (they lie around -1)."""


def fit_linear_branch(fit: Sequence[Example], taxonomy: Taxonomy) -> LinearBranch:
    """Return the linear branch fitted on the labelled examples of the fit split."""
    labelled = [example for example in fit if example.labels]
    texts = [example.text for example in labelled]
    labels = {head: [example.labels.get(head) for example in labelled] for head in HEADS}
    vocabulary = choose_vocabulary(texts, n_ngrams=N_NGRAMS)
    return fit_linear(texts, labels, taxonomy.labels, vocabulary=vocabulary)


def fit_linear(
    texts: Sequence[str],
    labels: Mapping[Head, Sequence[str | None]],
    names: Mapping[Head, Sequence[str]],
    *,
    vocabulary: NgramVocabulary,
    cost: float = 0.5,
    sample_weight: NDArray[np.float64] | None = None,
) -> LinearBranch:
    """Fit one SVM per head on the rows that carry its label; `names[head]` gives the order of the outputs.

    A head whose rows all carry one label always answers that label.
    """
    features = feature_matrix(texts, vocabulary)
    weights: dict[Head, NDArray[np.float32]] = {}
    intercepts: dict[Head, NDArray[np.float32]] = {}
    for head in HEADS:
        if head not in labels:
            continue
        weights[head] = np.zeros((features.shape[1], len(names[head])), dtype=np.float32)
        intercepts[head] = np.full(len(names[head]), UNSEEN, dtype=np.float32)
        rows = np.asarray([i for i, label in enumerate(labels[head]) if label is not None], dtype=np.int64)
        truth = np.asarray([labels[head][i] for i in rows])
        if len(seen := set(truth.tolist())) < 2:
            intercepts[head][[list(names[head]).index(name) for name in seen]] = 0
            continue
        # The SVM's own intercept is penalised unless scaled up; 1 keeps rare classes from being favoured.
        svm = LinearSVC(C=cost, intercept_scaling=1.0, dual=True, max_iter=3000)
        svm.fit(features[rows], truth, None if sample_weight is None else sample_weight[rows])
        columns = [list(names[head]).index(name) for name in svm.classes_]
        coefficients, intercept = svm.coef_, svm.intercept_
        if len(svm.classes_) == 2:
            coefficients, intercept = np.vstack([-coefficients, coefficients]), np.append(-intercept, intercept)
        weights[head][:, columns] = coefficients.T
        intercepts[head][columns] = intercept
    return LinearBranch(vocabulary=vocabulary, weights=weights, intercepts=intercepts)
