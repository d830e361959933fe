"""A deterministic classifier without a model, and apps that serve it.

What the fake answers is steered by words of ours in the text: see `FakeClassifier`. Tests of the real model
use the fixture `router`.
"""

import io
import logging
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from nlp.bundle import DEFAULT
from nlp.decide import Thresholds
from nlp.errors import TextError
from nlp.knowledge import load_knowledge
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
from nlp.taxonomy import load_taxonomy
from serving import cli, logs, passwords
from serving.app import create_app
from serving.context import Context
from serving.roles import COMMAND_LINE, Role
from serving.settings import Settings
from serving.store import keys
from serving.store.engine import Store

TAXONOMY = load_taxonomy()
KNOWLEDGE = load_knowledge()

LEADS: dict[Head, str] = {
    "category_l1": "环境保护",
    "category_l2": "环境保护/环境污染",
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


THRESHOLDS = Thresholds(
    budget=0.1,
    confidence_level=0.95,
    needed=("category_l1", "channel", "department"),
    joint=0.7,
    per_head=dict.fromkeys(HEADS, 0.8),
    min_characters=10,
    min_known_share=0.2,
    other_budgets={"0.05": 0.85, "0.03": None},
)


@dataclass(frozen=True)
class FakeBundle:
    """Describes the fake as a bundle would."""

    id: str = "fake-1"
    card: str = "# 测试用"
    metrics: dict[str, Any] = field(default_factory=dict)


class FakeClassifier:
    """Judges by words: `DOUBTS` give reasons, 毒 raises, empty text is refused; `gate` holds it back."""

    def __init__(self, bundle_id: str = "fake-1") -> None:
        self.bundle = FakeBundle(id=bundle_id)
        self.thresholds = THRESHOLDS
        self.taxonomy = TAXONOMY
        self.knowledge = KNOWLEDGE
        self.judged: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def suggest(self, petition: Petition) -> Suggestion:
        self.entered.set()
        self.gate.wait(30)
        content = petition.content
        self.judged.append(content)
        if "毒" in content:
            raise RuntimeError(f"cannot read {content}")
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
            taxonomy_version=TAXONOMY.version,
        )

    def _predict(self, head: Head, *, confident: bool) -> Prediction:
        top = 0.96 if confident else 0.55
        others = [code for code in TAXONOMY.labels[head] if code != LEADS[head]][:2]
        ranked = [(LEADS[head], top), *((code, (1 - top) / 2) for code in others)]
        return Prediction(
            head=head,
            candidates=tuple(
                Candidate(code=code, name=TAXONOMY.name(head, code), confidence=confidence)
                for code, confidence in ranked
            ),
        )


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("PETITION_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spend milliseconds instead of half a second on a password: what is tested is not argon2."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


PLANTED = (PHONE, "110101199003070718", "张三", "幸福路", "油烟", "烧烤")
"""Personal data and petition text of ours that tests send in: no log line may hold any of it."""


@pytest.fixture
def log_lines() -> io.StringIO:
    """Everything the program and its libraries log during the test, as the server writes it, at level debug."""
    logs.configure("debug")
    lines = io.StringIO()
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(lines)
    return lines


@pytest.fixture(autouse=True)
def _logs_hold_no_content(log_lines: io.StringIO) -> Iterator[None]:
    yield
    written = log_lines.getvalue()
    assert not [word for word in PLANTED if word in written], written


POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")


def as_server_user(folder: Path) -> list[str]:
    """Return the prefix that runs a command as a user PostgreSQL accepts: it refuses to run as root."""
    if os.geteuid():
        return []
    user = next(pwd.getpwnam(name) for name in ("postgres", "nobody"))
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL cluster of our own and return the URL of its server, without a database name."""
    if not (POSTGRES_BIN / "initdb").exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test PostgreSQL, but there is no {POSTGRES_BIN}/initdb")
        pytest.skip(f"no PostgreSQL server binaries in {POSTGRES_BIN}")
    folder = Path(tempfile.mkdtemp(prefix="petition-pg-", dir="/tmp"))  # a socket path must be short
    run = as_server_user(folder)
    data = folder / "data"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
    initdb = [*run, POSTGRES_BIN / "initdb", "-D", data, "-U", "petition", "-A", "trust", "-N", "-E", "UTF8"]
    subprocess.run([*initdb, "--locale=C.UTF-8"], **quiet)  # type: ignore[call-overload]
    # Only our own program is killed in tests, never the database: it need not wait for the disk.
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200", "-c", "timezone=PRC"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*run, POSTGRES_BIN / "postgres", "-D", data, "-k", folder, *options], stderr=log, cwd=folder
        )
    url = "postgresql+psycopg://petition@/{database}?host=" + str(folder)
    try:
        wait_for(lambda: can_connect(url.format(database="postgres")), "PostgreSQL did not start")
        execute(url.format(database="postgres"), "CREATE DATABASE migrated")
        template = Store(url.format(database="migrated"))
        template.prepare(auto_migrate=True)
        template.close()
        yield url
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder)


def execute(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))


def can_connect(url: str) -> bool:
    try:
        execute(url, "SELECT 1")
    except OperationalError:
        return False
    return True


def wait_for(condition: Callable[[], object], failure: str, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, failure
        time.sleep(0.02)


@pytest.fixture
def new_postgres_database(postgres: str) -> Iterator[Callable[[], str]]:
    """Return a function that makes an empty database."""
    names: list[str] = []

    def create(*, template: str = "template0") -> str:
        names.append(f"t_{uuid.uuid4().hex}")
        execute(postgres.format(database="postgres"), f"CREATE DATABASE {names[-1]} TEMPLATE {template}")
        return postgres.format(database=names[-1])

    yield create
    for name in names:
        execute(postgres.format(database="postgres"), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database at the present schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "petition.sqlite3"
    store = Store(f"sqlite:///{path}")
    store.prepare(auto_migrate=True)
    store.close()
    return path


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database: SQLite, or PostgreSQL where the test is parametrised with it."""
    if getattr(request, "param", "sqlite") == "sqlite":
        path = tmp_path / "petition.sqlite3"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("new_postgres_database")(template="migrated")
    return url


@dataclass
class Clock:
    """A clock that tests turn."""

    moment: datetime = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **parts: float) -> None:
        self.moment += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def classifier() -> FakeClassifier:
    return FakeClassifier()


