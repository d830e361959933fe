"""What the model adds to the must-review rules: it raises, it grades S and A, it never silences a rule."""

import math

import numpy as np
import pytest

from nlp.flags import FlagBlend, FlagModel, weigh_firings
from nlp.knowledge import load_knowledge
from nlp.petition import Petition
from nlp.prepare import prepare
from nlp.rules import find_firings
from nlp.runtime import FlagScores, FlagWeights, HeadWeights, LinearHead, Reading

TEXT = "我家住在三楼。楼上的水泥板已经悬在半空，孩子每天从下面走过，请赶快派人来看。"


class Vocabulary:
    """Knows no n-gram, so only the encoder points at a place."""

    hashes = np.empty(0, np.uint32)

    def find(self, hashes):
        return np.full(len(hashes), -1)

    def features(self, _text):
        return np.empty(0, np.int64), np.empty(0, np.float32), 0.0


class Runtime:
    vocabulary = Vocabulary()
    flags = FlagWeights(
        encoder=HeadWeights(weight=np.array([[1.0], [0.0]], np.float32), bias=np.zeros(1, np.float32)),
        linear=LinearHead(weight=np.empty((0, 1), np.int8), scale=np.ones(1, np.float32), bias=np.zeros(1, np.float32)),
    )


def reading(text, score, hot=""):
    """A reading of one piece per character whose `hot` characters carry the flag."""
    start = text.find(hot) if hot else 0
    hidden = np.array([[float(start <= i < start + len(hot))] for i in range(len(text))], np.float32)
    return Reading(
        encoder={},
        linear={},
        flags=FlagScores(encoder=np.array([score], np.float32), linear=np.zeros(1, np.float32)),
        known_share=1.0,
        hidden=hidden,
        attention=np.full(len(text), 1 / len(text), np.float32),
        spans=tuple((i, i + 1) for i in range(len(text))),
    )


def model(code, *, urgent=0.9, look=0.5):
    blend = FlagBlend(encoder=1.0, linear=0.0, strong=1.0, weak=0.0, bias=0.0)
    return FlagModel(blends={code: blend}, look={code: look}, urgent={code: urgent})


def weighed(text, score, flags, hot=""):
    masked, knowledge = prepare(Petition(text=text)), load_knowledge()
    rules = find_firings(masked, knowledge=knowledge)
    found = weigh_firings(
        masked,
        reading(masked.text, score, hot),
        rules,
        model=flags,
        runtime=Runtime(),
        knowledge=knowledge,
        min_characters=10,
    )
    return {firing.code: firing for firing in rules}, {firing.code: firing for firing in found}


def test_blend_is_logistic():
    blend = FlagBlend(encoder=2.0, linear=0.5, strong=1.0, weak=0.25, bias=-1.0)
    assert blend.probability(0.5, 2.0, strong=True, weak=False) == pytest.approx(1 / (1 + math.exp(-2.0)))
    assert blend.probability(-1e9, 0.0, strong=False, weak=True) == pytest.approx(0.0, abs=1e-9)


def test_raises_what_no_rule_found_and_points_at_the_clause():
    rules, found = weighed(TEXT, 1.0, model("imminent_safety_risk"), hot="楼上的水泥板已经悬在半空")
    assert "imminent_safety_risk" not in rules
    firing = found["imminent_safety_risk"]
    assert (firing.level, firing.source) == ("A", "model")
    assert TEXT[firing.start : firing.end] == "楼上的水泥板已经悬在半空"
    assert firing.basis


def test_says_urgent_from_the_bar_on():
    assert weighed(TEXT, 3.0, model("imminent_safety_risk"))[1]["imminent_safety_risk"].level == "S"


def test_says_nothing_below_the_look_bar():
    rules, found = weighed(TEXT, -1.0, model("imminent_safety_risk"))
    assert found == rules


def test_a_text_of_a_few_characters_is_left_to_the_rules():
    assert weighed("感谢", 9.0, model("self_harm")) == ({}, {})
    rules, found = weighed("我不想活了", 9.0, model("violence_threat"))
    assert set(rules) == set(found) == {"self_harm"}


def test_a_rule_is_graded_but_never_silenced():
    text = "我们小区二百多户业主联名反映电梯费太高。"
    rules, found = weighed(text, -5.0, model("group_event"))
    assert rules["group_event"].level == "S"
    assert (found["group_event"].level, found["group_event"].source) == ("A", "rule")
    assert weighed(text, 5.0, model("group_event"))[1]["group_event"].level == "S"


def test_flags_the_model_did_not_learn_stay_the_rules_own():
    rules, found = weighed("再不解决我就从楼上跳下去，不想活了。", -50.0, model("group_event"))
    assert found["self_harm"] == rules["self_harm"]
    assert found["self_harm"].level == "S"


def test_the_model_never_lowers_a_firm_rule_and_may_raise_it():
    rules, found = weighed("再不解决我就从楼上跳下去，不想活了。", -50.0, model("self_harm"))
    assert found["self_harm"] == rules["self_harm"]
    assert found["self_harm"].level == "S"
    rules, found = weighed("孩子就托付给你们了，来世再报答大家。", 3.0, model("self_harm"))
    assert "self_harm" not in rules
    assert (found["self_harm"].level, found["self_harm"].source) == ("S", "model")


@pytest.mark.parametrize("value", [float("nan"), "1", None, True])
def test_refuses_a_blend_that_is_no_number(value):
    with pytest.raises(ValueError, match="finite number"):
        FlagBlend(encoder=value, linear=0.0, strong=0.0, weak=0.0, bias=0.0)


def test_refuses_probabilities_out_of_range_and_codes_that_do_not_match():
    blend = FlagBlend(encoder=1.0, linear=0.0, strong=1.0, weak=0.0, bias=0.0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        FlagModel(blends={"minors": blend}, look={"minors": 1.5}, urgent={"minors": 0.5})
    with pytest.raises(ValueError, match="look has"):
        FlagModel(blends={"minors": blend}, look={}, urgent={"minors": 0.5})
    with pytest.raises(ValueError, match="urgent has"):
        FlagModel(blends={"minors": blend}, look={"minors": 0.5}, urgent={"self_harm": 0.5})
