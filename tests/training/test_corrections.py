"""Decisions of the desk become rows to fit, unless they nearly repeat a held-out petition."""

import json
from dataclasses import replace

import pytest

from nlp.petition import HEADS
from serving.store.export import COLUMNS
from training.corrections import apart_from, deal_examples, read_corrections
from training.data import DataError


def exported(example, **changes):
    """A line as GET /v1/export gives it."""
    row = {"id": example.id, "title": example.petition.title, "text": example.petition.text, **example.labels}
    return json.dumps({**row, "action": "correct", **changes}, ensure_ascii=False)


def test_reads_what_the_desk_exports(examples, taxonomy, tmp_path):
    path = tmp_path / "decided.jsonl"
    path.write_text("\n".join(exported(example) for example in examples[:3]) + "\n\n", encoding="utf-8")
    found = read_corrections(path, taxonomy)
    assert [row.labels for row in found] == [dict(example.labels) for example in examples[:3]]
    assert {row.source for row in found} == {"corrected"}
    assert all(row.n_appeals is None and set(row.labels) == set(HEADS) for row in found)


def test_the_desk_exports_every_column_that_is_read():
    assert {"id", "title", "text", *HEADS} <= set(COLUMNS)


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", "JSONDecodeError"), ("{}", "KeyError"), ("[1]", "TypeError"), (None, "is no department")],
)
def test_names_the_line_at_fault(line, said, examples, taxonomy, tmp_path):
    path = tmp_path / "decided.jsonl"
    path.write_text(exported(examples[0]) + "\n" + (line or exported(examples[1], department="nowhere")))
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


def test_decisions_only_help_to_fit(examples, taxonomy, tiny_data, tmp_path):
    path = tmp_path / "decided.jsonl"
    text = "菜市场后门的铁栏杆锈断三根，老人买菜下台阶无处扶手，请市场管理方尽快焊好并装上夜灯。"
    path.write_text(exported(examples[0], id="new", title="栏杆断了", text=text), encoding="utf-8")
    plain = deal_examples(tiny_data, taxonomy, written=False)
    dealt = deal_examples(tiny_data, taxonomy, written=False, corrections=path)
    assert [row.id for row in dealt["fit"][len(plain["fit"]) :]] == ["desk-new"]
    assert {split: len(rows) for split, rows in dealt.items() if split != "fit"} == {
        split: len(rows) for split, rows in plain.items() if split != "fit"
    }
