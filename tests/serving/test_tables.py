"""Reading and writing tables: every format there and back, every way a file can be broken."""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.errors import TableError
from serving.tables import find_columns, open_table, output_names, write_table
from serving.tables.encodings import decode, detect_encoding
from serving.tables.formulas import neutralise, restore

HEADER = "编号,标题,内容"
LINES = [HEADER, "007,路灯,路灯坏了", '008,油烟,"第一行\n第二行，“引号”"']
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(content: str | bytes, name: str = "in.csv", *, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def cells(path: Path, **options: Any) -> list[list[Any]]:
    return [list(row.cells.values()) for row in open_table(path, **options).rows()]


def faults(path: Path) -> list[str]:
    return [row.fault.partition(":")[0] for row in open_table(path).rows()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_in_every_encoding(save: Save, encoding: str, newline: str) -> None:
    table = open_table(save(newline.join(LINES), encoding=encoding))
    assert table.columns == ("编号", "标题", "内容")
    assert table.n_rows == 2
    assert table.for_excel == (encoding != "utf-8")
    assert [row.cells["编号"] for row in table.rows()] == ["007", "008"]
    assert [row.cells["内容"] for row in table.rows()] == ["路灯坏了", "第一行\n第二行，“引号”"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_with_every_separator(save: Save, separator: str) -> None:
    path = save(f'"编号"{separator}"a,b;c"\n1{separator}"逗号,分号;"\n')
    assert open_table(path).columns == ("编号", "a,b;c")
    assert cells(path) == [["1", "逗号,分号;"]]


def test_a_single_column_is_a_table(save: Save) -> None:
    assert cells(save("内容\n只有一列\n")) == [["只有一列"]]


def test_utf8_with_broken_bytes_is_not_taken_for_gb18030(save: Save) -> None:
    content = "内容,备注\n好的一行,有些文字在这里\n".encode() + b"\xe8\xb7" + "灯坏了,备注\n".encode()
    path = save(content)
    assert detect_encoding(path).damaged
    assert faults(path) == ["", "bad_row"]
    assert open_table(path).notice
    assert cells(path)[0] == ["好的一行", "有些文字在这里"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "空文件"),
        (b"PK\x03\x04\0\0", "不是文本文件"),
        (b"\xff\x81\xff\x81\xff", "编码无法识别"),
        (b"\n\n", "不是表头"),
        (b",,\n1,2,3\n", "不是表头"),
        (b'"a,b\n', "不是表头"),
    ],
)
def test_csv_that_is_no_table(save: Save, content: bytes, expected: str) -> None:
    with pytest.raises(TableError, match=expected):
        open_table(save(content))


def test_rows_that_do_not_fit_the_header_are_kept_whole_and_reported(save: Save) -> None:
    path = save("id,内容\n1,一,二,三\n2\n\n3,好\n")
    assert cells(path) == [["1", "一,二,三"], ["2", ""], ["3", "好"]]
    assert faults(path) == ["bad_row", "bad_row", ""]


def test_an_open_quote_spoils_its_line_only(save: Save) -> None:
    rows = list(open_table(save('id,内容\n1,"没有结束\n2,好\n3,"两\n行"\n')).rows())
    assert [(row.raw, row.fault.partition(":")[0]) for row in rows] == [('1,"没有结束', "bad_row"), ("", ""), ("", "")]
    assert rows[1].cells == {"id": "2", "内容": "好"}
    assert rows[2].cells == {"id": "3", "内容": "两\n行"}


def test_a_cell_beyond_any_sense_is_reported_not_fatal(save: Save) -> None:
    rows = list(open_table(save("id,内容\n1," + "字" * 1_000_001 + "\n2,好\n")).rows())
    assert [row.fault.partition(":")[0] for row in rows] == ["bad_row", ""]
    assert len(rows[0].raw) > 1_000_000


def test_headers_without_or_with_the_same_name_stay_apart(save: Save) -> None:
    assert open_table(save("内容,,内容,内容_2\na,b,c,d\n")).columns == ("内容", "列2", "内容_2", "内容_2_2")


def test_jsonl_keeps_types_and_reports_broken_lines(save: Save) -> None:
    lines = [
        '{"id": 7, "text": "路灯坏了", "tags": ["a"], "open": true}',
        '{"id": 8, "text": ',
        "",
        "[1, 2]",
        '{"text": NaN}',
        '{"text": "半个\\ud83d字", "extra": null}',
        "[" * 100_000,
    ]
    table = open_table(save("\n".join(lines), "in.jsonl"))
    rows = list(table.rows())
    assert table.n_rows == len(rows) == 6
    assert table.columns == ("id", "text", "tags", "open", "extra")
    assert rows[0].cells == {"id": 7, "text": "路灯坏了", "tags": ["a"], "open": True}
    assert [row.fault.partition(":")[0] for row in rows] == ["", *["broken_json"] * 3, "", "broken_json"]
    assert rows[1].raw == lines[1]
    assert rows[4].cells == {"text": "半个?字", "extra": None}


def test_jsonl_without_any_object_is_refused(save: Save) -> None:
    with pytest.raises(TableError, match="没有一行是 JSON 对象"):
        open_table(save("hello\n", "in.jsonl"))


def test_a_broken_line_is_not_quoted_in_its_error(save: Save) -> None:
    path = save('{"text": "好"}\n{"text": 张三丰\n', "in.jsonl")
    assert "张" not in [row.fault for row in open_table(path).rows()][1]


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "in.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        hidden = book.add_worksheet("隐藏")
        hidden.hide()
        sheet = book.add_worksheet("来信")
        sheet.write_row(1, 0, ["编号", "电话", "内容", "日期", "办结"])
        sheet.write_row(2, 0, ["0071", 13800138000, "路灯坏了"])
        sheet.write_datetime(2, 3, datetime(2024, 3, 1), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_boolean(2, 4, True)
        sheet.write_formula(4, 2, '="油"&"烟"', None, "油烟")
        sheet.write_formula(4, 1, "=1+0.5", None, 1.5)
        sheet.write_blank(30, 0, None, book.add_format({"bold": True}))
        book.add_worksheet("另一个").write_row(0, 0, ["text"])
        book.worksheets()[-1].write_row(1, 0, ["别的"])
        sheet.activate()
        sheet.set_first_sheet()
    return path


def test_xlsx_cells_are_text_as_written(workbook: Path) -> None:
    table = open_table(workbook)
    assert table.columns == ("编号", "电话", "内容", "日期", "办结")
    assert cells(workbook) == [
        ["0071", "13800138000", "路灯坏了", "2024-03-01", "TRUE"],
        ["", "", "", "", ""],
        ["", "1.5", "油烟", "", ""],
    ]
    assert table.n_rows == 3
    assert "来信" in table.notice


def test_a_worksheet_can_be_picked(workbook: Path) -> None:
    assert cells(workbook, sheet="另一个") == [["别的"]]
    with pytest.raises(TableError, match="没有工作表“无”；有：隐藏、来信、另一个"):
        open_table(workbook, sheet="无")


def test_a_worksheet_of_a_csv_is_refused(save: Save) -> None:
    with pytest.raises(TableError, match="--sheet"):
        open_table(save(HEADER), sheet="来信")


def test_xlsx_that_is_none_or_empty(save: Save, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="不是可读的 XLSX"):
        open_table(save("编号,内容", "in.xlsx"))
    xlsxwriter.Workbook(str(tmp_path / "empty.xlsx")).close()
    with pytest.raises(TableError, match="是空的"):
        open_table(tmp_path / "empty.xlsx")


def test_unknown_extension_and_missing_file(save: Save, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"可用：\.csv \.xlsx \.jsonl"):
        open_table(save("x", "in.txt"))
    with pytest.raises(TableError, match="没有这个文件"):
        open_table(tmp_path / "none.csv")


def test_columns_are_found_by_name_whatever_the_spelling() -> None:
    columns = find_columns(["序号", "留言编号", "* 留言主题 ", "ＴＥＸＴ", "留言详情："])
    assert (columns.id, columns.title, columns.text) == ("留言编号", "* 留言主题 ", "ＴＥＸＴ")


def test_given_columns_win_and_are_not_used_twice() -> None:
    columns = find_columns(["标题", "内容"], text_column="标题")
    assert (columns.id, columns.title, columns.text) == (None, None, "标题")
    with pytest.raises(TableError, match="不能用于两项"):
        find_columns(["标题", "内容"], text_column="标题", title_column="标题")
    with pytest.raises(TableError, match="没有列“正文”。表中的列：标题、内容"):
        find_columns(["标题", "内容"], text_column="正文")


def test_a_missing_text_column_tells_what_there_is_and_what_would_do() -> None:
    with pytest.raises(TableError, match=r"表中的列：id、备注。可识别的列名：text、.*留言详情.*--text"):
        find_columns(["id", "备注"])


def test_clashing_input_columns_get_a_suffix_and_none_is_lost() -> None:
    names = output_names(["error", "error_input", "text"], added=["error", "nature"])
    assert names == {"error": "error_input_input", "error_input": "error_input", "text": "text"}


@pytest.mark.parametrize("cell", ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1", "''-x"])
def test_formulas_are_neutralised(cell: str) -> None:
    assert neutralise(cell) == f"'{cell}"


@given(st.text(alphabet=st.sampled_from("'=+-@\t\r\n＝a字"), max_size=6))
def test_neutralising_can_be_undone(cell: str) -> None:
    assert restore(neutralise(cell)) == cell


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=2, max_size=2),
        min_size=1,
        max_size=4,
    )
)
def test_csv_comes_back_as_it_was_written(tmp_path: Path, rows: list[list[str]]) -> None:
    path = tmp_path / "out.csv"
    records = [{"id": "1", "文": first, "字": second} for first, second in rows]
    write_table(path, ["id", "文", "字"], records, for_excel=True, notes="字")
    back = [{name: restore(cell) for name, cell in row.cells.items()} for row in open_table(path).rows()]
    assert back == records


