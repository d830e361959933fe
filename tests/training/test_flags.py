"""The learned flags: who counts as looked at, cuts by precision and recall, blends that beat each part alone."""

from dataclasses import replace

import numpy as np
import pytest

from nlp.knowledge import load_knowledge
from nlp.petition import Firing
from nlp.runtime import FlagScores, Reading
from training.data import MISSING
from training.flags import (
    LEARNED,
    LEAST_CHANCE,
    LEAST_CHANCES,
    SOONER,
    cut_for_precision,
    cut_for_recall,
    fit_flag_model,
    flag_array,
)


def test_only_annotated_petitions_tell_about_flags(examples):
    flagged = replace(examples[0], flags=("minors",), n_appeals=1)
    correction = replace(examples[1], flags=(), n_appeals=None)
    found = flag_array([flagged, correction])
    assert found[0].tolist() == [int(code == "minors") for code in LEARNED]
    assert (found[1] == -1).all()


def test_precision_cut_takes_as_many_as_it_may():
    p, truth = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([1, 0, 1, 0, 0])
    assert cut_for_precision(p, truth, precision=0.5) == 0.6
    assert cut_for_precision(p, 1 - truth, precision=0.99) == 1.0


def test_recall_cut_counts_what_is_raised_anyway():
    p, truth = np.array([0.9, 0.8, 0.3, 0.2]), np.array([1, 1, 1, 1])
    raised = np.array([True, False, False, False])
    assert cut_for_recall(p, truth, raised, recall=0.75) == 0.3
    assert cut_for_recall(p, truth, np.array([True] * 4), recall=0.95) == 1.0


def reading(scores):
    nothing = np.zeros((1, 1), np.float32)
    return Reading(
        encoder={}, linear={}, flags=FlagScores(encoder=np.full(len(LEARNED), scores[0], np.float32),
        linear=np.full(len(LEARNED), scores[1], np.float32)), known_share=1.0, hidden=nothing,
        attention=nothing[0], spans=((0, 0),),
    )  # fmt: skip


@pytest.fixture(scope="module")
def drawn():
    """300 rows: both branches and the rule each tell half of the truth."""
    rng = np.random.default_rng(0)
    truth = (rng.random(300) < 0.3).astype(np.int64)
    scores = truth[:, None] * 1.5 + rng.normal(size=(300, 2))
    fires = rng.random(300) < 0.1 + 0.6 * truth
    return truth, [reading(row) for row in scores], fires


def test_blend_uses_branches_and_rule_and_meets_the_urgent_precision(drawn):
    truth, readings, fires = drawn
    rule = Firing(
        code="group_event", level="S", name="", start=0, end=1, basis="", certainty="verified", action=""
    )  # fmt: skip
    everything = np.zeros((300, len(LEARNED)), np.int64)
    everything[:, LEARNED.index("group_event")] = truth
    model = fit_flag_model(
        readings, [(rule,) if fire else () for fire in fires], everything, knowledge=load_knowledge()
    )
    blend = model.blends["group_event"]
    assert min(blend.encoder, blend.linear, blend.strong) > 0
    p = np.array(
        [
            blend.probability(float(r.flags.encoder[0]), float(r.flags.linear[0]), strong=bool(fire), weak=False)
            for r, fire in zip(readings, fires, strict=True)
        ]
    )
    urgent = p >= model.urgent["group_event"]
    assert truth[urgent].mean() > 0.45
    assert truth[urgent].sum() > truth[fires].sum()
    assert model.urgent["self_harm"] == SOONER["self_harm"] * model.urgent["group_event"]


def test_a_flag_without_examples_is_left_to_its_rule(drawn):
    _, readings, _ = drawn
    nothing = np.zeros((300, len(LEARNED)), np.int64)
    model = fit_flag_model(readings, [()] * 300, nothing, knowledge=load_knowledge())
    assert set(model.look.values()) == {1.0}
    assert model.blends["minors"].probability(9.0, 9.0, strong=False, weak=False) < 1e-6


def test_written_sentences_help_a_rare_flag_but_do_not_decide_what_is_urgent(drawn):
    _, readings, _ = drawn
    flag = LEARNED.index("self_harm")
    rare = np.zeros((300, len(LEARNED)), np.int64)
    rare[:2, flag] = 1
    knowledge, nothing = load_knowledge(), [()] * 300
    assert fit_flag_model(readings, nothing, rare, knowledge=knowledge).look["self_harm"] == 1.0
    sentences = np.full((40, len(LEARNED)), MISSING, np.int64)
    sentences[:, flag] = [1, 0] * 20
    written = [reading((2.0, 2.0)), reading((-2.0, -2.0))] * 20
    model = fit_flag_model(
        [*readings, *written],
        [()] * 340,
        np.concatenate([rare, sentences]),
        knowledge=knowledge,
        n_written=40,
    )
    blend = model.blends["self_harm"]
    assert min(blend.encoder, blend.linear) > 0
    assert model.look["self_harm"] < 1.0
    # Twenty of three hundred and forty rows are alarming sentences; as a share of real petitions the flag stays rare.
    assert blend.probability(0.0, 0.0, strong=False, weak=False) < 0.05


def test_the_more_hangs_on_a_flag_the_rarer_chances_are_looked_at(drawn):
    truth, readings, _ = drawn
    rng = np.random.default_rng(2)
    rare = np.zeros((300, len(LEARNED)), np.int64)
    hidden = rng.random(300) < 0.05  # nothing tells these petitions from the others
    for code in ("self_harm", "violence_threat", "official_accusation", "minors"):
        rare[:, LEARNED.index(code)] = hidden & (truth == 0)
    look = fit_flag_model(readings, [()] * 300, rare, knowledge=load_knowledge()).look
    assert look["self_harm"] < look["violence_threat"] == LEAST_CHANCES["violence_threat"]
    assert look["violence_threat"] < look["official_accusation"] == LEAST_CHANCES["official_accusation"]
    assert look["official_accusation"] < look["minors"] == LEAST_CHANCE


def test_flags_are_unknown_where_nobody_looked_for_them(examples):
    annotated = replace(examples[0], n_appeals=1)
    text = replace(annotated, n_appeals=None, flags=("self_harm",), looked_for=("self_harm", "group_event"))
    known = flag_array([annotated, text, replace(text, looked_for=())])
    assert (known[0] != MISSING).all()
    assert {code: int(known[1, place]) for place, code in enumerate(LEARNED) if known[1, place] != MISSING} == {
        "self_harm": 1,
        "group_event": 0,
    }
    assert (known[2] == MISSING).all()
