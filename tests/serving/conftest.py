"""A deterministic classifier without a model, and apps that serve it.

What the fake answers is steered by words of ours in the text: see `FakeClassifier`. Tests of the real model
use the fixture `router`.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from nlp.errors import TextError
from nlp.petition import (
    HEADS,
    Candidate,
    Decision,
    Evidence,
    Firing,
    Head,
    Petition,
    Prediction,
    Reason,
    Redaction,
    RouteOption,
    Suggestion,
)
from serving.app import create_app
from serving.labels import Label, LabelBook
from serving.settings import Settings

LABELS = LabelBook(
    version="test-1",
    heads={
        "category_l1": (Label(code="城乡建设", name="城乡建设"), Label(code="环境保护", name="环境保护")),
        "category_l2": (
            Label(code="城乡规划", name="城乡规划", parent="城乡建设"),
            Label(code="其他", name="其他", parent="城乡建设"),
            Label(code="环境污染", name="环境污染", parent="环境保护"),
            Label(code="其他", name="其他", parent="环境保护"),
        ),
        "nature": (Label(code="request", name="求决"), Label(code="consultation", name="咨询")),
        "channel": (
            Label(code="statutory_duty", name="申请查处"),
            Label(code="petition_procedure", name="信访程序"),
        ),
        "department": (
            Label(code="urban_management", name="城市管理局", aliases=("城管",)),
            Label(code="ecology_environment", name="生态环境局"),
        ),
    },
)

LEADS: dict[Head, str] = {
    "category_l1": "环境保护",
    "category_l2": "环境污染",
    "nature": "request",
    "channel": "statutory_duty",
    "department": "urban_management",
}
PHONE = "13800138000"

DOUBTS = {
    "渠道存疑": Reason(code="close_call", detail="channel", message="两条途径难分高下"),
    "部门存疑": Reason(code="low_confidence", detail="department", message="责任部门把握不足"),
    "分类存疑": Reason(code="low_confidence", detail="category_l2", message="分类把握不足"),
    "多个诉求": Reason(code="several_appeals", message="一件多诉"),
    "没见过": Reason(code="out_of_distribution", message="与已知材料差别大"),
    "太短": Reason(code="too_short", message="内容太短"),
    "想不开": Reason(code="must_review", detail="self_harm", message="涉及人身安全"),
    "联名": Reason(code="must_review", detail="group_event", message="多人联名"),
}
LEVELS = {"想不开": "S", "联名": "A"}


@dataclass(frozen=True)
class FakeBundle:
    """Describes the fake as a bundle would."""

    id: str = "fake-1"
    card: str = "# 测试用"
    metrics: dict[str, Any] = field(default_factory=dict)
    thresholds: dict[str, Any] = field(default_factory=lambda: {"channel": 0.8})


class FakeClassifier:
    """Judges by words: `DOUBTS` give reasons, 毒 raises, empty text is refused; `gate` holds it back."""

    def __init__(self, bundle_id: str = "fake-1") -> None:
        self.bundle = FakeBundle(id=bundle_id)
        self.taxonomy = LABELS
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def suggest_many(self, petitions: Sequence[Petition]) -> list[Suggestion]:
        self.entered.set()
        self.gate.wait(30)
        self.batches.append([len(petition.content) for petition in petitions])
        if any("毒" in petition.text for petition in petitions):
            raise RuntimeError(f"cannot read {petitions[0].text}")
        return [self._suggest(petition) for petition in petitions]

    def _suggest(self, petition: Petition) -> Suggestion:
        content = petition.content
        if not content.strip():
            raise TextError("正文为空")
        found = [(word, reason) for word, reason in DOUBTS.items() if word in content]
        start = content.find(PHONE)
        redactions = (Redaction(kind="phone", start=start, end=start + len(PHONE)),) if start >= 0 else ()
        first = content.find("油烟")
        evidence = (
            (Evidence(head="channel", code="statutory_duty", start=first, end=first + 2, weight=0.4),)
            if first >= 0
            else ()
        )
        return Suggestion(
            petition_id=petition.id,
            predictions={head: self._predict(head, confident=not found) for head in HEADS},
            channel_alternatives=(
                RouteOption(
                    channel="petition_procedure",
                    name="信访程序",
                    basis="条例31条六",
                    certainty="verified",
                ),
            ),
            legal_basis="《信访工作条例》第三十一条第五项",
            co_departments=(),
            firings=tuple(
                Firing(
                    code=DOUBTS[word].detail,
                    level=level,  # type: ignore[arg-type]
                    name=DOUBTS[word].message,
                    start=content.find(word),
                    end=content.find(word) + len(word),
                    basis="条例25条",
                    certainty="verified",
                    action="立即报告",
                )
                for word, level in LEVELS.items()
                if word in content
            ),
            evidence=evidence,
            redactions=redactions,
            masked_text=content.replace(PHONE, "[电话]"),
            decision=Decision(action="review" if found else "auto", reasons=tuple(r for _, r in found)),
            bundle_id=self.bundle.id,
            taxonomy_version=LABELS.version,
        )

    def _predict(self, head: Head, *, confident: bool) -> Prediction:
        lead = LEADS[head]
        top = 0.96 if confident else 0.55
        best = next(label for label in LABELS.heads[head] if label.code == lead)
        others = [label for label in LABELS.heads[head] if label is not best]
        return Prediction(
            head=head,
            candidates=(
                Candidate(code=best.code, name=best.name, confidence=top),
                *(Candidate(code=o.code, name=o.name, confidence=(1 - top) / len(others)) for o in others),
            ),
        )


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("PETITION_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def classifier() -> FakeClassifier:
    return FakeClassifier()


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    def make(**changes: Any) -> Settings:
        defaults: dict[str, Any] = {
            "database_url": f"sqlite:///{tmp_path}/petition.sqlite3",
            "audit_share": 0.0,
            "max_batch": 4,
            "rate_limit": "100000/minute",
            "login_rate_limit": "1000/minute",
        }
        return Settings(**(defaults | changes))

    return make


@pytest.fixture
def serve(make_settings: Callable[..., Settings], classifier: FakeClassifier) -> Iterator[Callable[..., TestClient]]:
    """Return a function that starts an app with changed settings and gives a client to it."""
    with ExitStack() as stack:

        def start(*, app: FastAPI | None = None, ready: bool = True, **changes: Any) -> TestClient:
            served = app or create_app(make_settings(**changes), classifier)
            client = stack.enter_context(TestClient(served))
            if ready:
                for _ in range(400):
                    if client.get("/readyz").status_code == 200:
                        break
                    threading.Event().wait(0.01)
                else:
                    raise AssertionError(client.get("/readyz").text)
            return client

        yield start