def test_what_is_written_to_excel_is_text_never_formula_or_link(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    row = {"text": '=HYPERLINK("http://x")', "link": "https://example.org", "phone": "013800138000", "p": 0.5}
    write_table(path, list(row), [row], for_excel=True, notes="p")
    sheet = openpyxl.load_workbook(path).active
    assert [cell.data_type for cell in sheet[2]] == ["s", "s", "s", "n"]
    assert [cell.value for cell in sheet[2]] == list(row.values())
    assert sheet._hyperlinks == []


def test_a_cell_too_long_for_excel_is_cut_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    write_table(path, ["text", "error"], [{"text": "😀" * 20_000, "error": "x:y"}], for_excel=True, notes="error")
    text, error = cells(path)[0]
    assert text == "😀" * 16_383
    assert error.startswith("x:y；cell_cut:text")


def test_jsonl_and_nested_values(tmp_path: Path) -> None:
    rows = [{"a": {"b": [1, "字"]}, "c": None, "d": 0.5}, {"a": "x"}]
    write_table(tmp_path / "out.jsonl", ["a", "c", "d"], rows, for_excel=False, notes="a")
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()] == rows
    write_table(tmp_path / "out.csv", ["a", "c", "d"], rows, for_excel=False, notes="a")
    text = (tmp_path / "out.csv").read_text("utf-8")
    assert list(csv.reader(io.StringIO(text)))[1:] == [['{"b": [1, "字"]}', "", "0.5"], ["x", "", ""]]


def test_a_table_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def rows() -> Any:
        yield {"a": "1"}
        raise RuntimeError("stop")

    for name in ("out.csv", "out.xlsx", "out.jsonl"):
        with pytest.raises(RuntimeError):
            write_table(tmp_path / name, ["a"], rows(), for_excel=False, notes="a")
    assert list(tmp_path.iterdir()) == []


def test_short_files_are_decoded_or_refused() -> None:
    assert decode("﻿路灯".encode(), name="x") == decode("路灯".encode("gbk"), name="x") == "路灯"
    with pytest.raises(TableError, match="x 的编码"):
        decode(b"\xff\xff\x81", name="x")
