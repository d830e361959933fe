"""Decisions of the desk become rows to fit, unless they teach nothing or repeat a held-out petition."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from nlp.petition import HEADS, Petition
from serving.store.export import COLUMNS
from training.corrections import ACCEPTED, REPEATED, SEVERAL, apart_from, deal_examples, read_corrections
from training.data import DataError


def exported(example, **changes):
    """A line as GET /v1/export gives it."""
    row = {"id": example.id, "title": example.petition.title, "text": example.petition.text, **example.labels}
    return json.dumps({**row, "action": "correct", "blind": False, **changes}, ensure_ascii=False)


def test_reads_what_the_desk_exports(examples, taxonomy, tmp_path):
    path = tmp_path / "decided.jsonl"
    lines = [exported(examples[0], title="一行\u2028又一行"), *(exported(example) for example in examples[1:3])]
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    found = [row.example for row in read_corrections(path, taxonomy)]
    assert [row.labels for row in found] == [dict(example.labels) for example in examples[:3]]
    assert {row.source for row in found} == {"corrected"}
    assert all(row.n_appeals is None and set(row.labels) == set(HEADS) for row in found)


def test_the_desk_exports_every_column_that_is_read():
    assert {"id", "title", "text", "action", "blind", *HEADS} <= set(COLUMNS)


@pytest.mark.parametrize(
    ("action", "blind", "unfit"),
    [
        ("correct", False, None),
        ("correct", True, None),
        ("accept", True, None),
        ("accept", False, ACCEPTED),
        ("several_appeals", False, SEVERAL),
        ("several_appeals", True, SEVERAL),
    ],
)
def test_the_models_own_answers_and_several_appeals_are_not_learnt(action, blind, unfit, examples, taxonomy, tmp_path):
    path = tmp_path / "decided.jsonl"
    path.write_text(exported(examples[0], action=action, blind=blind), encoding="utf-8")
    assert [row.unfit for row in read_corrections(path, taxonomy)] == [unfit]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "JSONDecodeError"),
        ("{}", "KeyError"),
        ("[1]", "TypeError"),
        ({"department": "nowhere"}, "is no department"),
        ({"action": "auto"}, "action must be one of accept, correct, several_appeals, got 'auto'"),
        ({"blind": "false"}, "blind must be true or false"),
    ],
)
def test_names_the_line_at_fault(line, said, examples, taxonomy, tmp_path):
    path = tmp_path / "decided.jsonl"
    at_fault = line if isinstance(line, str) else exported(examples[1], **line)
    path.write_text(f"{exported(examples[0])}\n{at_fault}", encoding="utf-8")
    with pytest.raises(DataError, match=rf"decided\.jsonl:2.*{said}"):
        read_corrections(path, taxonomy)


def test_a_missing_file_is_told(taxonomy, tmp_path):
    with pytest.raises(DataError, match="JSONL file as GET /v1/export"):
        read_corrections(tmp_path / "none.jsonl", taxonomy)


def test_leaves_out_what_nearly_repeats_a_held_out_petition(examples):
    long = next(example for example in examples if len(example.text) > 100)
    other = next(example for example in examples if len(example.text) > 100 and example is not long)
    repeat = replace(long, id="desk-1", petition=replace(long.petition, text=long.petition.text + "谢谢。"))
    fresh = replace(other, id="desk-2")
    assert apart_from([repeat, fresh], [long]) == [fresh]


def test_leaves_out_the_copy_of_a_short_held_out_petition(examples):
    held = replace(examples[0], id="held", petition=Petition(text="路灯坏了，请修。"))
    copy = replace(held, id="desk-1", petition=Petition(text="路灯坏了,请修。"))
    fresh = replace(held, id="desk-2", petition=Petition(text="路灯太暗，请换。"))
    assert apart_from([copy, fresh], [held]) == [fresh]


def test_decisions_only_help_to_fit(examples, taxonomy, tiny_data, tmp_path):
    path = tmp_path / "decided.jsonl"
    text = "菜市场后门的铁栏杆锈断三根，老人买菜下台阶无处扶手，请市场管理方尽快焊好并装上夜灯。"
    plain = deal_examples(tiny_data, taxonomy, written=False)
    again = plain["test"][0].petition
    lines = [
        exported(examples[0], id="new", title="栏杆断了", text=text),
        exported(examples[0], id="again", title=again.title, text=again.text),
        exported(examples[0], id="one-key", action="accept"),
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    told = io.StringIO()
    console = Console(file=told, width=200)
    dealt = deal_examples(tiny_data, taxonomy, written=False, corrections=path, console=console)
    assert told.getvalue() == f"1 of 3 decided petitions to fit; 1 left out: {ACCEPTED}; 1 left out: {REPEATED}\n"
    assert [row.id for row in dealt["fit"][len(plain["fit"]) :]] == ["desk-new"]
    assert {split: len(rows) for split, rows in dealt.items() if split != "fit"} == {
        split: len(rows) for split, rows in plain.items() if split != "fit"
    }
