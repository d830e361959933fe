"""`petition classify --law` and `petition knowledge`: what is printed, what is refused."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from nlp.assessment import assess
from nlp.decide import in_percent
from nlp.knowledge import load_knowledge
from nlp.petition import Petition
from nlp.prepare import prepare
from nlp.router import Router
from nlp.rules import find_firings
from serving.classifier import Classifier
from serving.commands.law import show_law
from serving.schemas.law import AssessOut

TEXT = "2025年3月至今，青石县宏达建筑公司拖欠我们8名工人工资共12万元，要求责令公司支付工资。\n我住[bold]白水镇[/bold]。"
Run = Callable[..., int]


def shown(classifier: Classifier) -> str:
    petition, knowledge = Petition(text=TEXT), load_knowledge()
    firings = find_firings(prepare(petition), knowledge=knowledge)
    suggestion = replace(classifier.suggest(petition), firings=firings)
    assessment = assess(petition, suggestion, knowledge=knowledge, events={"received": date(2026, 3, 2)})
    console = Console(file=io.StringIO(), width=200)
    show_law(assessment, petition, suggestion, console=console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_the_law_is_told_in_chinese_with_its_source(classifier: Classifier) -> None:
    said = shown(classifier)
    for expected in (
        "诉求 1 个",
        "人数：“8名",
        "12万元",
        "身份证号",
        "2026-03-17",
        "法定",
        "条例22条1款（已核）",
        "县委交办",
    ):
        assert expected in said
    assert "[bold]白水镇[/bold]" in said.replace("\n", "")


def test_json_with_the_law_is_what_the_api_answers(
    petition: Run, router: Router, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Router, "load", lambda *_, **__: router)
    assert petition("classify", TEXT, "--law", "--json", "--received-on", "2026-03-02") == 0
    answer = AssessOut.model_validate(json.loads(capsys.readouterr().out))
    assert {f"{clock.starts_on}" for clock in answer.law.clocks if clock.starts_on} >= {"2026-03-02"}
    assert petition("classify", TEXT, "--law") == 0
    said = capsys.readouterr().out
    assert said.index("责任部门") < said.index("转办层级建议")


def test_each_of_several_appeals_is_told_with_its_department_and_how_sure_that_is(
    petition: Run, router: Router, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Router, "load", lambda *_, **__: router)
    text = "1、教育局局长收受贿赂，请纪委查处。2、小区门口的路灯坏了三个月一直没有人修理，请城管修复。"
    assert petition("classify", text, "--law") == 0
    said = "".join(capsys.readouterr().out.split())
    suggestion = router.suggest(Petition(text=text))
    for appeal in suggestion.appeals:
        unit = appeal.predictions["department"].best
        assert f"可能部门：{unit.name}（把握{in_percent(unit.confidence)}）" in said
        assert "".join(appeal.legal_basis.split()) in said
    assert "单独登记、单独转送" in said
    assert "都不得是被检举的单位" in said
    assert f"建议主办：{suggestion.predictions['department'].best.name}" in said


def test_days_of_events_are_given_by_name_or_code(
    petition: Run, router: Router, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Router, "load", lambda *_, **__: router)
    said = ("classify", "收到信访处理意见书，我不同意，请求复查。", "--law", "--json", "--received-on", "2026-03-02")
    for event in ("opinion_received=2026-02-20", "收到处理意见书之日=2026-02-20"):
        assert petition(*said, "--event", event) == 0
        answer = AssessOut.model_validate(json.loads(capsys.readouterr().out))
        ends = {clock.code: clock.ends_on for clock in answer.law.clocks}
        assert ends["review_request"] == date(2026, 3, 22)
    for event, fault in (("accepted=2026-03-01", "早于"), ("accepted", "受理之日须写成"), ("=2026-03-04", "不认识")):
        assert petition(*said, "--event", event) == 2
        assert fault in capsys.readouterr().err


def test_a_sound_overlay_is_summed_up(petition: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text("office: 青石县信访局\ndeadlines:\n  - {code: local_520_accept, limit: 3}\n", encoding="utf-8")
    assert petition("knowledge", "check", file) == 0
    said = capsys.readouterr().out
    assert "青石县信访局" in said
    assert "修改1" in said
    assert petition("knowledge", "show", "--overlay", file) == 0
    assert "青石县信访局" in capsys.readouterr().out


def test_every_fault_of_an_overlay_is_told_at_once(
    petition: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(
        "office: 青石县信访局\nmystery: []\ndeadlines:\n  - {code: petition_handle, limit: 90}\n"
        "rules:\n  - {code: self_harm, disabled: true}\n",
        encoding="utf-8",
    )
    assert petition("knowledge", "check", file) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("错误：")
    for place in ("mystery", "petition_handle", "self_harm"):
        assert place in captured.err
    assert petition("knowledge", "check", tmp_path / "none.yaml") == 2
    assert "none.yaml" in capsys.readouterr().err


def test_knowledge_is_shown_with_its_doubts(petition: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert petition("knowledge", "show") == 0
    said, knowledge = capsys.readouterr().out, load_knowledge()
    assert knowledge.about.law_as_of in said
    assert f"deadlines\t{len(knowledge.deadlines)}\t" in said
    assert all(doubt in said for doubt in knowledge.about.doubts)
