"""Thresholds come from answers that were fitted without the petition, and another budget moves the line."""

from dataclasses import replace

import numpy as np
import pytest

from nlp.bundle import load_bundle
from nlp.decide import Thresholds
from nlp.petition import HEADS, Candidate, Decision, Prediction, Reason, Suggestion
from training import cross_fit as module
from training.cross_fit import cross_fit, thresholds_within_budgets
from training.data import read_examples
from training.figures import JOINT
from training.split import HELD, split_examples

# Our few petitions have nearly as many second-level classes as rows, which scikit-learn finds odd.
pytestmark = pytest.mark.filterwarnings("ignore:The number of unique classes is greater than 50%:UserWarning")

LENIENT = Thresholds(
    budget=0.1,
    confidence_level=0.95,
    needed=JOINT,
    joint=0.0,
    per_head=dict.fromkeys(HEADS, 0.0),
    min_characters=10,
    min_known_share=0.2,
)


@pytest.fixture(scope="module")
def held(tiny_data, taxonomy):
    dealt = split_examples(read_examples(tiny_data, taxonomy, written=False))
    return [e for split in HELD for e in dealt[split] if e.labels]


def test_every_petition_is_answered_by_what_was_fitted_without_it_and_its_copies(
    tiny_bundle, taxonomy, held, monkeypatch
):
    learnt, answered = {}, []

    def remember(fit):
        def fitting(part, *rest):
            found = fit(part, *rest)
            learnt[id(found)] = {e.id for e in part.examples}
            kept.append(found)  # or another object could take its id
            return found

        return fitting

    def conclude(router, petition, masked, reading):
        for fitted in (router.calibration, router.flags):
            assert petition.id not in learnt[id(fitted)]
            assert "copy" not in learnt[id(fitted)] or petition.id != held[0].id
        answered.append(petition.id)
        return real(router, petition, masked, reading)

    kept, real = [], module.Router.conclude
    monkeypatch.setattr(module, "_calibration", remember(module._calibration))
    monkeypatch.setattr(module, "fit_flags", remember(module.fit_flags))
    monkeypatch.setattr(module.Router, "conclude", conclude)
    rows = [*held, replace(held[0], id="copy", petition=replace(held[0].petition, id="copy"))]
    found = cross_fit(load_bundle(tiny_bundle, taxonomy), rows, taxonomy)
    assert sorted(answered) == sorted(e.id for e in rows)
    for fitted in (found.calibration, found.flags):
        assert learnt[id(fitted)] == {e.id for e in rows}, "what is served learns from all of them"
    assert found.thresholds.joint is None, "a few petitions guarantee nothing"


def answer(confidence: float, *, right: bool, forbidden: bool = False) -> Suggestion:
    def said(head: str) -> Prediction:
        code = "a" if right or head != "department" else "b"
        return Prediction(head=head, candidates=(Candidate(code=code, name=code, confidence=confidence),))

    reasons = (Reason(code="must_review", message="须由人工审核"),) if forbidden else ()
    return Suggestion(
        petition_id="",
        predictions={head: said(head) for head in HEADS},
        channel_alternatives=(),
        co_departments=(),
        firings=(),
        evidence=(),
        decision=Decision(action="review" if reasons else "auto", reasons=reasons),
        redactions=(),
        legal_basis="",
        masked_text="",
        bundle_id="",
        taxonomy_version="",
    )


def test_a_stricter_budget_asks_for_more_and_what_a_rule_forbids_does_not_count(held):
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.3, 1.0, size=4000)
    example = replace(held[0], labels=dict.fromkeys(HEADS, "a"), accepted=())
    answers = [answer(c, right=bool(rng.random() < c**0.3)) for c in confidence]
    found = thresholds_within_budgets(answers, [example] * len(answers), LENIENT)
    assert found.budget == 0.1
    assert 0 < found.joint < found.other_budgets["0.05"] < 1
    wrong = [answer(0.999, right=False, forbidden=True)] * 500
    assert thresholds_within_budgets([*answers, *wrong], [example] * 4500, LENIENT).joint == found.joint
