"""From raw scores of two branches to probabilities that sum to 1 and to answers that agree with each other."""

import numpy as np
import pytest

from nlp.calibrate import SHIFTED, Blend, Calibration, Shift, parent_indices, rank, share_among_siblings, softmax
from nlp.petition import HEADS, Scores
from nlp.taxonomy import load_taxonomy

LABELS = load_taxonomy().labels


def raw_scores(rng: np.random.Generator, n_rows: int | None = None):
    shape = () if n_rows is None else (n_rows,)
    return {head: rng.normal(scale=3, size=(*shape, len(LABELS[head]))).astype(np.float32) for head in HEADS}


@pytest.fixture
def calibration() -> Calibration:
    return Calibration(blends=dict.fromkeys(HEADS, Blend(encoder=0.7, linear=1.3)), labels=LABELS)


def test_probabilities_of_every_head_sum_to_one(calibration):
    rng = np.random.default_rng(1)
    scores = calibration.scores(raw_scores(rng, 50), raw_scores(rng, 50)).probabilities
    for head in HEADS:
        assert scores[head].shape == (50, len(LABELS[head]))
        assert scores[head].sum(axis=1) == pytest.approx(np.ones(50), abs=1e-5)
        assert (scores[head] >= 0).all()


def test_one_text_gives_what_it_gives_among_others(calibration):
    rng = np.random.default_rng(2)
    encoder, linear = raw_scores(rng, 9), raw_scores(rng, 9)
    together = calibration.scores(encoder, linear).probabilities
    for row in range(9):
        alone = calibration.scores({h: encoder[h][row] for h in HEADS}, {h: linear[h][row] for h in HEADS})
        for head in HEADS:
            assert alone.probabilities[head] == pytest.approx(together[head][row], abs=1e-6)


def test_the_second_level_sums_to_the_first(calibration):
    rng = np.random.default_rng(3)
    scores = calibration.scores(raw_scores(rng, 20), raw_scores(rng, 20)).probabilities
    parents = parent_indices(LABELS)
    for parent in range(len(LABELS["category_l1"])):
        children = scores["category_l2"][:, parents == parent].sum(axis=1)
        assert children == pytest.approx(scores["category_l1"][:, parent], abs=1e-5)


def test_the_best_second_level_class_always_lies_under_the_best_first_level_class(calibration):
    rng = np.random.default_rng(4)
    scores = calibration.scores(raw_scores(rng, 300), raw_scores(rng, 300))
    first, second = rank(scores, "category_l1", LABELS)[:, 0], rank(scores, "category_l2", LABELS)[:, 0]
    assert (parent_indices(LABELS)[second] == first).all()
    # Without that rule the two would disagree now and then, so the test means something.
    assert (parent_indices(LABELS)[scores.probabilities["category_l2"].argmax(axis=1)] != first).any()


def test_ranks_go_from_the_most_to_the_least_probable_and_ties_keep_the_label_order():
    probabilities = np.asarray([0.2, 0.3, 0.3, 0.2], dtype=np.float32)
    assert rank(Scores(probabilities={"nature": probabilities}), "nature", LABELS).tolist() == [1, 2, 0, 3]


def test_softmax_stands_large_scores():
    assert softmax(np.asarray([1e4, 0.0, -1e4], dtype=np.float32)).tolist() == [1.0, 0.0, 0.0]


def test_shares_among_siblings_of_a_hand_made_case():
    logits = np.log(np.asarray([1, 3, 5, 5], dtype=np.float32))
    shares = share_among_siblings(logits, np.asarray([0.4, 0.6], dtype=np.float32), np.asarray([0, 0, 1, 1]))
    assert shares == pytest.approx([0.1, 0.3, 0.3, 0.3])


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf"), "1", None, True])
def test_weights_that_make_no_sense_are_refused(weight):
    with pytest.raises(ValueError, match="weights must be numbers"):
        Blend(encoder=weight, linear=1.0)


def shifts(rng: np.random.Generator) -> dict:
    n_said = sum(len(LABELS[head]) for head in HEADS)
    sizes = {head: len(LABELS[head]) for head in SHIFTED}
    return {
        head: Shift(
            bias=rng.normal(size=size).astype(np.float32), weight=rng.normal(size=(n_said, size)).astype(np.float32)
        )
        for head, size in sizes.items()
    }


def test_what_a_head_says_shifts_another(calibration):
    rng = np.random.default_rng(5)
    encoder, linear = raw_scores(rng), raw_scores(rng)
    n_said = sum(len(LABELS[head]) for head in HEADS)
    weight = np.zeros((n_said, len(LABELS["channel"])), np.float32)
    said_by_nature = len(LABELS["category_l1"]) + len(LABELS["category_l2"])
    weight[said_by_nature : said_by_nature + len(LABELS["nature"]), 3] = 50.0
    listening = {"channel": Shift(bias=np.zeros(len(LABELS["channel"]), np.float32), weight=weight)}
    shifted = Calibration(blends=calibration.blends, labels=LABELS, shifts=listening).scores(encoder, linear)
    plain = calibration.scores(encoder, linear)
    assert shifted.probabilities["channel"].argmax() == 3 != plain.probabilities["channel"].argmax()
    assert shifted.probabilities["department"] == pytest.approx(plain.probabilities["department"])


def test_shifted_answers_of_one_text_are_those_among_others_and_levels_still_agree(calibration):
    rng = np.random.default_rng(6)
    listening = Calibration(blends=calibration.blends, labels=LABELS, shifts=shifts(rng))
    encoder, linear = raw_scores(rng, 9), raw_scores(rng, 9)
    together = listening.scores(encoder, linear).probabilities
    alone = listening.scores({h: encoder[h][4] for h in HEADS}, {h: linear[h][4] for h in HEADS}).probabilities
    for head in HEADS:
        assert alone[head] == pytest.approx(together[head][4], abs=1e-5)
    parents = parent_indices(LABELS)
    for parent in range(len(LABELS["category_l1"])):
        children = together["category_l2"][:, parents == parent].sum(axis=1)
        assert children == pytest.approx(together["category_l1"][:, parent], abs=1e-5)


def test_a_shift_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        Shift(bias=np.asarray([np.nan], np.float32), weight=np.zeros((1, 1), np.float32))
