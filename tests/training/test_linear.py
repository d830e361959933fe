"""The linear branch: its features and scores against scikit-learn, labels never seen, partial labels."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from nlp.ngrams import ngram_hash
from nlp.petition import HEADS
from training.linear import UNSEEN, choose_vocabulary, feature_matrix, fit_linear

NAMES = dict.fromkeys(HEADS, ("甲", "乙", "丙", "丁"))


@pytest.fixture(scope="module")
def vocabulary(texts):
    return choose_vocabulary(texts, n_ngrams=4000, min_documents=2)


@pytest.fixture(scope="module")
def labels(texts):
    """Three classes that the words decide; nobody is 丁."""
    return ["甲" if "村" in text else "乙" if "小区" in text else "丙" for text in texts]


def test_the_vocabulary_holds_the_ngrams_of_most_documents(vocabulary):
    assert np.array_equal(vocabulary.hashes, np.unique(vocabulary.hashes))
    assert len(vocabulary.hashes) <= 4000
    assert ngram_hash("的") in vocabulary.hashes
    rare = choose_vocabulary(["停电", "停电", "停水"], n_ngrams=99, min_documents=2)
    assert sorted(rare.hashes.tolist()) == sorted(ngram_hash(gram) for gram in ("停", "电", "停电"))
    assert rare.idf.dtype == np.float32


def test_rarer_ngrams_weigh_more(vocabulary):
    def idf(gram):
        return vocabulary.idf[vocabulary.find(np.asarray([ngram_hash(gram)], dtype=np.uint32))[0]]

    assert idf("业主") > idf("小区") > idf("的")


def test_rows_of_the_matrix_are_the_features_of_the_texts(texts, vocabulary):
    matrix = feature_matrix(texts[:9], vocabulary)
    assert matrix.shape == (9, len(vocabulary.hashes))
    for row, text in enumerate(texts[:9]):
        indices, values, _ = vocabulary.features(text)
        dense = np.zeros(len(vocabulary.hashes), dtype=np.float32)
        dense[indices] = values
        assert np.array_equal(matrix[row].toarray()[0], dense)
    assert feature_matrix([], vocabulary).shape == (0, len(vocabulary.hashes))


def test_scores_are_those_of_the_svm_and_labels_never_seen_come_last(texts, vocabulary, labels):
    branch = fit_linear(texts, {"nature": labels}, NAMES, vocabulary=vocabulary)
    features = feature_matrix(texts, vocabulary)
    oracle = LinearSVC(C=0.5, max_iter=3000).fit(features, labels)
    scores = branch.scores(features)
    assert set(scores) == {"nature"}
    columns = [NAMES["nature"].index(name) for name in oracle.classes_]
    assert scores["nature"][:, columns] == pytest.approx(oracle.decision_function(features), abs=2e-3)
    assert (scores["nature"][:, 3] == UNSEEN).all()
    predicted = [NAMES["nature"][place] for place in scores["nature"].argmax(1)]
    assert np.mean(np.asarray(predicted) == np.asarray(labels)) > 0.95


def test_two_classes_give_two_columns_that_mirror_each_other(texts, vocabulary, labels):
    two = ["甲" if label == "甲" else "丙" for label in labels]
    branch = fit_linear(texts, {"channel": two}, NAMES, vocabulary=vocabulary)
    scores = branch.scores(feature_matrix(texts, vocabulary))["channel"]
    assert scores[:, 0] == pytest.approx(-scores[:, 2], abs=1e-6)
    assert (scores[:, 0] > 0).tolist() == [label == "甲" for label in two]


def test_rows_without_a_label_do_not_count(texts, vocabulary, labels):
    half = len(texts) // 2
    partial = [label if i < half else None for i, label in enumerate(labels)]
    some = fit_linear(texts, {"nature": partial}, NAMES, vocabulary=vocabulary)
    only = fit_linear(texts[:half], {"nature": labels[:half]}, NAMES, vocabulary=vocabulary)
    assert some.weights["nature"] == pytest.approx(only.weights["nature"], abs=1e-3)


def test_a_head_with_fewer_than_two_classes_has_no_say(texts, vocabulary):
    branch = fit_linear(
        texts, {"nature": ["乙"] * len(texts), "channel": [None] * len(texts)}, NAMES, vocabulary=vocabulary
    )
    scores = branch.scores(csr_matrix((1, len(vocabulary.hashes)), dtype=np.float32))
    assert scores["nature"].argmax(1).tolist() == [1]
    assert (scores["channel"] == UNSEEN).all()
