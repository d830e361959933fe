"""The command `petition triage`: every row answered or excused, nothing lost, interrupted runs go on."""

import csv
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from nlp.errors import TableError
from nlp.petition import Petition, Suggestion
from nlp.router import MAX_CHARACTERS, Router
from nlp.taxonomy import load_taxonomy
from serving.classifier import Classifier
from serving.tables import find_columns, open_table
from serving.triage import ADDED, Job, annotation_value, check_paths, triage

Run = Callable[..., int]
EXPECTED_COLUMNS = [
    "category_l1", "category_l2", "nature", "channel", "department",
    "category_l1_confidence", "category_l2_confidence", "nature_confidence", "channel_confidence",
    "department_confidence", "channel_alternatives", "department_top3", "decision", "reasons", "error",
]  # fmt: skip
HARD_TEXTS = {
    "empty": "",
    "blank": " \n　",
    "one": "路",
    "huge": "路灯坏了。" * (MAX_CHARACTERS // 5),
    "too_huge": "路" * (MAX_CHARACTERS + 1),
    "english": "The street lamp in front of our house has been broken for a month.",
    "emoji": "😀😀😀👨‍👩‍👧‍👦",
    "html": "<p>楼下<b>油烟</b>很大</p><script>alert(1)</script>",
    "formula": "=HYPERLINK(1)",
    "controls": "路灯\x01\x7f坏了\u200b\u202e",
}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, classifier: Classifier) -> None:
    """Let the commands load the fake instead of a model."""
    monkeypatch.setattr(Router, "load", lambda *_, **__: classifier)


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def read_csv(path: Path, *, encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def ignore(n_done: int) -> None:
    """Take no interest in progress."""
    assert n_done >= 0


def make_job(source: Path, out: Path) -> Job:
    table = open_table(source)
    return Job(source=source, table=table, columns=find_columns(table.columns), out=out)


@pytest.mark.usefixtures("fake")
def test_every_input_column_is_kept_and_ours_are_added(petition: Run, tmp_path: Path) -> None:
    source = write_csv(
        tmp_path / "in.csv",
        [
            ["留言编号", "留言主题", "留言详情", "nature", "电话"],
            ["007", "油烟", "楼下油烟\n很大", "旧值", "+8613800138000"],
        ],
    )
    assert petition("triage", source, "--out", tmp_path / "out.csv") == 0
    row = read_csv(tmp_path / "out.csv")[0]
    assert list(row) == ["留言编号", "留言主题", "留言详情", "nature_input", "电话", *EXPECTED_COLUMNS]
    assert row["留言编号"] == "007"
    assert row["留言详情"] == "楼下油烟\n很大"
    assert row["nature_input"] == "旧值"
    assert row["电话"] == "'+8613800138000"
    assert (row["category_l1"], row["category_l2"]) == ("环境保护", "环境污染")
    assert (row["nature"], row["channel"], row["department"]) == ("request", "statutory_duty", "urban_management")
    assert row["category_l1_confidence"] == "0.96"
    assert row["channel_alternatives"] == "petition_procedure"
    assert row["department_top3"].split(";")[0] == "urban_management"
    assert (row["decision"], row["reasons"], row["error"]) == ("auto", "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("out_name", ["out.csv", "out.xlsx", "out.jsonl"])
@pytest.mark.parametrize("in_name", ["in.csv", "in.xlsx", "in.jsonl"])
def test_every_format_into_every_format(petition: Run, tmp_path: Path, in_name: str, out_name: str) -> None:
    source, out = tmp_path / in_name, tmp_path / out_name
    match source.suffix:
        case ".csv":
            write_csv(source, [["编号", "内容"], ["007", "油烟 部门存疑"], ["008", ""]])
        case ".xlsx":
            with xlsxwriter.Workbook(str(source)) as book:
                sheet = book.add_worksheet()
                sheet.write_row(0, 0, ["编号", "内容"])
                sheet.write_string(1, 0, "007")
                sheet.write_formula(1, 1, '="油烟"&" 部门存疑"', None, "油烟 部门存疑")
                sheet.write_string(2, 0, "008")
        case _:
            source.write_text('{"编号": "007", "内容": "油烟 部门存疑"}\n{"编号": "008", "内容": null}\n', "utf-8")
    assert petition("triage", source, "--out", out) == 0
    match out.suffix:
        case ".csv":
            rows: list[dict[str, Any]] = read_csv(out, encoding="utf-8-sig")
            assert out.read_bytes().startswith(b"\xef\xbb\xbf") == (in_name == "in.xlsx")
        case ".xlsx":
            header, *lines = openpyxl.load_workbook(out).active.iter_rows(values_only=True)
            rows = [dict(zip(header, line, strict=True)) for line in lines]
            assert isinstance(rows[0]["nature_confidence"], float)
        case _:
            rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["编号"] for row in rows] == ["007", "008"]
    assert [row["department"] or "" for row in rows] == ["urban_management", ""]
    assert [row["reasons"] or "" for row in rows] == ["low_confidence:department", ""]
    assert [row["decision"] for row in rows] == ["review", "review"]
    assert (rows[1]["error"] or "").startswith("empty_text:")


def test_what_cannot_be_judged_is_said_in_the_row(classifier: Classifier, tmp_path: Path) -> None:
    lines = [
        {"text": "油烟"},
        {"text": "  "},
        {"text": "路" * (MAX_CHARACTERS + 1)},
        {"text": ["油烟"]},
        {"id": "no text"},
        {"text": "中毒"},
    ]
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(json.dumps(line) for line in lines) + '\n{"text": 油烟\n', "utf-8")
    out = tmp_path / "out.jsonl"
    summary = triage(make_job(source, out), [classifier], resume=False, on_row=ignore)
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    codes = [row["error"].partition(":")[0] for row in rows]
    assert codes == ["", "empty_text", "too_long", "bad_row", "empty_text", "internal_error", "broken_json"]
    assert all(row["decision"] == "review" for row in rows[1:])
    assert rows[5]["error"] == "internal_error:RuntimeError"
    assert rows[6]["text"] == '{"text": 油烟'
    assert (summary.n_rows, summary.n_auto) == (7, 1)
    assert summary.errors == {"empty_text": 2, "too_long": 1, "bad_row": 1, "internal_error": 1, "broken_json": 1}
    assert summary.departments == {"urban_management": 1}


