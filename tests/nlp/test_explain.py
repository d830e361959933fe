"""The spans shown as evidence stand in the citizen's own text and really carry the answer."""

import json
from pathlib import Path

import numpy as np
import pytest

from nlp.explain import _encoder_support, _Occurrences
from nlp.petition import HEADS, Masked, Petition, Suggestion
from nlp.prepare import prepare
from nlp.router import Router

SAMPLES = Path(__file__).parents[2] / "datasets/samples/petitions.jsonl"
ROWS = [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]
PETITIONS = [Petition(title=row["title"], text=row["text"]) for row in ROWS]
LONG_ENOUGH = [petition for petition in PETITIONS if 60 <= len(petition.content) <= 400][:80]


@pytest.fixture(scope="module")
def router() -> Router:
    return Router.load(n_threads=1)


@pytest.fixture(scope="module")
def suggestions(router) -> list[tuple[Petition, Suggestion]]:
    return [(petition, router.suggest(petition)) for petition in PETITIONS[:60]]


def lead(router: Router, text: str, head: str, best: int, second: int) -> float:
    """Return by how much `best` leads `second` before the softmax, for masked text."""
    reading = router.runtime.read(text)
    blend = router.calibration.blends[head]
    scores = blend.encoder * reading.encoder[head] + blend.linear * reading.linear[head]
    return float(scores[best] - scores[second])


def places(router: Router, head: str, prediction) -> tuple[int, int]:
    labels = router.calibration.labels[head]
    first, second = prediction.candidates[:2]
    return labels.index(first.code), labels.index(second.code)


def masked_span(masked: Masked, start: int, end: int) -> tuple[int, int]:
    """Return the stretch of the masked text that stands for `original[start:end]`."""
    inside = [i for i, origin in enumerate(masked.origin) if start <= origin < end]
    return inside[0], inside[-1] + 1


def test_removing_the_top_span_takes_more_of_the_lead_than_removing_a_random_one(router):
    assert len(LONG_ENOUGH) >= 60
    rng = np.random.default_rng(0)
    drops: dict[str, list[tuple[float, float]]] = {head: [] for head in HEADS}
    for petition in LONG_ENOUGH:
        masked, suggestion = prepare(petition), router.suggest(petition)
        for head in ("category_l1", "nature", "channel", "department"):
            top = next((e for e in suggestion.evidence if e.head == head), None)
            if top is None:
                continue
            best, second = places(router, head, suggestion.predictions[head])
            start, end = masked_span(masked, top.start, top.end)
            whole = lead(router, masked.text, head, best, second)
            without = lead(router, masked.text[:start] + masked.text[end:], head, best, second)
            other = int(rng.integers(0, len(masked.text) - (end - start) + 1))
            randomly = lead(router, masked.text[:other] + masked.text[other + end - start :], head, best, second)
            drops[head].append((whole - without, whole - randomly))
    for head in ("category_l1", "nature", "channel", "department"):
        found = np.asarray(drops[head])
        assert len(found) >= 60, head
        difference = found[:, 0] - found[:, 1]
        assert found[:, 0].mean() > 0, head
        # Two standard errors: the difference is no accident of the draw.
        assert difference.mean() > 2 * difference.std() / np.sqrt(len(found)), head


def test_spans_lie_within_the_original_and_say_something(suggestions):
    for petition, suggestion in suggestions:
        for evidence in suggestion.evidence:
            assert 0 <= evidence.start < evidence.end <= len(petition.content)
            assert petition.content[evidence.start : evidence.end].strip()
            assert 0 < evidence.weight <= 1


def test_every_head_shows_at_most_two_spans_the_heavier_first(suggestions):
    for _, suggestion in suggestions:
        for head in HEADS:
            found = [e for e in suggestion.evidence if e.head == head]
            assert len(found) <= 2
            assert [e.weight for e in found] == sorted((e.weight for e in found), reverse=True)
            assert sum(e.weight for e in found) <= 1 + 1e-3
            assert all(e.code == suggestion.predictions[head].best.code for e in found)


def test_most_petitions_have_evidence_for_every_head(suggestions):
    for head in HEADS:
        assert sum(any(e.head == head for e in s.evidence) for _, s in suggestions) >= 50


def test_evidence_is_found_in_the_original_spelling(router):
    petition = Petition(text="我要反映：ＡＢ小區　物業公司亂收費，電梯壞了三個月都沒人修！我叫王小明，电话13800138000")
    suggestion = router.suggest(petition)
    found = [petition.content[e.start : e.end] for e in suggestion.evidence if e.head == "category_l1"]
    assert any("物業" in span or "電梯" in span or "收費" in span for span in found)


def test_contributions_of_the_characters_add_up_to_the_lead(router, suggestions):
    for petition, suggestion in suggestions[:12]:
        masked = prepare(petition)
        reading = router.runtime.read(masked.text)
        occurrences = _Occurrences(masked.text, router.runtime)
        for head in HEADS:
            best, second = places(router, head, suggestion.predictions[head])
            branch = router.runtime.linear[head]
            bias = float(branch.bias[best] - branch.bias[second])
            linear = float(reading.linear[head][best] - reading.linear[head][second])
            known = branch.weight[occurrences.places]
            lead = known[:, best] * branch.scale[best] - known[:, second] * branch.scale[second]
            assert occurrences.support(lead).sum() == pytest.approx(linear - bias, abs=1e-3)
            weights = router.runtime.heads[head]
            bias = float(weights.bias[best] - weights.bias[second])
            encoder = float(reading.encoder[head][best] - reading.encoder[head][second])
            lead = weights.weight[:, best] - weights.weight[:, second]
            support = _encoder_support(reading, lead, len(masked.text))
            # [CLS] and [SEP] stand for no character.
            frame = sum(
                _piece_share(reading, lead, place) for place, (start, end) in enumerate(reading.spans) if start == end
            )
            assert support.sum() + frame == pytest.approx(encoder - bias, abs=1e-3)


def _piece_share(reading, lead, place: int) -> float:
    width = reading.hidden.shape[1]
    hidden = reading.hidden[place]
    return float(hidden @ lead[:width] / len(reading.hidden) + reading.attention[place] * (hidden @ lead[width:]))
