"""Normalising keeps a true map back to the original and changes nothing when repeated."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlp.normalise import normalise

PIECES = [
    *(
        "尊敬的领导：",
        "尊敬的胡书记您好！",
        "亲爱的市长",
        "您好",
        "，",
        "。",
        "！！！！！！",
        "…………",
        "[姓名]",
        "]",
        "]]]]",
    ),
    *("\n", "\r\n", "  ", "\u3000", "\u200b", "\ufeff", "ＡＢＣ１２３", "A市", "A7縣", "羣眾反映", "㎡", "①", "％"),
    *("138 1234 5678", "(", "）", "😀", "<p>", "&nbsp;", "ﬁ", "é", "e\u0301"),
]
messages = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=20).map("".join)


@given(messages)
@settings(max_examples=400, deadline=None)
@example("尊敬的领导：尊敬的市长：您好")
@example("尊敬的领导\n尊敬的书记")
@example("投诉！！\n尊敬的领导！\n！！道路不平")
def test_normalising_twice_changes_nothing_more(content: str) -> None:
    once = normalise(content)
    assert normalise(once.text).text == once.text


@given(messages)
@settings(max_examples=400, deadline=None)
def test_every_character_maps_to_the_one_it_came_from(content: str) -> None:
    result = normalise(content)
    assert len(result.origin) == len(result.text)
    assert list(result.origin) == sorted(result.origin)
    for character, place in zip(result.text, result.origin, strict=True):
        assert character == content[place] or character in normalise(f"字{content[place]}字").text or character in " \n"


@settings(deadline=None)
@given(messages)
def test_nothing_invisible_remains(content: str) -> None:
    for character in normalise(content).text:
        assert character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Co", "Cs", "Cn"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", ""),
        ("   \n\t ", ""),
        ("ＡＢＣ１２３，（好）", "ABC123,(好)"),
        ("羣眾來訪", "群众来访"),
        ("薴麻", "苎麻"),
        ("水  管 爆 了", "水管爆了"),
        ("call 12345  now", "call 12345 now"),
        ("快点！！！！！！", "快点!!!"),
        ("尊敬的领导：您好！路灯坏了", "路灯坏了"),
        ("路灯坏了\n尊敬的张市长：\n您好，三个月了", "路灯坏了\n您好,三个月了"),
        ("尊敬的领导您好", "尊敬的领导您好"),
        ("①5号楼漏水；⑫电梯", "(1)5号楼漏水;(12)电梯"),
    ],
)
def test_spelling(content: str, text: str) -> None:
    assert normalise(content).text == text


def test_numbers_and_places_are_left_alone() -> None:
    content = "A7县2019年3月补贴3,600.50元,占比12%"
    assert normalise(content).text == content


def test_a_hundred_thousand_characters_are_no_trouble() -> None:
    content = "路面破损，" * 20_000
    assert len(normalise(content).text) == len(content)
