"""When a suggestion may stand, and the reason for each case in which it may not."""

from dataclasses import replace

import pytest

from nlp.decide import Thresholds, decide, in_percent, joint_confidence
from nlp.petition import Candidate, Decision, Firing, Prediction, Reason

NEEDED = ("category_l1", "channel", "department")
THRESHOLDS = Thresholds(
    budget=0.05,
    confidence_level=0.95,
    needed=NEEDED,
    joint=0.7,
    per_head=dict.fromkeys(NEEDED, 0.8),
    min_characters=12,
    min_known_share=0.2,
)
FIRING = Firing(
    code="self_harm",
    level="S",
    name="自杀自伤",
    start=0,
    end=2,
    basis="条例25条",
    certainty="verified",
    action="立即报告",
)


def test_an_office_may_choose_another_budget_that_was_prepared():
    prepared = replace(THRESHOLDS, other_budgets={"0.03": None, "0.01": 0.99})
    assert (prepared.within(0.01).budget, prepared.within(0.01).joint) == (0.01, 0.99)
    assert prepared.within(0.03).joint is None
    assert prepared.within(0.01).other_budgets == {"0.05": 0.7, "0.03": None}
    assert prepared.within(0.01).within(0.05) == prepared
    assert prepared.within(0.05) == prepared
    with pytest.raises(ValueError, match=r"差错预算 0\.1 备采纳线，可选：0\.01、0\.03、0\.05"):
        prepared.within(0.1)


def predictions(best: float = 0.95, second: float = 0.03, **changed: float):
    return {
        head: Prediction(
            head=head,
            candidates=(
                Candidate(code="a", name="甲", confidence=changed.get(head, best)),
                Candidate(code="b", name="乙", confidence=second),
            ),
        )
        for head in NEEDED
    }


def verdict(heads=None, *, thresholds: Thresholds = THRESHOLDS, **changed) -> Decision:
    facts = {"n_characters": 80, "known_share": 0.6, **changed}
    return decide(heads or predictions(), thresholds=thresholds, **facts)


def keys(decision: Decision) -> list[str]:
    assert decision.action == ("review" if decision.reasons else "auto")
    assert all(reason.message for reason in decision.reasons)
    return [reason.key for reason in decision.reasons]


def test_what_nothing_speaks_against_may_stand():
    assert verdict() == Decision(action="auto")


def test_the_joint_confidence_is_the_product_of_the_needed_heads():
    assert joint_confidence(predictions(0.9, channel=0.5), NEEDED) == pytest.approx(0.9 * 0.5 * 0.9)
    assert joint_confidence(predictions(0.9, channel=0.5), ("department",)) == 0.9


def test_the_threshold_itself_is_enough():
    confidence = 0.7 ** (1 / 3)
    exact = replace(THRESHOLDS, joint=joint_confidence(predictions(confidence), NEEDED))
    assert keys(verdict(predictions(confidence), thresholds=exact)) == []


def test_a_head_below_its_own_threshold_is_named():
    assert keys(verdict(predictions(channel=0.5))) == ["low_confidence:channel"]
    assert "法定途径" in verdict(predictions(channel=0.5)).reasons[0].message


def test_two_close_answers_are_told_as_such():
    decision = verdict(predictions(second=0.4, channel=0.5))
    assert keys(decision) == ["close_call:channel"]
    assert "“甲”与“乙”" in decision.reasons[0].message


def test_heads_that_pass_alone_and_not_together_are_one_reason():
    assert keys(verdict(predictions(0.85))) == ["low_confidence:joint"]


def test_without_a_joint_threshold_everything_is_reviewed():
    hopeless = replace(THRESHOLDS, joint=None)
    assert keys(verdict(predictions(1.0), thresholds=hopeless)) == ["low_confidence:joint"]
    hopeless = replace(THRESHOLDS, joint=None, per_head=dict.fromkeys(NEEDED))
    assert keys(verdict(predictions(1.0), thresholds=hopeless)) == [f"low_confidence:{head}" for head in NEEDED]


def test_a_must_review_rule_forbids_whatever_the_confidence():
    decision = verdict(predictions(1.0), firings=[FIRING])
    assert keys(decision) == ["must_review:self_harm"]
    assert "S级" in decision.reasons[0].message


@pytest.mark.parametrize("code", ["several_appeals", "multi_route", "rule_conflict"])
def test_reasons_from_elsewhere_are_kept(code):
    further = Reason(code=code, message="另有原因", detail="x")
    assert verdict(further=[further]).reasons == (further,)


def test_a_short_text_is_too_short_and_not_also_strange():
    assert keys(verdict(n_characters=11, known_share=0.0)) == ["too_short"]
    assert keys(verdict(n_characters=12)) == []


def test_a_text_unlike_what_is_known_is_out_of_distribution():
    assert keys(verdict(known_share=0.19)) == ["out_of_distribution"]


def test_all_reasons_are_given_the_gravest_first():
    further = Reason(code="multi_route", message="另有途径")
    decision = verdict(predictions(0.3), firings=[FIRING], further=[further], n_characters=3)
    assert keys(decision)[:3] == ["must_review:self_harm", "multi_route", "too_short"]
    assert len(decision.reasons) == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joint": -1.0}, "threshold joint"),
        ({"joint": 1.5}, "threshold joint"),
        ({"joint": float("nan")}, "threshold joint"),
        ({"joint": "0.9"}, "threshold joint"),
        ({"per_head": {**dict.fromkeys(NEEDED, 0.8), "channel": 2}}, "threshold channel"),
        ({"per_head": {"channel": 0.8}}, "per_head lacks category_l1, department"),
        ({"needed": ()}, "needed must name"),
        ({"needed": ("mood",)}, "needed must name"),
        ({"budget": 0}, "budget"),
        ({"budget": None}, "budget"),
        ({"per_head_budget": 1.0}, "per_head_budget"),
        ({"confidence_level": 1}, "confidence_level"),
        ({"min_characters": 0}, "min_characters"),
        ({"min_known_share": 1.0}, "min_known_share"),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(THRESHOLDS, **change)


@pytest.mark.parametrize(
    ("confidence", "told"), [(1.0, ">99%"), (0.995, ">99%"), (0.994, "99%"), (0.5, "50%"), (0.0, "0%")]
)
def test_a_confidence_is_never_told_as_certainty(confidence, told):
    assert in_percent(confidence) == told
