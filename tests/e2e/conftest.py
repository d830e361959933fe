"""A desk that runs on this machine, a scripted router behind it, and a real browser in front of it.

The answers of the router are written by hand (cases.yaml), so that what a test expects never depends on a model;
personal data is found by the product's own masking. Run with `make e2e`, or
`pytest -m e2e tests/e2e`; see docs/user-guide.md for the screenshots.
"""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from nlp.decide import Thresholds
from nlp.knowledge import load_knowledge
from nlp.normalise import normalise
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
    RouteOption,
    Suggestion,
)
from nlp.privacy import mask
from nlp.taxonomy import load_taxonomy
from serving.app import create_app
from serving.context import Context
from serving.passwords import hash_password
from serving.roles import COMMAND_LINE, Role
from serving.settings import Settings
from serving.store import accounts
from serving.store.schema import UserRow

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=zh-CN",
]
CACHE = Path(os.environ.get("PETITION_E2E_CACHE", Path.home() / ".cache" / "petition-e2e"))
AXE_VERSION = "4.14.1"
SCREEN: Any = {"width": 1366, "height": 768}
PATIENCE = 30_000
"""Milliseconds a test waits for a page: the machine that runs it may be busy with other work."""
PASSWORD = "long-enough-and-easy"
TAXONOMY = load_taxonomy()
KNOWLEDGE = load_knowledge()
OTHERS: dict[Head, tuple[str, ...]] = {
    "category_l1": ("城乡建设", "政法", "商贸旅游"),
    "category_l2": ("城乡建设/城市建设和市政管理", "政法/社会治安", "环境保护/环保管理"),
    "nature": ("suggestion", "appeal", "consultation"),
    "channel": ("petition_procedure", "judicial_procedure", "administrative_procedure"),
    "department": ("ecology_environment", "public_security", "town_subdistrict"),
}


CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class ScriptedBundle:
    """Describes the scripted router as a bundle would."""

    id: str = "scripted-1"
    card: str = "# 测试用\n\n手写的答案，**不是模型**。\n\n| 项目 | 值 |\n|---|---|\n| 用途 | 测试 |\n"
    metrics: dict[str, Any] = field(default_factory=lambda: {"department": {"macro_f1": 0.5}})


THRESHOLDS = Thresholds(
    budget=0.05,
    confidence_level=0.95,
    needed=HEADS,
    joint=0.6,
    per_head=dict.fromkeys(HEADS, 0.8),
    min_characters=10,
    min_known_share=0.5,
    other_budgets={"0.1": 0.5},
)


class ScriptedRouter:
    """Answers with the first of `CASES` whose word stands in the text."""

    def __init__(self) -> None:
        self.bundle = ScriptedBundle()
        self.thresholds = THRESHOLDS
        self.taxonomy = TAXONOMY
        self.knowledge = KNOWLEDGE

    def suggest(self, petition: Petition) -> Suggestion:
        content = petition.content
        masked = mask(normalise(content))
        case = next(case for case in CASES if case["word"] in content)
        reasons = tuple(Reason(**reason) for reason in case.get("reasons", ()))
        return Suggestion(
            petition_id=petition.id,
            predictions={
                head: _prediction(head, code, confidence)
                for head, code, confidence in zip(HEADS, case["labels"], case["confidence"], strict=True)
            },
            channel_alternatives=tuple(RouteOption(**route) for route in case.get("routes", ())),
            legal_basis="《信访工作条例》第三十一条第（五）项：请求查处违法行为的，由有权处理的机关依法履行职责",
            co_departments=tuple(_candidate("department", code, 0.4) for code in case.get("co_departments", ())),
            firings=tuple(_firings(case, content)),
            evidence=tuple(_evidence(case, content)),
            redactions=masked.redactions,
            masked_text=masked.text,
            decision=Decision(action="review" if reasons else "auto", reasons=reasons),
            bundle_id=self.bundle.id,
            taxonomy_version=TAXONOMY.version,
        )


def _candidate(head: Head, code: str, confidence: float) -> Candidate:
    return Candidate(code=code, name=TAXONOMY.name(head, code), confidence=confidence)


def _prediction(head: Head, code: str, confidence: float) -> Prediction:
    others = [other for other in OTHERS[head] if other != code]
    rest = [(1 - confidence) * share for share in (0.75, 0.15, 0.06)]
    ranked = [_candidate(head, other, share) for other, share in zip(others, rest, strict=False)]
    return Prediction(head=head, candidates=(_candidate(head, code, confidence), *ranked))


def _firings(case: dict[str, Any], content: str) -> Iterator[Firing]:
    if firing := case.get("firing"):
        start = content.find(firing["word"])
        yield Firing(
            code=case["reasons"][0]["detail"],
            level=firing["level"],
            name=firing["name"],
            start=start,
            end=start + len(firing["word"]),
            basis="条例25条",
            certainty="verified",
            action=firing["action"],
        )


