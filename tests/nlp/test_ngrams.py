"""Character n-grams against scikit-learn's own TF-IDF."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from nlp.ngrams import MAX_CHARACTERS, SIZES, NgramVocabulary, count_ngrams, ngram_hash, ngrams

TEXTS = ["物业停电停水", "工资拖欠三个月", "停车难,停水也难", "医院收费不明"]


def vocabulary(*grams: str) -> NgramVocabulary:
    hashes = np.sort(np.asarray([ngram_hash(gram) for gram in grams], dtype=np.uint32))
    return NgramVocabulary(hashes=hashes, idf=np.ones(len(grams), dtype=np.float32))


def test_every_ngram_stands_where_it_says_and_crosses_no_line():
    text = "停电了\n三天\n\n没人管"
    found = list(ngrams(text))
    assert all(text[start : start + len(gram)] == gram and "\n" not in gram for start, gram in found)
    assert len(found) == sum(max(0, len(line) - size + 1) for line in text.split("\n") for size in SIZES)


@given(st.text(alphabet="停电水难\n,", max_size=40))
def test_counts_add_up(text):
    assert sum(count_ngrams(text).values()) == len(list(ngrams(text)))


def test_of_a_long_text_both_ends_are_read():
    text = "头" + "中" * (2 * MAX_CHARACTERS) + "尾"
    found = list(ngrams(text))
    assert (0, "头") in found
    assert (len(text) - 1, "尾") in found
    assert sum(len(gram) == 1 for _, gram in found) == MAX_CHARACTERS


def test_values_equal_those_of_scikit_learn():
    oracle = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True, lowercase=False)
    matrix = oracle.fit_transform(TEXTS).toarray()
    grams = list(oracle.vocabulary_)
    by_hash = sorted(grams, key=ngram_hash)
    own = NgramVocabulary(
        hashes=np.asarray([ngram_hash(gram) for gram in by_hash], dtype=np.uint32),
        idf=np.asarray([oracle.idf_[oracle.vocabulary_[gram]] for gram in by_hash], dtype=np.float32),
    )
    for row, text in enumerate(TEXTS):
        indices, values, known_share = own.features(text)
        expected = [matrix[row, oracle.vocabulary_[by_hash[index]]] for index in indices]
        assert values == pytest.approx(expected, abs=1e-6)
        assert known_share == 1.0


def test_the_known_share_counts_distinct_ngrams():
    # Of 停, 电, 停电 two are known.
    assert vocabulary("停", "停电").features("停电")[2] == pytest.approx(2 / 3)


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_text_has_no_features(text):
    indices, values, known_share = vocabulary("停").features(text)
    assert (len(indices), len(values), known_share) == (0, 0, 0.0)


def test_unknown_text_has_no_values_and_nothing_is_known_to_an_empty_vocabulary():
    assert vocabulary("停").features("abc")[2] == 0.0
    assert vocabulary().features("停电")[2] == 0.0
    assert vocabulary().find(np.asarray([1, 2], dtype=np.uint32)).tolist() == [-1, -1]
