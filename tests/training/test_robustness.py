"""The changes do what they say, the same way each time, and the figures count what moved."""

import random

import numpy as np
import pytest

from nlp.bundle import load_bundle
from nlp.calibrate import Blend, Calibration, parent_indices
from nlp.petition import HEADS, Petition
from nlp.prepare import prepare
from nlp.runtime import FlagScores, Reading
from nlp.taxonomy import load_taxonomy
from training.data import DATASETS, Example
from training.robustness import (
    KEPT_SHARE,
    TYPO_RATE,
    Typist,
    other_town,
    personal_data_masked,
    personal_data_unmasked,
    rewrites,
    robustness,
    shortened,
    without_punctuation,
)

TAXONOMY = load_taxonomy()
PETITIONS = DATASETS / "samples" / "petitions.jsonl"
TEXT = "A市B7县城关镇的路灯坏了三个月，居民多次反映，无人维修！请有关部门尽快处理：孩子晚上放学要走这条路。"
PETITION = Petition(title="A市路灯坏了", text=TEXT)


def rng():
    return random.Random(1)


class WordRuntime:
    """Answers label 1 of every head where the text has the word, else label 0."""

    def __init__(self, word):
        self.word = word

    def read(self, text):
        scores = {head: np.eye(len(TAXONOMY.labels[head]), dtype=np.float32)[int(self.word in text)] for head in HEADS}
        zeros = {head: np.zeros_like(values) for head, values in scores.items()}
        nothing = np.zeros((1, 1), dtype=np.float32)
        return Reading(
            encoder=scores,
            linear=zeros,
            flags=FlagScores(encoder=nothing[0], linear=nothing[0]),
            known_share=1.0,
            hidden=nothing,
            attention=nothing[0],
            spans=((0, 0),),
        )


def calibration():
    return Calibration(blends=dict.fromkeys(HEADS, Blend(encoder=9.0, linear=0.0)), labels=TAXONOMY.labels)


def test_typist_mistypes_about_as_much_as_it_says_and_only_chinese():
    text = TEXT * 60
    typed = Typist([PETITIONS.read_text(encoding="utf-8")]).type(text, rng())
    changed = sum(a != b for a, b in zip(text, typed, strict=True))
    assert 0.5 * TYPO_RATE * len(text) < changed < 1.5 * TYPO_RATE * len(text)
    assert all(a == b for a, b in zip(text, typed, strict=True) if not "一" <= a <= "鿿")


def test_typist_takes_characters_of_like_sound_or_shape():
    slips = {Typist(["是事市"])._slip("事", random.Random(seed)) for seed in range(2000)}
    assert {"事", "是", "市"} <= slips
    assert slips <= set("事是市币")  # 币 looks like 市, and 市 sounds like 事


def test_punctuation_goes_and_words_stay():
    found = without_punctuation(PETITION, rng())
    assert not set("，！：。") & set(found)
    assert "居民多次反映无人维修请有关部门" in found


def test_shortened_text_is_the_start_of_the_text():
    found = shortened(PETITION, rng())
    assert prepare(PETITION).text.startswith(found)
    assert len(found) == pytest.approx(KEPT_SHARE * len(TEXT) + len(PETITION.title), abs=3)


def test_other_town_swaps_each_letter_throughout_and_nothing_else():
    found = other_town(PETITION, rng())
    before = prepare(PETITION).text
    differing = [(a, b) for a, b in zip(before, found, strict=True) if a != b]
    assert [a for a, _ in differing] == ["A", "A", "B"]
    assert differing[0] == differing[1]


def test_personal_data_reaches_the_model_only_unmasked():
    for secret in ("13812345678", "430102199003070012", "王建国"):
        assert secret not in personal_data_masked(PETITION, rng())
        assert secret in personal_data_unmasked(PETITION, rng())


def test_figures_count_answers_that_moved():
    label = TAXONOMY.labels["nature"][1]
    rows = [
        Example(id="1", petition=PETITION, group="1", source="written", labels={"nature": label}),
        Example(id="2", petition=Petition(text="路灯坏了"), group="2", source="written", labels={"nature": label}),
    ]
    # Only the first petition holds the word, and only in the part that shortening drops.
    found = robustness(WordRuntime("放学"), calibration(), rows, TAXONOMY, n_draws=5)
    assert found["shortened"]["heads"]["nature"]["unchanged"] == 0.5
    assert found["shortened"]["heads"]["nature"]["accuracy_before"] == 0.5
    assert found["shortened"]["heads"]["nature"]["accuracy_after"] == 0.0
    assert found["shortened"]["heads"]["nature"]["accuracy_change"]["value"] == -0.5
    assert found["other_town"]["heads"]["nature"]["unchanged"] == 1.0
    assert found["other_town"]["texts_changed"] == 0.5


def test_the_second_level_counts_as_it_is_served_under_the_first():
    labels = TAXONOMY.labels
    parents = parent_indices(labels)
    alone = next(place for place in range(len(parents)) if parents[place] == 1)

    class TornRuntime(WordRuntime):
        """Is for the first first-level class by a little, and sees no difference between the classes under it."""

        def read(self, text):
            reading = super().read(text)
            reading.encoder["category_l1"][:] = np.where(np.arange(len(labels["category_l1"])) == 1, 1.0, 0.0)
            reading.encoder["category_l1"][0] = 1.01
            reading.encoder["category_l2"][:] = np.arange(len(parents)) == alone
            return reading

    scores = calibration().scores(TornRuntime("放学").read(TEXT).encoder, TornRuntime("放学").read(TEXT).linear)
    assert scores.probabilities["category_l2"].argmax() == alone  # the likeliest lies under the second best
    right = labels["category_l2"][int(np.flatnonzero(parents == 0)[0])]
    rows = [Example(id="1", petition=PETITION, group="1", source="written", labels={"category_l2": right})]
    found = robustness(TornRuntime("放学"), calibration(), rows, TAXONOMY, n_draws=5)
    assert found["shortened"]["heads"]["category_l2"]["accuracy_before"] == 1.0


@pytest.mark.timeout(900)
def test_every_change_is_the_same_each_time_on_a_real_bundle(tiny_bundle):
    bundle = load_bundle(tiny_bundle, TAXONOMY)
    rows = [Example(id=str(i), petition=PETITION, group=str(i), source="written") for i in range(3)]
    rows[0].labels["nature"] = TAXONOMY.labels["nature"][0]
    first, second = (robustness(bundle.runtime(), bundle.calibration(), rows, TAXONOMY, n_draws=5) for _ in range(2))
    assert first == second
    assert set(first) == set(rewrites([TEXT]))
