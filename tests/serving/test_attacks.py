"""Attacks that must fail, beside those in test_roles.py (every endpoint), test_web.py (sign-in) and test_tables.py."""

import csv
import html
import io
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn
from starlette.testclient import TestClient

from serving.app import create_app
from serving.roles import COMMAND_LINE
from serving.store import accounts

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'></textarea>"
DOUBT = "部门存疑楼下很吵"
PASSWORD = "correct-horse-battery"


@pytest.fixture
def sign_in(office: Any) -> Callable[..., TestClient]:
    """Return a function that makes a user and gives a browser in which that user is signed in."""

    def enter(role: str, name: str, display_name: str = "") -> TestClient:
        context = office.context
        with context.store.write() as session:
            _, password = accounts.create(
                session, name=name, display_name=display_name, role=role, actor=COMMAND_LINE, now=context.now()
            )
        browser = TestClient(office.client.app)
        browser.portal = office.client.portal
        csrf = browser.post("/v1/session", json={"name": name, "password": password}).json()["csrf"]
        browser.headers["X-CSRF-Token"] = csrf
        change = {"old": password, "new": PASSWORD}
        assert browser.put("/v1/session/password", json=change).status_code == 204
        return browser

    return enter


PAGES = ("/", "/queues", "/search", "/search?q=alert", "/statistics", "/model", "/accounts", "/audit")


def test_a_script_in_text_and_names_is_shown_not_run(office: Any, sign_in: Callable[..., TestClient]) -> None:
    admin = sign_in("admin", "chief", SCRIPT)
    admin.headers["accept"] = "text/html"
    petition = office.submit(DOUBT + SCRIPT, title=SCRIPT, external_id=SCRIPT)
    other = office.submit(DOUBT + SCRIPT)
    held = office.claim(petition["id"], admin)
    for body in ({"note": SCRIPT}, {}):
        answer = office.decide(held, admin, action="send_back", **body)
        assert answer.status_code in {200, 409}
    admin.post(f"/v1/petitions/{other['id']}/claim")
    admin.post(f"/v1/petitions/{other['id']}/force-release", json={"reason": SCRIPT})
    admin.post("/v1/keys", json={"name": SCRIPT, "role": "service"})
    seen = 0
    for path in (*PAGES, f"/petitions/{petition['id']}", f"/petitions/{other['id']}", f"/search?q={SCRIPT}"):
        page = admin.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text, path
        assert "<img src=x" not in page.text, path
        assert not re.search(r"<script(?![^>]*\bsrc=)", page.text), path
        seen += html.escape("<script>alert", quote=False) in page.text
    assert seen >= 5
    trial = admin.post("/desk/trial", json={"text": SCRIPT, "title": SCRIPT})
    assert trial.status_code == 200
    assert "<script>" not in trial.text
    answer = admin.get(f"/v1/petitions/{petition['id']}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("word", ["'; DROP TABLE petitions; --", "' OR '1'='1", "\\", "%' ESCAPE '", "\u2019 OR 1=1"])
def test_sql_in_a_filter_finds_nothing_and_breaks_nothing(office: Any, word: str) -> None:
    petition = office.submit(DOUBT)
    clerk = office.enter("clerk")
    for name in ("q", "department", "external_id"):
        answer = clerk.get("/v1/petitions", params={name: word})
        assert (answer.status_code, answer.json().get("items")) == (200, []), name
    for name in ("state", "queue", "level", "cursor"):
        assert clerk.get("/v1/petitions", params={name: word}).status_code == 422, name
    assert [item["id"] for item in clerk.get("/v1/petitions").json()["items"]] == [petition["id"]]


@pytest.mark.parametrize("path", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "decided.csv\r\nX: 1"])
def test_no_path_leads_out_of_an_export(office: Any, path: str) -> None:
    maintainer = office.enter("maintainer")
    for params in ({"format": path}, {"format": "csv", "since": path}):
        refused = maintainer.get("/v1/export", params=params)
        assert refused.status_code == 422
        assert "root:" not in refused.text
    good = maintainer.get("/v1/export", params={"format": "csv", "file": path, "filename": path})
    assert good.headers["content-disposition"] == 'attachment; filename="decided.csv"'
    assert "x" not in good.headers
    quoted = quote(path)
    for address in (f"/v1/export/{quoted}", f"/static/{quoted}", f"/v1/petitions/{quoted}"):
        found = maintainer.get(address)
        assert found.status_code in {404, 422}, address
        assert "root:" not in found.text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\n=", "＝", "'=", "''+"])
