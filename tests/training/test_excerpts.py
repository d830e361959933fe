"""Excerpts of quiet messages: who gives one, what it says, always the same."""

from dataclasses import replace

from training.excerpts import quiet_excerpts
from training.urgent_reading import URGENT


def many(example, **changes):
    return [replace(example, id=f"m{number}", source="annotated", flags=(), **changes) for number in range(400)]


def test_every_fourth_quiet_message_gives_its_title_or_first_words(examples):
    messages = many(examples[0])
    found = list(quiet_excerpts(messages))
    assert 70 < len(found) < 130
    assert found == list(quiet_excerpts(reversed(messages)))[::-1]
    whole = examples[0].petition
    texts = {excerpt.petition.text for excerpt in found}
    assert whole.title in texts
    assert len(texts) > 5
    assert all(text == whole.title or (whole.text.startswith(text) and len(text) <= 80) for text in texts)


def test_an_excerpt_teaches_that_the_urgent_flags_are_absent_and_nothing_else(examples):
    excerpt = next(quiet_excerpts(many(examples[0])))
    assert (excerpt.looked_for, excerpt.flags, excerpt.labels) == (URGENT, (), {})
    assert excerpt.group == examples[0].group


def test_what_is_urgent_or_was_not_annotated_gives_none(examples):
    messages = many(examples[0])
    assert not list(quiet_excerpts(replace(message, flags=("self_harm",)) for message in messages))
    for source in ("written", "dataset", "corrected"):
        assert not list(quiet_excerpts(replace(message, source=source) for message in messages))
