"""The command `petition classify`: where the text comes from, what is printed, what is refused."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from nlp.petition import Petition
from nlp.router import Router
from serving import cli
from serving.classifier import Classifier
from serving.commands.classify import show
from serving.schemas.suggestion import SuggestionOut

TEXT = "楼下烧烤店油烟很大，联系电话13800138000"
Classify = Callable[..., int]


@pytest.fixture
def classify(monkeypatch: pytest.MonkeyPatch, classifier: Classifier) -> Classify:
    """Return a function that runs `petition classify` as a user does, with the fake for a model."""
    monkeypatch.setattr(Router, "load", lambda *_, **__: classifier)

    def run(*arguments: object, stdin: bytes | None = None) -> int:
        monkeypatch.setattr(sys, "argv", ["petition", "classify", *map(str, arguments)])
        source = io.TextIOWrapper(io.BytesIO(stdin or b""))
        source.isatty = lambda: stdin is None  # type: ignore[method-assign]
        monkeypatch.setattr(sys, "stdin", source)
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return int(stop.value.code or 0)

    return run


def test_an_argument_is_judged_and_shown_in_chinese(classify: Classify, capsys: pytest.CaptureFixture[str]) -> None:
    assert classify(TEXT, "--title", "油烟扰民") == 0
    said = capsys.readouterr().out
    for expected in (
        "责任部门",
        "城",
        "96%",
        "第三十一条第五项",
        "信访程序",
        "“油烟”",
        "phone 1 处",
        "可直接采纳",
        "fake-1",
    ):
        assert expected in said


def test_what_must_be_seen_and_what_else_is_open_name_article_and_certainty(
    classify: Classify, capsys: pytest.CaptureFixture[str]
) -> None:
    assert classify("我想不开") == 0
    said = "".join(capsys.readouterr().out.split())
    assert "（S级）（条例25条，已核）立即报告" in said
    assert "信访程序（条例31条六，已核）" in said


def test_review_tells_why(classify: Classify, capsys: pytest.CaptureFixture[str]) -> None:
    assert classify("我想不开，责任在谁 [red]渠道存疑[/red]") == 0
    said = capsys.readouterr().out
    assert "须人工审核" in said
    assert "两条途径难分高下" in said
    assert "S级" in said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("way", ["file", "stdin", "dash"])
def test_files_and_standard_input(
    classify: Classify, tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str, way: str
) -> None:
    content = TEXT.encode(encoding)
    (tmp_path / "in.txt").write_bytes(content)
    arguments = {"file": ["--file", tmp_path / "in.txt"], "stdin": [], "dash": ["--file", "-"]}[way]
    assert classify(*arguments, "--json", stdin=b"" if way == "file" else content) == 0
    assert json.loads(capsys.readouterr().out)["masked_text"] == TEXT.replace("13800138000", "[电话]")


def test_json_is_what_the_api_answers(
    classify: Classify, classifier: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    assert classify(TEXT, "--json") == 0
    answer = SuggestionOut.of(classifier.suggest(Petition(text=TEXT)))
    assert json.loads(capsys.readouterr().out) == json.loads(answer.model_dump_json())


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        ([TEXT, "--file", "x.txt"], None, "只能给一个"),
        ([], None, "没有正文"),
        (["--file", "none.txt"], None, "读不了 none.txt"),
        ([], b"\xff\xff\x81", "标准输入 的编码"),
        (["  "], None, "正文为空"),
    ],
)
def test_what_cannot_be_judged_is_said_in_one_line(
    classify: Classify, capsys: pytest.CaptureFixture[str], arguments: list[str], stdin: bytes | None, expected: str
) -> None:
    assert classify(*arguments, stdin=stdin) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("错误：")
    assert captured.err.count("\n") == 1
    assert expected in captured.err
    assert TEXT not in captured.err


def test_brackets_in_a_petition_are_shown_as_they_are(classifier: Classifier) -> None:
    petition = Petition(text="[bold]油烟[/bold]")
    console = Console(file=io.StringIO(), width=100)
    show(classifier.suggest(petition), petition, console=console)
    assert "“油烟”" in console.file.getvalue()  # type: ignore[attr-defined]


def test_help_loads_no_model_library() -> None:
    code = "import sys, serving.cli; sys.exit(bool({'onnxruntime', 'torch', 'jieba'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_bundled_model_answers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = "我们小区东门外的烧烤店每晚油烟直排，噪声到凌晨两点，向街道反映过一次没有结果，请依法查处。"
    monkeypatch.setattr(sys, "argv", ["petition", "classify", text, "--json"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    answer = json.loads(capsys.readouterr().out)
    assert answer == json.loads(SuggestionOut.of(Router.load().suggest(Petition(text=text))).model_dump_json())
    assert answer["answer"]["predictions"]["category_l1"]["name"]
    assert answer["answer"]["decision"]["action"] in ("auto", "review")