def test_no_cell_of_an_export_is_a_formula(office: Any, start: str) -> None:
    clerk = office.enter("clerk")
    formula = f'{start}cmd|"/C calc"!A0'
    held = office.claim(office.submit(f"{formula}部门存疑", title=formula)["id"], clerk)
    assert office.decide(held, clerk, action="accept", note=formula).status_code == 200
    table = office.enter("maintainer").get("/v1/export", params={"format": "csv"}).text.removeprefix("\ufeff")
    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert not [cell for cell in row.values() if cell.lstrip("'") != cell and not cell.startswith("'")]
    assert not [cell for cell in row.values() if cell[:1] in {"=", "+", "-", "@", "\t", "\r", "\n", "＝"}]
    assert "calc" in row["text"]


def test_a_session_cannot_be_forged_fixed_or_kept(office: Any, sign_in: Callable[..., TestClient]) -> None:
    browser = sign_in("clerk", "li.si")
    (token,) = [cookie.value for cookie in browser.cookies.jar if cookie.name == "petition_session"]
    assert token

    def works(value: str) -> bool:
        headers = {"Cookie": f"petition_session={value}"}
        return bool(TestClient(office.client.app, headers=headers).get("/v1/session").status_code == 200)

    assert works(token)
    for forged in (token[:-1], token + "A", token.swapcase(), token[::-1], "", "user:1", "' OR 1=1 --", "A" * 5000):
        assert not works(forged), forged
    fixed = TestClient(office.client.app, cookies={"petition_session": "chosen-by-the-attacker"})
    fixed.post("/v1/session", json={"name": "li.si", "password": PASSWORD})
    assert not works("chosen-by-the-attacker")
    admin = office.enter("admin")
    user = next(user for user in admin.get("/v1/users").json()["items"] if user["name"] == "li.si")
    admin.patch(f"/v1/users/{user['id']}", json={"disabled": True})
    assert not works(token)
    admin.patch(f"/v1/users/{user['id']}", json={"disabled": False})
    assert not works(token)


def test_a_key_replayed_with_another_body_changes_nothing(office: Any) -> None:
    service = office.enter("service")
    headers = {"Idempotency-Key": "replayed-key"}
    first = service.post("/v1/petitions", json={"text": DOUBT}, headers=headers).json()
    others: list[dict[str, Any]] = [
        {"text": DOUBT + "。"},
        {"text": DOUBT, "title": "另一件"},
        {"text": DOUBT, "source": "visit"},
        {"text": DOUBT, "external_id": "x"},
    ]
    for body in others:
        refused = service.post("/v1/petitions", json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert service.get(f"/v1/petitions/{first['id']}").json() == first
    assert len(service.get("/v1/petitions").json()["items"]) == 1


@contextmanager
def listening(app: Any) -> Iterator[int]:
    """Serve `app` on a real socket and yield its port: a body can only be slow on a wire."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)


def said(wire: socket.socket) -> bytes:
    """Return everything the server says until it closes the connection."""
    return b"".join(iter(lambda: wire.recv(65536), b""))


HEAD = "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n"


def test_slow_endless_and_oversized_bodies_are_cut_off(make_settings: Callable[..., Any], classifier: Any) -> None:
    app = create_app(make_settings(body_timeout=0.5, max_body_bytes=10_000), classifier)
    with listening(app) as port:
        wires = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(4)]
        dripping, chunked, huge, endless = wires
        dripping.sendall(f'{HEAD}Content-Length: 50\r\n\r\n{{"na'.encode())
        chunked.sendall(f"{CHUNKED}5\r\n12345\r\n".encode())
        huge.sendall(f"{HEAD}Content-Length: 10000000\r\n\r\n".encode())
        endless.sendall(f"{CHUNKED}2710\r\n{' ' * 10_000}\r\n1\r\n \r\n".encode())
        with socket.create_connection(("127.0.0.1", port), timeout=60) as other:
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert said(other).startswith(b"HTTP/1.1 200"), "others are served meanwhile"
        for wire, status, code in (
            (dripping, 408, "body_timeout"),
            (chunked, 408, "body_timeout"),
            (huge, 413, "body_too_large"),
            (endless, 413, "body_too_large"),
        ):
            head, _, body = said(wire).partition(b"\r\n\r\n")
            assert head.startswith(f"HTTP/1.1 {status}".encode())
            assert json.loads(body)["code"] == code
            wire.close()
