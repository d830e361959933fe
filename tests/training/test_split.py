"""Splits that no near-duplicate crosses."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nlp.petition import Petition
from nlp.taxonomy import load_taxonomy
from training.cli import app
from training.data import Example, read_examples, read_urgent_texts
from training.split import (
    SHARES,
    duplicate_families,
    find_leaks,
    make_splits,
    near_duplicates,
    read_splits,
    split_examples,
    write_splits,
)

REAL = Path(__file__).parents[3] / "shared/data"
TEXT = "我们小区的电梯坏了半个月没有人来修，老人上下楼非常不方便，物业公司收了钱却一直推脱，请有关部门尽快处理。"


def example(id: str, text: str, *, group: str | None = None, category: str = "城乡建设") -> Example:  # noqa: A002
    return Example(
        id=id,
        petition=Petition(text=text),
        group=group or id,
        source="annotated",
        labels={"category_l1": category, "channel": "petition_procedure"},
    )


@pytest.fixture(scope="module")
def many(examples) -> list[Example]:
    """Our petitions, a copy of every third with other words in front, in a group of its own."""
    copies = [
        replace(e, id=f"{e.id}-copy", group=f"{e.id}-copy", petition=Petition(text=f"再次反映：{e.petition.content}"))
        for e in examples[::3]
    ]
    return [*examples, *copies]


def test_a_rewritten_copy_is_found_and_another_petition_is_not():
    rows = [
        example("a", TEXT),
        example("b", TEXT.replace("半个月", "十几天").replace("非常", "很")),
        example("c", "厂里拖欠我们三个月工资，老板的电话打不通，去了几次劳动监察大队都说在调查，请帮忙讨回血汗钱。"),
    ]
    found = near_duplicates(rows)
    assert [(first.id, second.id) for first, second, _ in found] == [("a", "b")]
    assert 0.5 <= found[0][2] <= 1


def test_similarity_is_close_to_the_true_share_of_common_four_grams():
    def grams(text):
        return {text[i : i + 4] for i in range(len(text) - 3)}

    rows = [example("a", TEXT), example("b", f"{TEXT}望领导重视，谢谢！")]
    first, second = (grams(row.text) for row in rows)
    similarity = near_duplicates(rows)[0][2]
    assert similarity == pytest.approx(len(first & second) / len(first | second), abs=0.15)


def test_very_short_texts_are_left_to_their_groups():
    assert near_duplicates([example("a", "电梯坏了"), example("b", "电梯坏了")]) == []
    assert near_duplicates([]) == []


def test_families_join_given_groups_with_what_the_search_finds():
    other = "厂里拖欠我们三个月工资，老板的电话打不通，去了几次劳动监察大队都说在调查，请帮忙讨回血汗钱。"
    rows = [example("a", TEXT, group="g"), example("b", f"{TEXT}！", group="h"), example("c", other, group="h")]
    families = duplicate_families(rows)
    assert [sorted(e.id for e in family) for family in families.values()] == [["a", "b", "c"]]


def test_no_family_crosses_a_split(many):
    splits = make_splits(many)
    assert set(splits) == {e.id for e in many}
    for family in duplicate_families(many).values():
        assert len({splits[e.id] for e in family}) == 1
    assert find_leaks(split_examples(many, splits=splits)) == []


def test_splits_depend_on_the_seed_and_nothing_else(many):
    assert make_splits(many) == make_splits(list(reversed(many)))
    assert make_splits(many) != make_splits(many, seed=1)


def test_every_stratum_is_dealt_in_the_same_shares():
    # Only four different texts of one character each: too short to be joined.
    rows = [example(f"{category}{i}", "停", category=category) for category in ("民政", "政法") for i in range(200)]
    splits = make_splits(rows)
    for category in ("民政", "政法"):
        counts = Counter(splits[e.id] for e in rows if e.labels["category_l1"] == category)
        for split, share in SHARES.items():
            assert counts[split] / 200 == pytest.approx(share, abs=0.01)


def test_a_leak_is_found():
    rows = [example("a", TEXT), example("b", f"{TEXT}！！")]
    leaks = find_leaks({"fit": rows[:1], "test": rows[1:]})
    assert [(leak.first, leak.second, leak.between) for leak in leaks] == [("a", "b", ("fit", "test"))]
    assert leaks[0].similarity > 0.8


def test_the_check_finds_what_the_search_that_dealt_the_splits_missed(examples):
    long = [e for e in examples if len(e.text) > 100]
    halves = [replace(e, id=f"{e.id}-half", petition=Petition(text=e.text[: len(e.text) * 56 // 100])) for e in long]
    assert 0 < len(near_duplicates([*long, *halves])) < len(long)
    leaks = find_leaks({"fit": halves, "test": long})
    assert {(leak.first, leak.second) for leak in leaks} == {(f"{e.id}-half", e.id) for e in long}
    assert all(0.5 <= leak.similarity < 0.6 for leak in leaks)


def test_short_texts_leak_if_they_are_the_same_once_normalised():
    held = [example("a", "路灯坏了，请修。"), example("b", "电梯坏了")]
    fit = [example("c", "路灯坏了，请修。\u200b"), example("d", "路灯坏了"), example("e", "电梯坏了")]
    leaks = find_leaks({"fit": fit, "test": held})
    assert {(leak.first, leak.second, leak.similarity) for leak in leaks} == {("c", "a", 1.0), ("e", "b", 1.0)}
    assert find_leaks({"fit": [*fit, *held], "test": []}) == []


def test_what_the_frozen_splits_do_not_name_helps_to_fit_and_never_measures():
    dealt = split_examples([example("a", TEXT), example("new", TEXT)], splits={"a": "test"})
    assert {split: [e.id for e in rows] for split, rows in dealt.items() if rows} == {"test": ["a"], "fit": ["new"]}


def test_splits_are_written_and_read_again(many, tmp_path):
    splits = make_splits(many)
    write_splits(splits, tmp_path / "splits.csv")
    assert read_splits(tmp_path / "splits.csv") == splits


def test_the_frozen_splits_have_the_promised_shares_and_no_text():
    splits = read_splits()
    counts = Counter(splits.values())
    assert set(counts) == set(SHARES)
    for split, share in SHARES.items():
        assert counts[split] / len(splits) == pytest.approx(share, abs=0.03)
    assert all(name.isascii() for name in splits)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not REAL.exists(), reason="the real messages are not on this machine")
def test_one_pair_of_real_messages_crosses_the_frozen_splits_and_none_touches_the_test_rows():
    examples = read_examples(REAL, load_taxonomy(), written=False)
    splits = read_splits()
    assert {e.id for e in examples} == set(splits)
    groups: dict[str, set[str]] = {}
    for e in examples:
        groups.setdefault(e.group, set()).add(splits[e.id])
    assert [group for group, homes in groups.items() if len(homes) > 1] == []
    leaks = find_leaks(split_examples(examples, splits=splits))
    # The search that dealt the splits missed it, see docs/decisions/0002.
    assert [(leak.first, leak.second, leak.between) for leak in leaks] == [
        ("a2-a2row8275", "a2-4537", ("fit", "thresholds"))
    ]


def test_the_report_looks_at_what_is_only_measured_on_too(tiny_data, monkeypatch):
    arguments = ["splits", "--data", str(tiny_data)]
    sound = CliRunner().invoke(app, arguments)
    assert sound.exit_code == 0, sound.output
    learnt = read_urgent_texts()[0]
    monkeypatch.setattr("training.data.read_urgent_letters", lambda: [replace(learnt, id="letter")])
    leaking = CliRunner().invoke(app, arguments)
    assert leaking.exit_code == 1
    assert leaking.output.splitlines()[-1].split() == [learnt.id, "letter", "1.00", "(fit", "and", "urgent)"]