class Slowing:
    """Answers the later the earlier a petition comes, so that threads overtake each other."""

    def __init__(self, fake: Classifier) -> None:
        self.fake = fake
        self.bundle, self.taxonomy, self.thresholds = fake.bundle, fake.taxonomy, fake.thresholds

    def suggest(self, petition: Petition) -> Suggestion:
        time.sleep(0.03 if petition.id and petition.id.endswith("0") else 0)
        return self.fake.suggest(petition)


def test_rows_keep_their_order_whichever_thread_is_faster(classifier: Classifier, tmp_path: Path) -> None:
    doubts = ["油烟", "油烟 部门存疑", "油烟 渠道存疑"]
    source = write_csv(tmp_path / "in.csv", [["id", "text"], *([str(n), doubts[n % 3]] for n in range(60))])
    seen: list[int] = []
    workers = [Slowing(classifier) for _ in range(4)]
    triage(make_job(source, tmp_path / "out.csv"), workers, resume=False, on_row=seen.append)
    rows = read_csv(tmp_path / "out.csv")
    assert [row["id"] for row in rows] == [str(n) for n in range(60)]
    reasons = ["", "low_confidence:department", "close_call:channel"]
    assert [row["reasons"] for row in rows] == [reasons[n % 3] for n in range(60)]
    assert seen == list(range(61))


class Stopping(Slowing):
    """Is interrupted after some petitions, as by Ctrl-C."""

    def __init__(self, fake: Classifier, *, after: int) -> None:
        super().__init__(fake)
        self.left = after

    def suggest(self, petition: Petition) -> Suggestion:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return self.fake.suggest(petition)


@pytest.mark.parametrize("torn", [b"", b'{"category_l1": "\xe5'])
def test_a_resumed_run_equals_an_unbroken_one(
    classifier: Classifier, petition: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, torn: bytes
) -> None:
    texts = ["油烟", "", "渠道存疑", "油烟 多个诉求"] * 5
    source = write_csv(tmp_path / "in.csv", [["id", "text"], *([str(n), text] for n, text in enumerate(texts))])
    out, whole = tmp_path / "out.csv", tmp_path / "whole.csv"
    triage(make_job(source, whole), [classifier], resume=False, on_row=ignore)
    monkeypatch.setattr(Router, "load", lambda *_, **__: Stopping(classifier, after=6))
    assert petition("triage", source, "--out", out, "--workers", 1) == 130
    assert not out.exists()
    partial = tmp_path / "out.csv.partial"
    n_before = partial.read_text("utf-8").count("\n") - 1
    assert 4 <= n_before < len(texts)
    assert "油烟" not in partial.read_text("utf-8")
    partial.write_bytes(partial.read_bytes() + torn)

    monkeypatch.setattr(Router, "load", lambda *_, **__: classifier)
    assert petition("triage", source, "--out", out) == 2
    judged: list[str] = classifier.judged  # type: ignore[attr-defined]
    judged.clear()
    assert petition("triage", source, "--out", out, "--resume") == 0
    assert out.read_bytes() == whole.read_bytes()
    assert len(judged) == sum(bool(text) for text in texts[n_before:])
    assert not partial.exists()


