"""Several readings of one petition for the urgent flags, settled into one."""

import pytest

from training.data import DataError, read_urgent_letters, read_urgent_sentences, read_urgent_texts
from training.urgent_reading import URGENT, agreement, kappa, read_urgent, settle


def found(*flags):
    return frozenset(flags)


def test_without_an_urgent_reading_the_first_one_stands():
    assert settle(("group_event", "minors"), ()) == ("group_event", "minors")


def test_one_urgent_reader_is_believed_and_other_flags_stay():
    assert settle(("group_event", "minors"), [found("self_harm")]) == ("self_harm", "minors")


def test_two_urgent_readers_are_settled_by_majority_with_the_first_reading():
    first = ("group_event", "minors")
    assert settle(first, [found("group_event"), found()]) == ("group_event", "minors")
    assert settle(first, [found("self_harm"), found("self_harm")]) == ("self_harm", "minors")
    assert settle(first, [found("self_harm"), found()]) == ("minors",)


def test_kappa_is_one_for_the_same_and_zero_for_chance():
    assert kappa([(True, True), (False, False)]) == 1.0
    assert kappa([(True, True), (True, False), (False, True), (False, False)]) == 0.0
    assert kappa([(False, False)]) == 1.0


def test_readers_come_in_one_order_and_agreement_counts_petitions_with_two_of_them(tmp_path):
    path = tmp_path / "urgent.csv"
    path.write_text("id,reader,flags\na,u2,\na,u1,self_harm;group_event\nb,u1,group_event\nc,u1,\nc,u2,\n")
    readings = read_urgent(path)
    assert readings["a"] == [found("self_harm", "group_event"), found()]
    table = agreement({"a": ("self_harm",), "b": (), "c": ()}, readings)
    counts = {code: found for code, found, _ in table}
    assert set(counts) == set(URGENT)
    assert counts["self_harm"] == (1, 1, 0, 1)
    assert counts["group_event"] == (0, 1, 0, 0)
    assert {code: between for code, _, (_, between) in table}["imminent_safety_risk"] == 1.0


def test_our_urgent_texts_and_sentences_are_apart_and_of_both_kinds():
    texts, dev, held = read_urgent_texts(), read_urgent_sentences("dev"), read_urgent_sentences("held")
    assert not {e.text for e in texts} & {e.text for e in [*dev, *held]}
    assert not {e.text for e in dev} & {e.text for e in held}
    for code in URGENT:
        assert sum(code in e.flags for e in texts) >= 40
        for half in (dev, held):
            assert sum(code in e.flags for e in half) == 40
            assert sum(code not in e.flags and code in e.looked_for for e in half) == 25


def test_our_urgent_letters_are_long_of_both_kinds_and_apart_from_what_is_learnt():
    letters, texts = read_urgent_letters(), read_urgent_texts()
    assert not {e.text for e in letters} & {e.text for e in texts}
    assert min(len(e.text) for e in letters) >= 200
    assert sum(len(e.text) >= 200 for e in texts) >= 200
    for code in URGENT:
        assert all(code in e.looked_for for e in letters)
        assert sum(code in e.flags for e in letters) >= 12
        assert sum(code not in e.flags for e in letters) >= 80


@pytest.mark.parametrize(
    ("line", "complaint"),
    [("{", "no text with its flags"), ('{"id": "x", "text": "短", "flags": ["sad"]}', "'sad' is no urgent flag")],
)
def test_a_bad_line_is_named(tmp_path, line, complaint):
    folder = tmp_path / "samples"
    folder.mkdir()
    (folder / "urgent.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(DataError, match=rf"urgent\.jsonl:1: .*{complaint}"):
        read_urgent_texts(tmp_path)
