"""The weights of the two branches, found again where they were planted."""

import numpy as np
import pytest

from nlp.calibrate import Blend, Calibration, parent_indices, share_among_siblings, softmax
from nlp.petition import HEADS
from nlp.taxonomy import load_taxonomy
from training.calibrate import fit_blend, fit_blends, fit_calibration

LABELS = load_taxonomy().labels


def sample(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (probabilities.cumsum(1) > rng.random((len(probabilities), 1))).argmax(1)


def planted(rng: np.random.Generator, n_rows: int, blend: Blend):
    encoder, linear = (
        {head: rng.normal(scale=2, size=(n_rows, len(LABELS[head]))).astype(np.float32) for head in HEADS}
        for _ in range(2)
    )
    calibration = Calibration(blends=dict.fromkeys(HEADS, blend), labels=LABELS)
    scores = calibration.scores(encoder, linear).probabilities
    truth = {head: sample(scores[head], rng) for head in HEADS}
    truth["category_l1"] = parent_indices(LABELS)[truth["category_l2"]]
    return encoder, linear, truth


@pytest.mark.parametrize("blend", [Blend(encoder=0.6, linear=1.4), Blend(encoder=1.2, linear=0.0)])
def test_planted_weights_are_found(blend):
    encoder, linear, truth = planted(np.random.default_rng(1), 4000, blend)
    found = fit_blends(encoder, linear, truth, LABELS)
    for head in HEADS:
        assert found[head].encoder == pytest.approx(blend.encoder, abs=0.12), head
        assert found[head].linear == pytest.approx(blend.linear, abs=0.12), head


def test_a_branch_that_misleads_gets_no_weight():
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 4, size=800)
    encoder = rng.normal(size=(800, 4)).astype(np.float32)
    linear = rng.normal(size=(800, 4)).astype(np.float32)
    encoder[np.arange(800), truth] += 2
    linear[np.arange(800), truth] -= 2
    found = fit_blend(encoder, linear, truth, allowed=np.ones((800, 4), dtype=bool))
    assert found.linear == pytest.approx(0, abs=1e-6)
    assert found.encoder > 0.5


def test_no_other_weights_are_more_likely():
    rng = np.random.default_rng(3)
    encoder, linear, truth = planted(rng, 600, Blend(encoder=0.9, linear=0.5))
    found = fit_blends(encoder, linear, truth, LABELS)["channel"]

    def likelihood(a, b):
        probabilities = softmax(a * encoder["channel"] + b * linear["channel"]).astype(np.float64)
        return np.log(probabilities[np.arange(600), truth["channel"]]).mean()

    best = likelihood(found.encoder, found.linear)
    for step in (-0.1, 0.1):
        assert likelihood(found.encoder + step, found.linear) < best
        assert likelihood(found.encoder, found.linear + step) < best


def test_the_second_level_is_fitted_among_the_siblings_of_the_true_first_level():
    # Scores that only tell first-level classes apart say nothing about the siblings: their weight has no effect.
    rng = np.random.default_rng(4)
    encoder, linear, truth = planted(rng, 2000, Blend(encoder=1.0, linear=0.0))
    parents = parent_indices(LABELS)
    shifted = dict(encoder)
    shifted["category_l2"] = encoder["category_l2"] + 50 * (parents[None, :] == rng.integers(0, 15, size=(2000, 1)))
    plain, moved = (fit_blends(scores, linear, truth, LABELS)["category_l2"] for scores in (encoder, shifted))
    assert moved.encoder == pytest.approx(plain.encoder, abs=0.01)
    shares = share_among_siblings(shifted["category_l2"], np.ones((2000, 15), dtype=np.float32), parents)
    assert shares == pytest.approx(
        share_among_siblings(encoder["category_l2"], np.ones((2000, 15), dtype=np.float32), parents), abs=1e-4
    )


def test_fitted_probabilities_are_calibrated():
    rng = np.random.default_rng(5)
    overconfident, linear, truth = planted(rng, 4000, Blend(encoder=0.8, linear=0.0))
    blends = fit_blends(overconfident, linear, truth, LABELS)
    scores = Calibration(blends=blends, labels=LABELS).scores(overconfident, linear).probabilities["nature"]
    confidence, correct = scores.max(1), scores.argmax(1) == truth["nature"]
    for low, high in ((0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
        inside = (confidence >= low) & (confidence < high)
        assert inside.sum() > 100
        assert correct[inside].mean() == pytest.approx(confidence[inside].mean(), abs=0.05)


def test_a_head_learns_from_what_the_others_say_and_keeps_to_the_blend_where_they_say_nothing():
    # The channel follows the nature; its own scores know nothing of it.
    rng = np.random.default_rng(6)
    blend = Blend(encoder=1.0, linear=0.3)
    encoder, linear, truth = planted(rng, 1500, blend)
    truth["channel"] = truth["nature"].copy()
    encoder["channel"][:] = rng.normal(size=encoder["channel"].shape)
    linear["channel"][:] = rng.normal(size=linear["channel"].shape)
    halves = slice(0, 1000), slice(1000, None)
    fit, held = ([{h: part[h][half] for h in HEADS} for part in (encoder, linear, truth)] for half in halves)
    found = fit_calibration(*fit, LABELS)
    plain = Calibration(blends=found.blends, labels=LABELS)

    def right(calibration, head):
        return (calibration.scores(held[0], held[1]).probabilities[head].argmax(1) == held[2][head]).mean()

    assert right(found, "channel") > right(plain, "channel") + 0.2
    assert right(found, "department") == pytest.approx(right(plain, "department"), abs=0.03)
