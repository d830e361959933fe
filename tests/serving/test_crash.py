"""Kill -9 amid 500 submissions and 500 decisions: what was acknowledged is there, nothing is there twice."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from serving.context import utc_now
from serving.roles import COMMAND_LINE
from serving.store import audit, keys
from serving.store.engine import Store
from serving.store.schema import PetitionRow, ReviewRow

N_PETITIONS = 500
"""Each is submitted, claimed and decided: three writes that the server acknowledges."""
KILL_AFTER = 100
"""So many decisions are acknowledged, and more submissions, when the server is killed."""
N_SUBMITTERS = N_DECIDERS = 20
TEXT = "部门存疑楼下烧烤店油烟直排第{}号"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """The fake server, started and killed again and again on one port."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        given = {"port": self.port, "audit_share": 0, "rate_limit": "100000/minute", **settings}
        self._environment = os.environ | {f"PETITION_{name.upper()}": str(value) for name, value in given.items()}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("fake_server.py")],
                env=self._environment,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 200
        while not self._ready():
            assert self._process.poll() is None, self.log.read_text()[-2000:]
            assert time.monotonic() < deadline, "the server did not get ready"
            time.sleep(0.1)

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)  # workers too: they share its process group
            self._process.wait(30)
            self._process = None


@dataclass
class Ledger:
    """What the server acknowledged, as its clients noted it."""

    submitted: dict[str, set[str]] = field(default_factory=dict)
    decided: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    n_cut_off: int = 0
    """Requests that the server had taken and never answered."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, book: dict[str, set[Any]], key: str, value: Any) -> None:
        with self.lock:
            book.setdefault(key, set()).add(value)

    def note_cut_off(self) -> None:
        with self.lock:
            self.n_cut_off += 1


class Desk:
    """A client that repeats what got no answer, as the API's users should."""

    def __init__(self, url: str, key: str, ledger: Ledger, stop: threading.Event) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60)
        self._ledger = ledger
        self._stop = stop
        self._lost_answer = False

    def ask(self, method: str, path: str, **kwargs: Any) -> httpx.Response | None:
        """Return the answer, None where the server went away before it gave one."""
        try:
            return self._http.request(method, path, **kwargs)
        except httpx.TransportError as error:
            if not isinstance(error, httpx.ConnectError):
                self._ledger.note_cut_off()
            self._lost_answer = True
            time.sleep(0.1)
            return None

    def submit_all(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._submit(number)

    def _submit(self, number: int) -> None:
        body = {"text": TEXT.format(number), "external_id": f"crash-{number}"}
        while not self._stop.is_set():
            answer = self.ask("POST", "/v1/petitions", json=body, headers={"Idempotency-Key": f"crash-{number:04d}"})
            if answer is not None and answer.status_code == 201:
                self._ledger.note(self._ledger.submitted, body["external_id"], answer.json()["id"])
                return
            self._unless_starting(answer)

    def _unless_starting(self, answer: httpx.Response | None) -> None:
        if answer is not None and answer.json()["code"] != "not_ready":
            self._ledger.refused[f"{answer.status_code} {answer.json()['code']}"] += 1

    def decide_all(self) -> None:
        """Claim and accept until nothing waits; after a lost answer, first see what is still in hand."""
        while not self._stop.is_set():
            petition = self._in_hand() if self._lost_answer else self._next()
            if petition is not None:
                self._accept(petition)
            elif not self._lost_answer and self._nothing_waits():
                return

    def _in_hand(self) -> dict[str, Any] | None:
        answer = self.ask("GET", "/v1/petitions", params={"mine": "true", "state": "queued", "limit": 1})
        if answer is None:
            return None
        items = answer.json()["items"]
        self._lost_answer = bool(items)
        return items[0] if items else None

    def _next(self) -> dict[str, Any] | None:
        answer = self.ask("POST", "/v1/claims", json={})
        if answer is None or answer.status_code != 200:
            self._unless_starting(answer)
            return None
        petition: dict[str, Any] | None = answer.json()["petition"]
        return petition

    def _accept(self, petition: dict[str, Any]) -> None:
        headers = {"If-Match": f'"{petition["version"]}"'}
        url = f"/v1/petitions/{petition['id']}/decision"
        answer = self.ask("POST", url, json={"action": "accept"}, headers=headers)
        if answer is not None and answer.status_code == 200:
            version = answer.json()["version"]
            self._ledger.note(self._ledger.decided, petition["id"], (self._http.headers["authorization"], version))
        else:
            self._unless_starting(answer)

    def _nothing_waits(self) -> bool:
        if len(self._ledger.submitted) < N_PETITIONS:
            time.sleep(0.2)  # twenty who ask again and again would be most of the load
            return False
        answer = self.ask("GET", "/v1/petitions", params={"state": "queued", "limit": 1})
        return answer is not None and answer.json()["items"] == []

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    workers = 1 if database_url.startswith("sqlite") else 2
    made = Server(tmp_path, database_url=database_url, workers=workers)
    yield made
    made.kill()


@pytest.fixture
def make_keys(database_url: str) -> Callable[[str, int], list[str]]:
    def make(role: str, count: int) -> list[str]:
        store = Store(database_url)
        now, made = utc_now(), []
        with store.write() as session:
            for n in range(count):
                _, key = keys.create(
                    session, name=f"{role}{n}", role=role, expires_at=None, actor=COMMAND_LINE, now=now
                )
                made.append(key)
        store.close()
        return made

    return make


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_killed_amid_500_submissions_and_decisions_nothing_acknowledged_is_lost_or_doubled(
    server: Server, database_url: str, make_keys: Callable[[str, int], list[str]]
) -> None:
    ledger, stop = Ledger(), threading.Event()
    (service,) = make_keys("service", 1)
    submitters = [Desk(server.url, service, ledger, stop) for _ in range(N_SUBMITTERS)]
    deciders = [Desk(server.url, key, ledger, stop) for key in make_keys("clerk", N_DECIDERS)]
    server.start()
    with ThreadPoolExecutor(N_SUBMITTERS + N_DECIDERS) as pool:
        try:
            work = [pool.submit(desk.decide_all) for desk in deciders]
            for n in range(N_SUBMITTERS):
                work.append(pool.submit(submitters[n].submit_all, range(n, N_PETITIONS, N_SUBMITTERS)))
            wait_until(lambda: len(ledger.decided) >= KILL_AFTER)
            server.kill()
            n_submitted, n_decided = len(ledger.submitted), len(ledger.decided)
            server.start()
            for future in work:
                future.result(600)
        finally:
            stop.set()
    for desk in submitters + deciders:
        desk.close()
    server.kill()
    assert KILL_AFTER <= n_submitted <= N_PETITIONS - 50, "it was killed in the middle of submitting"
    assert KILL_AFTER <= n_decided <= N_PETITIONS - 50, "it was killed in the middle of deciding"
    assert ledger.n_cut_off >= (N_SUBMITTERS + N_DECIDERS) / 2, "most clients were waiting for an answer"
    assert not ledger.refused
    check(ledger, database_url)
    assert "油烟" not in server.log.read_text(encoding="utf-8")


def wait_until(condition: Callable[[], bool], *, seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def check(ledger: Ledger, database_url: str) -> None:
    """Compare what the clients noted with what the database holds."""
    store = Store(database_url)
    with store.read() as session:
        kept = {row.external_id: row.id for row in session.scalars(select(PetitionRow))}
        rows = list(session.scalars(select(PetitionRow)))
        assert len(rows) == len(kept) == N_PETITIONS
        assert ledger.submitted == {external_id: {petition_id} for external_id, petition_id in kept.items()}
        assert {row.state for row in rows} == {"decided"}
        reviews = list(session.scalars(select(ReviewRow).where(ReviewRow.action != "auto")))
        assert Counter(review.petition_id for review in reviews) == Counter(kept.values())
        # A decision whose acknowledgement was lost is not in the ledger; one that is there was given once.
        assert all(len(given) == 1 for given in ledger.decided.values())
        assert N_PETITIONS - N_DECIDERS <= len(ledger.decided) <= N_PETITIONS
        versions = {row.id: row.version for row in rows}
        for petition_id, given in ledger.decided.items():
            assert {version for _, version in given} == {versions[petition_id]}
        assert audit.verify(session).fault == ""
        lines = Counter(row.action for row in session.scalars(select(audit.AuditRow)))
        assert (lines["petition.submitted"], lines["petition.decided"]) == (N_PETITIONS, N_PETITIONS)
    store.close()
