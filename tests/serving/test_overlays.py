"""An office's own directory and practice: refused at the start with every fault, kept when the bundle changes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from nlp.router import Router
from serving.app import create_app
from serving.settings import Settings

UNITS = "office: 青石县信访局\ndepartments:\n  urban_management: {{name: {name}}}\n"
PRACTICE = "office: 青石县信访局\ndeadlines:\n  - {code: local_520_accept, limit: 3}\n"
Run = Callable[..., int]


@pytest.fixture
def units(tmp_path: Path) -> Path:
    path = tmp_path / "units.yaml"
    path.write_text(UNITS.format(name="县综合行政执法局"), encoding="utf-8")
    return path


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    path = tmp_path / "practice.yaml"
    path.write_text(PRACTICE, encoding="utf-8")
    return path


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `petition serve` handed to uvicorn."""
    given: list[str] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **_: given.append(app))
    return given


@pytest.fixture
def refused(
    petition: Run,
    started: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Return a function that starts the server with settings, sees it refused before anything is opened, says why."""

    def start(**settings: object) -> str:
        monkeypatch.setenv("PETITION_DATABASE_URL", f"sqlite:///{tmp_path}/new.sqlite3")
        for name, value in settings.items():
            monkeypatch.setenv(f"PETITION_{name.upper()}", str(value))
        assert petition("serve") == 2
        assert not started
        assert not (tmp_path / "new.sqlite3").exists()
        return capsys.readouterr().err

    return start


def test_serving_on_bad_files_is_refused_with_every_fault_of_all(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "units.yaml").write_text(
        "office: 甲\ndepartments: {nowhere: {}, transport: {name: 7}}", encoding="utf-8"
    )
    (tmp_path / "practice.yaml").write_text(
        "office: 甲\nrules:\n  - {code: self_harm, disabled: true}", encoding="utf-8"
    )
    said = refused(
        taxonomy_overlay="units.yaml",
        knowledge_overlay="practice.yaml",
        notice_templates=tmp_path / "letters",
        error_budget=0.07,
    )
    for fault in (
        "没有启动，本机关的文件或设置有误",
        "units.yaml 有2处错误",
        "departments.nowhere：标准目录里没有这个部门代码",
        "departments.transport：name 须为文字",
        "practice.yaml 有1处错误",
        "rules self_harm：S 级安全规则不能停用",
        "letters 有1处错误",
        "PETITION_ERROR_BUDGET：",
        "没有为差错预算 0.07 备采纳线，可选：0.05、0.1",
    ):
        assert fault in said


def test_serving_on_a_budget_without_a_threshold_is_refused(refused: Callable[..., str]) -> None:
    assert "没有为差错预算 0.07 备采纳线，可选：0.05、0.1" in refused(error_budget=0.07)


@pytest.mark.usefixtures("router")  # says where there is no model to load
def test_the_chosen_budget_is_in_force_and_stays_when_the_bundle_is_loaded_again(
    serve: Callable[..., TestClient], make_settings: Callable[..., Settings], make_office: Callable[..., Any]
) -> None:
    office = make_office(serve(app=create_app(make_settings(error_budget=0.05))))
    maintainer = office.enter("maintainer")

    def thresholds() -> Any:
        return maintainer.get("/v1/model").json()["thresholds"]

    first = thresholds()
    assert (first["budget"], list(first["other_budgets"])) == (0.05, ["0.1"])
    assert first["joint"] > first["other_budgets"]["0.1"]
    assert maintainer.post("/v1/model/reload", json={}).status_code == 200
    assert thresholds() == first


def test_serving_on_sound_files_starts(
    petition: Run, started: list[str], tmp_path: Path, units: Path, practice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PETITION_DATABASE_URL", f"sqlite:///{tmp_path}/new.sqlite3")
    monkeypatch.setenv("PETITION_TAXONOMY_OVERLAY", str(units))
    monkeypatch.setenv("PETITION_KNOWLEDGE_OVERLAY", str(practice))
    monkeypatch.setattr("serving.commands.serve.os.environ", {})  # it hands its settings to worker processes
    assert petition("serve") == 0
    assert started == ["serving.commands.serve:make_app"]


@pytest.mark.usefixtures("router")  # says where there is no model to load
def test_the_files_are_in_force_and_stay_when_the_bundle_is_loaded_again(
    serve: Callable[..., TestClient],
    make_settings: Callable[..., Settings],
    make_office: Callable[..., Any],
    units: Path,
    practice: Path,
) -> None:
    settings = make_settings(taxonomy_overlay=units, knowledge_overlay=practice)
    office = make_office(serve(app=create_app(settings)))
    maintainer = office.enter("maintainer")

    def name() -> str:
        heads = maintainer.get("/v1/taxonomy").json()["heads"]
        return next(str(unit["name"]) for unit in heads["department"] if unit["code"] == "urban_management")

    def limit() -> float | None:
        deadlines = office.context.host.classifier.knowledge.deadlines
        return next(clock.limit for clock in deadlines if clock.code == "local_520_accept")

    assert (name(), limit()) == ("县综合行政执法局", 3)
    first = office.context.host.classifier
    assert maintainer.post("/v1/model/reload", json={}).status_code == 200
    assert office.context.host.classifier is not first
    assert (name(), limit()) == ("县综合行政执法局", 3)
    units.write_text(UNITS.format(name="县城管执法大队"), encoding="utf-8")
    assert maintainer.post("/v1/model/reload", json={}).status_code == 200
    assert name() == "县城管执法大队"
    units.write_text(UNITS.format(name="7"), encoding="utf-8")
    refused = maintainer.post("/v1/model/reload", json={})
    assert refused.status_code == 422
    assert "urban_management：name 须为文字" in refused.json()["detail"]
    assert name() == "县城管执法大队"


@pytest.mark.parametrize("given_as", ["options", "environment"])
def test_the_commands_take_them_too(
    given_as: str,
    petition: Run,
    units: Path,
    practice: Path,
    tmp_path: Path,
    classifier: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[tuple[object, ...]] = []

    def load(
        _: Path | None, *, taxonomy_overlay: Path, knowledge_overlay: Path, error_budget: float, **__: object
    ) -> Any:
        asked.append((taxonomy_overlay, knowledge_overlay, error_budget))
        return classifier

    monkeypatch.setattr(Router, "load", load)
    options: list[object] = []
    if given_as == "options":
        options = ["--taxonomy-overlay", units, "--knowledge-overlay", practice, "--error-budget", 0.05]
    else:
        monkeypatch.setenv("PETITION_TAXONOMY_OVERLAY", str(units))
        monkeypatch.setenv("PETITION_KNOWLEDGE_OVERLAY", str(practice))
        monkeypatch.setenv("PETITION_ERROR_BUDGET", "0.05")
    assert petition("classify", "路灯坏了一个月没人修", "--json", *options) == 0
    assert json.loads(capsys.readouterr().out)
    table = tmp_path / "in.csv"
    table.write_text("编号,正文\n1,路灯坏了一个月没人修\n", encoding="utf-8")
    assert petition("triage", table, "--out", tmp_path / "out.csv", *options) == 0
    assert asked == [(units, practice, 0.05)] * 2
