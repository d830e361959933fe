"""Labelled petitions from every source, and clear words where a file does not fit."""

import csv
import json

import pytest

from training.data import DataError, read_examples, read_written

ANNOTATION_COLUMNS = (
    *("id", "category_l1", "category_l2", "nature", "channel", "channel_alternatives"),
    *("department", "department_co", "review_flags", "appeals"),
)
ROW = {
    "id": "s001",
    "category_l1": "城乡建设",
    "category_l2": "住房保障与房地产",
    "nature": "request",
    "channel": "statutory_duty",
    "channel_alternatives": "petition_procedure",
    "department": "housing_urban_rural_development",
    "department_co": "",
    "review_flags": "group_event;minors",
    "appeals": "2",
}


def annotate(folder, *rows, urgent=()):
    path = folder / "annotations" / "first_reading.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name("urgent_reading.csv").write_text("\n".join(["id,reader,flags", *urgent]), encoding="utf-8")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=ANNOTATION_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return folder


def write_samples(folder, *lines):
    path = folder / "samples" / "synthetic_rare.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_every_message_comes_with_what_is_known_of_it(data_folder, taxonomy, tmp_path, rows):
    found = {e.id: e for e in read_examples(data_folder, taxonomy, written=False, datasets=annotate(tmp_path))}
    assert list(found) == [row["id"] for row in rows]
    bare, annotated, unlabelled = (found[rows[i]["id"]] for i in (0, 70, 150))
    assert (bare.labels, bare.public_category, bare.source) == ({}, rows[0]["category_l1"], "dataset")
    assert (annotated.source, annotated.labels["nature"]) == ("annotated", rows[70]["nature"])
    assert annotated.labels["category_l2"] == f"{rows[70]['category_l1']}/{rows[70]['category_l2']}"
    assert (unlabelled.labels, unlabelled.public_category) == ({}, None)
    assert annotated.group == f"g{annotated.id}"


def test_a_second_reading_replaces_the_first(data_folder, taxonomy, tmp_path, rows):
    again = ROW | {"id": rows[70]["id"]}
    examples = read_examples(data_folder, taxonomy, written=False, datasets=annotate(tmp_path, again))
    found = {e.id: e for e in examples}[rows[70]["id"]]
    assert found.source == "reread"
    assert found.labels["department"] == "housing_urban_rural_development"
    assert (found.accepted, found.flags, found.n_appeals) == (("petition_procedure",), ("group_event", "minors"), 2)


def test_a_reading_for_urgent_flags_alone_takes_the_place_of_the_first_ones(data_folder, taxonomy, tmp_path, rows):
    again = ROW | {"id": rows[70]["id"]}
    datasets = annotate(tmp_path, again, urgent=[f"{again['id']},urgent-1,self_harm", f"{rows[0]['id']},urgent-1,"])
    examples = read_examples(data_folder, taxonomy, written=False, datasets=datasets)
    found = {e.id: e.flags for e in examples}
    assert found[again["id"]] == ("self_harm", "minors")
    assert found[rows[0]["id"]] == ()


def test_the_text_is_what_the_model_reads(data_folder, taxonomy, tmp_path, texts):
    examples = read_examples(data_folder, taxonomy, written=False, datasets=annotate(tmp_path))
    assert [e.text for e in examples[:5]] == texts[:5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channel": "magic"}, r"first_reading\.csv:3: 'magic' is no channel of taxonomy 1\.0"),
        ({"category_l2": "没有的类"}, "'城乡建设/没有的类' is no category_l2"),
        ({"department": "nobody"}, "'nobody' is no department"),
    ],
)
def test_a_label_that_is_not_in_the_taxonomy_is_named_with_file_and_row(
    data_folder, taxonomy, tmp_path, change, message
):
    folder = annotate(tmp_path, ROW, ROW | {"id": "s002"} | change)
    with pytest.raises(DataError, match=message):
        read_examples(data_folder, taxonomy, written=False, datasets=folder)


def test_missing_files_are_named(data_folder, taxonomy, tmp_path):
    with pytest.raises(DataError, match=r"no such file: .*annotations\.csv"):
        read_examples(tmp_path, taxonomy, written=False, datasets=annotate(tmp_path / "d"))
    with pytest.raises(DataError, match=r"no such file: .*synthetic_rare\.jsonl"):
        read_examples(data_folder, taxonomy, datasets=annotate(tmp_path / "d"))


def test_petitions_written_by_us_come_with_all_heads(rows, taxonomy, tmp_path):
    folder = write_samples(tmp_path, *(json.dumps(row, ensure_ascii=False) for row in rows[:5]))
    examples = read_written(folder, taxonomy)
    assert [e.id for e in examples] == [row["id"] for row in rows[:5]]
    assert {e.source for e in examples} == {"written"}
    assert all(len(e.labels) == 5 for e in examples)
    assert len({e.group for e in examples}) == 5


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "x"}', '{"id": "x", "title": "", "text": "停电"}'])
def test_a_broken_line_is_named_without_its_text(taxonomy, tmp_path, line):
    with pytest.raises(DataError, match=r"synthetic_rare\.jsonl:1: not a petition with its labels") as caught:
        read_written(write_samples(tmp_path, line), taxonomy)
    assert "停电" not in str(caught.value)