def _evidence(case: dict[str, Any], content: str) -> Iterator[Evidence]:
    for head, words in case.get("evidence", {}).items():
        for word in words:
            start = content.find(word)
            if start >= 0:
                code = case["labels"][HEADS.index(head)]
                yield Evidence(head=head, code=code, start=start, end=start + len(word), weight=0.3)


@dataclass
class Clock:
    """The real time plus what a test adds to it."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **parts: float) -> None:
        self.ahead += timedelta(**parts)


class Desk:
    """A running server and the ways a test reaches behind its pages."""

    def __init__(self, url: str, context: Context, clock: Clock) -> None:
        self.url = url
        self.context = context
        self.clock = clock

    def first_admin(self) -> str:
        """Create the administrator of a first start and return the one-time password."""
        with self.context.store.write() as session:
            password = accounts.create_first_admin(session, actor=COMMAND_LINE, now=self.context.now())
        assert password
        return password

    def hire(self, name: str, display_name: str, role: Role) -> None:
        """Give somebody an account with the password of all tests (hashed once: argon2 is slow on purpose)."""
        with self.context.store.write() as session:
            session.add(
                UserRow(
                    name=name,
                    display_name=display_name,
                    role=role,
                    password_hash=_password_hash(),
                    must_change_password=False,
                    failed_logins=0,
                    created_at=self.context.now(),
                )
            )


@cache
def _password_hash() -> str:
    return hash_password(PASSWORD)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_desk(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Desk]]:
    """Return a function that starts a server with changed settings, on a port of its own."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(*, classifier: Any = None, **changes: Any) -> Desk:
        defaults = {
            "database_url": f"sqlite:///{tmp_path}/desk{len(running)}.sqlite3",
            "audit_share": 0.0,
            "login_rate_limit": "1000/minute",
        }
        settings = Settings(**(defaults | changes))
        app = create_app(settings, classifier or ScriptedRouter(), now=clock)
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        running.append((server, thread))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        _wait_until_ready(url)
        return Desk(url, app.state.context, clock)

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(30)


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail("the desk did not get ready within 30 seconds")


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk with one person of each kind."""
    opened = open_desk()
    for name, display_name, role in (
        ("admin", "管理员", "admin"),
        ("wang.fang", "王芳", "clerk"),
        ("li.na", "李娜", "clerk"),
        ("zhao.qiang", "赵强", "reviewer"),
    ):
        opened.hire(name, display_name, role)  # type: ignore[arg-type]
    return opened


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test the desk, but there is no {CHROMIUM}")
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, env={**os.environ, "LANGUAGE": "zh_CN"})
    yield browser
    browser.close()


@pytest.fixture
def foreign() -> list[str]:
    """Every address outside the desk that a page asked for; must stay empty."""
    return []


@pytest.fixture
def visit(chromium: Browser, foreign: list[str]) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a browser of its own at a desk, signed in as somebody; faults fail the test."""
    contexts = []
    faults: list[str] = []

    def open_page(desk: Desk, name: str = "", password: str = PASSWORD, path: str = "/") -> Page:
        context = chromium.new_context(
            viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on(
            "request",
            lambda request: None if request.url.startswith((desk.url, "data:")) else foreign.append(request.url),
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: _note_refusal(message.text, faults))
        page.goto(f"{desk.url}{path}")
        if name:
            page.get_by_label("用户名").fill(name)
            page.get_by_label("口令", exact=True).fill(password)
            page.get_by_role("button", name="登录").click()
            page.wait_for_url(lambda url: "/login" not in url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, faults
    assert not foreign, foreign


def _note_foreign(url: str, own: str, foreign: list[str]) -> None:
    if not url.startswith((own, "data:")):
        foreign.append(url)


def _note_refusal(message: str, faults: list[str]) -> None:
    """A page that breaks its own Content-Security-Policy says so on the console."""
    if "Content Security Policy" in message:
        faults.append(message)


@pytest.fixture
def correct_the_department() -> Callable[[Page], None]:
    """Return what gives a petition another department, with a reason, by the keys alone."""

    def correct(page: Page) -> None:
        page.keyboard.press("5")
        page.keyboard.type("sthj")
        page.get_by_role("option").first.wait_for()
        page.keyboard.press("Enter")
        page.get_by_label("责任部门的更正原因").select_option("local_rule")

    return correct


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, installed by npm into a cache of this user (a tool for tests, never shipped)."""
    source = CACHE / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        npm = shutil.which("npm")
        if npm is None:
            if os.environ.get("CI") == "true":
                pytest.fail("CI must check accessibility, but there is no npm to install axe-core")
            pytest.skip("no npm to install axe-core with")
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [
            npm,
            "install",
            "--silent",
            "--no-fund",
            "--no-audit",
            "--prefix",
            str(CACHE),
            f"axe-core@{AXE_VERSION}",
        ]
        subprocess.run(command, check=True, timeout=120)
    return source.read_text(encoding="utf-8")