@pytest.fixture(scope="session")
def router() -> Any:
    """The real thing: the bundled default model, as `petition serve` loads it."""
    from nlp.router import Router  # not for fake_server.py, which needs none of the model's libraries

    if not DEFAULT.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test the bundled model, but there is none in {DEFAULT}")
        pytest.skip(f"no model in {DEFAULT}")
    return Router.load()


@pytest.fixture
def make_settings(database_url: str) -> Callable[..., Settings]:
    def make(**changes: Any) -> Settings:
        defaults: dict[str, Any] = {
            "database_url": database_url,
            "audit_share": 0.0,
            "rate_limit": "100000/minute",
            "login_rate_limit": "1000/minute",
        }
        return Settings(**(defaults | changes))

    return make


@pytest.fixture
def serve(
    make_settings: Callable[..., Settings], classifier: FakeClassifier, clock: Clock
) -> Iterator[Callable[..., TestClient]]:
    """Return a function that starts an app with changed settings and gives a client to it."""
    with ExitStack() as stack:

        def start(*, app: FastAPI | None = None, ready: bool = True, **changes: Any) -> TestClient:
            served = app or create_app(make_settings(**changes), classifier, now=clock)
            client = stack.enter_context(TestClient(served))
            if ready:
                wait_for(lambda: client.get("/readyz").status_code == 200, "not ready")
            return client

        yield start


class Office:
    """An app with people at work: `enter` gives a client that acts in a role, each time as somebody else."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.context: Context = client.app.state.context  # type: ignore[attr-defined]

    def enter(self, role: Role, *, name: str = "") -> TestClient:
        with self.context.store.write() as session:
            _, secret = keys.create(
                session,
                name=name or role,
                role=role,
                expires_at=None,
                actor=COMMAND_LINE,
                now=self.context.now(),
            )
        client = TestClient(self.client.app, headers={"Authorization": f"Bearer {secret}"})
        client.portal = self.client.portal
        return client

    def submit(self, text: str, *, by: TestClient | None = None, **body: Any) -> dict[str, Any]:
        sender = by or self.enter("service")
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        response = sender.post("/v1/petitions", json={"text": text, **body}, headers=headers)
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def claim(self, petition_id: str, by: TestClient) -> dict[str, Any]:
        response = by.post(f"/v1/petitions/{petition_id}/claim")
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def decide(self, petition: dict[str, Any], by: TestClient, **body: Any) -> Any:
        headers = {"If-Match": f'"{petition["version"]}"'}
        return by.post(f"/v1/petitions/{petition['id']}/decision", json=body, headers=headers)


@pytest.fixture
def open_office(serve: Callable[..., TestClient]) -> Callable[..., Office]:
    """Return a function that opens an office with changed settings."""
    return lambda **changes: Office(serve(**changes))


@pytest.fixture
def office(open_office: Callable[..., Office]) -> Office:
    return open_office()


@pytest.fixture
def make_office() -> type[Office]:
    return Office


@pytest.fixture
def petition(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs the program as a user does and returns its exit code."""

    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["petition", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return int(stop.value.code or 0)

    return run