@pytest.mark.usefixtures("fake")
def test_a_journal_of_another_run_is_not_continued(
    petition: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_csv(tmp_path / "in.csv", [["text", "标题"], ["油烟", "噪声"]])
    out = tmp_path / "out.csv"
    partial = tmp_path / "out.csv.partial"
    partial.write_text(json.dumps({"input": "other"}) + "\n")
    assert petition("triage", source, "--out", out, "--resume") == 2
    assert "另一次运行" in capsys.readouterr().err
    partial.write_text("{broken\n")
    assert petition("triage", source, "--out", out, "--resume") == 2
    assert "已损坏" in capsys.readouterr().err
    assert petition("triage", source, "--out", out, "--force") == 0
    assert read_csv(out)[0]["error"] == ""


@pytest.mark.parametrize("overlay", ["taxonomy", "knowledge"])
def test_a_run_does_not_go_on_under_other_rules(
    classifier: Classifier,
    petition: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    overlay: str,
) -> None:
    source = write_csv(tmp_path / "in.csv", [["text"], ["油烟"], ["噪声"]])
    rules = tmp_path / "office.yaml"
    rules.write_text("office: 青石县信访局\n", "utf-8")
    run = ("triage", source, "--out", tmp_path / "out.csv", "--workers", 1)
    option = (f"--{overlay}-overlay", rules)
    monkeypatch.setattr(Router, "load", lambda *_, **__: Stopping(classifier, after=1))
    assert petition(*run, *option) == 130
    monkeypatch.setattr(Router, "load", lambda *_, **__: classifier)
    refusal = f"属于另一次运行（{overlay}_overlay 不同）"
    assert petition(*run, "--resume") == 2
    assert refusal in capsys.readouterr().err
    unchanged = rules.read_bytes()
    rules.write_text("office: 白水县信访局\n", "utf-8")
    assert petition(*run, *option, "--resume") == 2
    assert refusal in capsys.readouterr().err
    rules.write_bytes(unchanged)
    assert petition(*run, *option, "--resume") == 0


def test_a_run_does_not_go_on_under_another_error_budget(classifier: Any, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [["text"], ["油烟"], ["噪声"]])
    job = make_job(source, tmp_path / "out.csv")
    with pytest.raises(KeyboardInterrupt):
        triage(job, [Stopping(classifier, after=1)], resume=False, on_row=ignore)
    classifier.thresholds = classifier.thresholds.within(0.05)
    with pytest.raises(TableError, match="error_budget 不同"):
        triage(job, [classifier], resume=True, on_row=ignore)


def test_an_input_changed_meanwhile_gives_no_output(classifier: Classifier, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [["text"], ["油烟"], ["噪声"]])
    job = make_job(source, tmp_path / "out.csv")

    def change(n_done: int) -> None:
        with source.open("a") as file:
            file.write(f"{n_done}\n")

    with pytest.raises(TableError, match="被改动"):
        triage(job, [classifier], resume=False, on_row=change)
    assert not job.out.exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["in.csv", "--out", "in.csv"], "不能就是输入文件"),
        (["in.csv", "--out", "link.csv"], "不能就是输入文件"),
        (["in.csv", "--out", "old.csv"], "--force"),
        (["in.csv", "--out", "none/out.csv"], "没有这个文件夹"),
        (["in.csv", "--out", "folder.csv"], "这是一个文件夹"),
        (["in.csv", "--out", "out.txt"], "不认识扩展名“.txt”"),
        (["in.doc", "--out", "out.csv"], "不认识扩展名“.doc”"),
        (["in.csv", "--out", "out.csv", "--text", "正文"], "没有列“正文”"),
        (["bare.csv", "--out", "out.csv"], "找不到正文列。表中的列：a、b。可识别的列名：text"),
        (["in.csv", "--out", "out.csv", "--bundle", "none"], "no bundle at none"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    petition: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    source = write_csv(tmp_path / "in.csv", [["text"], ["油烟"]])
    (tmp_path / "in.doc").write_bytes(b"x")
    (tmp_path / "old.csv").write_text("old")
    (tmp_path / "folder.csv").mkdir()
    write_csv(tmp_path / "bare.csv", [["a", "b"], ["油烟", "c"]])
    os.link(source, tmp_path / "link.csv")
    assert petition("triage", *arguments) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert "Traceback" not in error
    assert "油烟" not in error
    assert (tmp_path / "old.csv").read_text() == "old"
    assert not (tmp_path / "out.csv").exists()


def test_output_paths_are_checked_before_anything_is_read(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [["text"], ["油烟"]])
    check_paths(source, tmp_path / "out.csv", force=False)
    write_csv(tmp_path / "out.csv", [])
    check_paths(source, tmp_path / "out.csv", force=True)


@pytest.mark.usefixtures("fake")
def test_the_summary_counts_rows_errors_and_departments(
    petition: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_csv(tmp_path / "in.csv", [["text", "x"], ["油烟", ""], ["多个诉求", ""], ["", ""]])
    assert petition("triage", source, "--out", tmp_path / "out.csv") == 0
    said = capsys.readouterr().out
    assert said.splitlines() == [
        "行数：3",
        "可直接采纳：1（占已研判的 50%）",
        "须人工审核：1",
        "未能研判：1　empty_text 1",
        f"主要部门：{load_taxonomy().name('department', 'urban_management')} 2",
        f"结果：{tmp_path / 'out.csv'}",
    ]


def test_added_columns_and_labels_are_those_of_the_annotations() -> None:
    assert list(ADDED) == EXPECTED_COLUMNS
    taxonomy = load_taxonomy()
    names = {sub.name for category in taxonomy.categories for sub in category.second_level}
    assert {annotation_value("category_l2", label) for label in taxonomy.labels["category_l2"]} == names
    assert annotation_value("department", "public_security") == "public_security"


@pytest.mark.timeout(600)
def test_the_model_answers_or_excuses_every_hard_text(petition: Run, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "in.csv", [["id", "text"], *HARD_TEXTS.items()])
    assert petition("triage", source, "--out", tmp_path / "out.csv", "--workers", 2) == 0
    rows = {row["id"]: row for row in read_csv(tmp_path / "out.csv")}
    assert list(rows) == list(HARD_TEXTS)
    errors = {name: row["error"].partition(":")[0] for name, row in rows.items() if row["error"]}
    assert errors == {"empty": "empty_text", "blank": "empty_text", "too_huge": "too_long"}
    for name in ("empty", "blank", "one", "too_huge", "english", "emoji", "formula"):
        assert rows[name]["decision"] == "review", name
    for name in rows.keys() - errors:
        assert rows[name]["category_l1"], name
        assert rows[name]["reasons"] or rows[name]["decision"] == "auto", name


def test_rows_of_a_table_get_what_they_get_one_by_one(petition: Run, tmp_path: Path) -> None:
    texts = [
        "烧烤店每晚油烟直排，请依法查处。",
        "请问办理居住证需要什么材料？",
        "公司拖欠我三个月工资。",
    ] * 3
    source = write_csv(tmp_path / "in.csv", [["text"], *([text] for text in texts)])
    assert petition("triage", source, "--out", tmp_path / "out.jsonl", "--workers", 3) == 0
    router = Router.load()
    for text, line in zip(texts, (tmp_path / "out.jsonl").read_text("utf-8").splitlines(), strict=True):
        row, suggestion = json.loads(line), router.suggest(Petition(text=text))
        assert row["department"] == suggestion.predictions["department"].best.code
        assert row["decision"] == suggestion.decision.action
        assert row["nature_confidence"] == pytest.approx(suggestion.predictions["nature"].best.confidence, abs=1e-4)


MESSAGES = Path(__file__).parents[3] / "shared" / "data" / "messages_unlabelled.csv"


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.timeout(600)
@pytest.mark.skipif(not MESSAGES.is_file(), reason="needs the real messages of ../shared/data, which are not committed")
def test_a_thousand_real_messages(petition: Run, tmp_path: Path) -> None:
    header, *rows = open_table(MESSAGES).columns, *open_table(MESSAGES).rows()
    source = write_csv(tmp_path / "in.csv", [header, *(list(row.cells.values()) for row in rows[:1000])])
    assert petition("triage", source, "--out", tmp_path / "out.csv") == 0
    judged = read_csv(tmp_path / "out.csv")
    assert [row["id"] for row in judged] == [row.cells["id"] for row in rows[:1000]]
    assert all(bool(row["category_l1"]) != bool(row["error"]) for row in judged)
    assert set(EXPECTED_COLUMNS) <= set(judged[0])
    labels = load_taxonomy().labels
    assert {row["department"] for row in judged} <= {"", *labels["department"]}
    assert {row["category_l1"] for row in judged} <= {"", *labels["category_l1"]}
