"""Cross-validation and learning curve: near-duplicates stay together, our own petitions are never measured."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from nlp.calibrate import parent_indices
from nlp.petition import HEADS
from training.data import read_examples
from training.folds import cross_validate, learning_curve, linear_learner, repeat_figures
from training.split import split_examples

# Our few petitions have nearly as many second-level classes as rows, which scikit-learn finds odd.
pytestmark = pytest.mark.filterwarnings("ignore:The number of unique classes is greater than 50%:UserWarning")


class Recorder:
    """A learner that answers the first label of everything and remembers what it was given."""

    def __init__(self):
        self.learnt, self.asked = [], []

    def __call__(self, fit, texts):
        self.learnt.append([e.id for e in fit])
        self.asked.append(list(texts))
        return {head: np.zeros(len(texts), dtype=np.int64) for head in HEADS}


@pytest.fixture(scope="module")
def dealt(tiny_data, taxonomy):
    return split_examples(read_examples(tiny_data, taxonomy, written=False))


@pytest.fixture(scope="module")
def rows(dealt):
    return [e for e in dealt["fit"] if e.labels]


@pytest.fixture(scope="module")
def ours(rows):
    """Two petitions of our own: one says what none else says, one nearly repeats a message."""
    petition = replace(rows[0].petition, title="", text="甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥")
    alone = replace(rows[0], id="alone", group="written-alone", source="written", petition=petition)
    return [alone, replace(rows[0], id="copy", group="written-copy", source="written")]


def test_folds_keep_groups_apart_and_every_row_is_held_once(rows, taxonomy):
    learner, texts = Recorder(), {e.id: e.text for e in rows}
    found = cross_validate(learner, rows, taxonomy, n_folds=3)
    for learnt, asked in zip(learner.learnt, learner.asked, strict=True):
        assert not {texts[id_] for id_ in learnt} & set(asked)  # each petition stands twice in one group
    assert sorted(chain(*learner.asked)) == sorted(texts.values())
    assert len(found["nature"]["accuracy"]["folds"]) == 3


def test_what_only_helps_to_fit_is_in_every_fold_but_never_beside_its_near_duplicate(rows, ours, taxonomy):
    learner = Recorder()
    cross_validate(learner, rows, taxonomy, fit_only=ours, n_folds=3)
    assert sorted(chain(*learner.asked)) == sorted(e.text for e in rows)
    assert all("alone" in learnt for learnt in learner.learnt)
    assert ["copy" in learnt for learnt in learner.learnt] == [rows[0].text not in asked for asked in learner.asked]


def test_learning_curve_grows_with_the_labels(dealt, taxonomy):
    points = learning_curve(linear_learner(taxonomy), dealt["fit"], dealt["test"], taxonomy, shares=(0.2, 1.0))
    assert [point["rows"] for point in points] == [38, 190]
    assert points[1]["heads"]["category_l1"]["accuracy"] > points[0]["heads"]["category_l1"]["accuracy"]


def test_what_only_helps_to_fit_is_in_every_share_and_not_counted(dealt, ours, taxonomy):
    learner = Recorder()
    points = learning_curve(learner, dealt["fit"], dealt["test"], taxonomy, fit_only=ours, shares=(0.2, 1.0))
    assert [point["rows"] for point in points] == [38, 190]
    assert [learnt[-2:] for learnt in learner.learnt] == [["alone", "copy"]] * 2


def test_only_messages_of_the_frozen_splits_are_measured(dealt, rows, ours, taxonomy):
    learner, frozen = Recorder(), {e.id: split for split, part in dealt.items() for e in part}
    found = repeat_figures(learner, {**dealt, "fit": [*dealt["fit"], *ours[:1]]}, taxonomy, frozen=frozen)
    assert found["fit_only"] == 1
    assert found["curve"][-1]["rows"] == len(rows)
    assert not any(ours[0].text in asked for asked in learner.asked)
    assert all("alone" in learnt for learnt in learner.learnt)


def test_the_linear_learner_answers_the_second_level_under_the_first_as_it_is_served(dealt, taxonomy):
    answers = linear_learner(taxonomy)(dealt["fit"], [e.text for e in dealt["test"]])
    assert (parent_indices(taxonomy.labels)[answers["category_l2"]] == answers["category_l1"]).all()


def test_the_linear_learner_is_the_branch_that_is_served(dealt, taxonomy, monkeypatch):
    monkeypatch.setattr("training.linear.N_NGRAMS", 1)
    answers = linear_learner(taxonomy)(dealt["fit"], [e.text for e in dealt["test"]])
    assert len(set(answers["department"])) <= 2  # one n-gram is there or it is not
