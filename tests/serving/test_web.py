"""The pages as a browser without JavaScript sees them: sign in, forced password change, desk, sign out."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.roles import COMMAND_LINE
from serving.store import accounts

HTML = {"accept": "text/html"}
NEW = "correct-horse-battery"


@pytest.fixture
def admin_password(office: Any) -> str:
    with office.context.store.write() as session:
        password = accounts.create_first_admin(session, actor=COMMAND_LINE, now=office.context.now())
    assert password
    return password


@pytest.fixture
def browser(office: Any) -> TestClient:
    client: TestClient = office.client
    client.headers.update(HTML)
    client.follow_redirects = False
    return client


def sign_in(browser: TestClient, password: str, **data: str) -> Any:
    return browser.post("/login", data={"name": "admin", "password": password, **data})


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


def test_the_first_sign_in_forces_a_new_password(browser: TestClient, admin_password: str) -> None:
    assert browser.get("/").headers["location"] == "/login?next=/"
    assert sign_in(browser, admin_password).headers["location"] == "/"
    cookie = browser.cookies.jar.__iter__().__next__()
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert browser.get("/").headers["location"] == "/password"
    assert browser.get("/v1/petitions").json()["code"] == "password_change_required"
    form = csrf_of(browser.get("/password").text)
    body = {"old": admin_password, "new": NEW, "again": NEW, "csrf": form}
    for wrong, said in (
        ({"again": "different"}, "不一致"),
        ({"new": "short", "again": "short"}, "至少"),
        ({"new": "my-admin-password", "again": "my-admin-password"}, "用户名"),
        ({"old": "wrong"}, "原口令不对"),
    ):
        refused = browser.post("/password", data=body | wrong)
        assert refused.status_code in {403, 422}
        assert said in refused.text
    assert browser.post("/password", data=body | {"csrf": "forged"}).status_code == 403
    assert browser.post("/password", data=body).headers["location"] == "/"
    page = browser.get("/")
    assert page.status_code == 200
    assert "研判台" in page.text


def test_signing_out_ends_the_session(browser: TestClient, admin_password: str) -> None:
    sign_in(browser, admin_password)
    form = csrf_of(browser.get("/password").text)
    token = dict(browser.cookies)
    assert browser.post("/logout", data={"csrf": "forged"}).status_code == 403
    assert browser.post("/logout", data={"csrf": form}).headers["location"] == "/login"
    browser.cookies.update(token)
    assert browser.get("/").headers["location"].startswith("/login")


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(browser: TestClient, admin_password: str, target: str) -> None:
    assert "evil" not in browser.get("/login", params={"next": target}).text
    assert sign_in(browser, admin_password, next=target).headers["location"] == "/"


def test_a_form_from_another_site_is_refused(browser: TestClient, admin_password: str) -> None:
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        data = {"name": "admin", "password": admin_password}
        assert browser.post("/login", data=data, headers=headers).status_code == 403


def test_pages_carry_no_inline_script_and_load_nothing_from_elsewhere(browser: TestClient, admin_password: str) -> None:
    pages = [browser.get("/login").text]
    sign_in(browser, admin_password)
    pages.append(browser.get("/password").text)
    for page in pages:
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"\son\w+=|style=|<style", page)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert browser.get("/static/desk.js").status_code == 200
    assert browser.get("/static/../rendering.py").status_code == 404
    assert browser.get("/static/%2e%2e/rendering.py").status_code == 404


def test_a_refusal_is_a_page_for_people_and_json_for_programs(browser: TestClient) -> None:
    page = browser.get("/nowhere")
    assert (page.status_code, "text/html" in page.headers["content-type"]) == (404, True)
    assert browser.get("/v1/nowhere").headers["content-type"] == "application/problem+json"


def test_a_locked_account_looks_like_a_wrong_password(open_office: Callable[..., Any], clock: Any) -> None:
    office = open_office(max_login_failures=3, lockout_minutes=10)
    with office.context.store.write() as session:
        password = accounts.create_first_admin(session, actor=COMMAND_LINE, now=clock())

    def attempt(given: str | None, name: str = "admin") -> tuple[int, str]:
        response = office.client.post("/v1/session", json={"name": name, "password": given})
        return response.status_code, response.json().get("detail", "")

    unknown = attempt("whatever", name="nobody")
    assert [attempt("wrong") for _ in range(3)] == [unknown] * 3
    assert attempt(password) == unknown
    clock.advance(minutes=11)
    assert attempt(password)[0] == 201


def test_sessions_end_when_idle_and_at_the_latest_after_their_time(open_office: Callable[..., Any], clock: Any) -> None:
    office = open_office(session_idle_minutes=30, session_hours=2)
    with office.context.store.write() as session:
        password = accounts.create_first_admin(session, actor=COMMAND_LINE, now=clock())
    client = office.client

    def signed_in() -> bool:
        return bool(client.get("/v1/session").status_code == 200)

    client.post("/v1/session", json={"name": "admin", "password": password})
    for _ in range(4):
        clock.advance(minutes=29)
        assert signed_in()
    clock.advance(minutes=5)
    assert not signed_in()
    client.post("/v1/session", json={"name": "admin", "password": password})
    clock.advance(minutes=31)
    assert not signed_in()


def test_unsafe_requests_of_a_session_need_its_token(office: Any, clock: Any) -> None:
    with office.context.store.write() as session:
        password = accounts.create_first_admin(session, actor=COMMAND_LINE, now=clock())
    client = office.client
    csrf = client.post("/v1/session", json={"name": "admin", "password": password}).json()["csrf"]
    change = {"old": password, "new": NEW}
    for headers in ({}, {"X-CSRF-Token": "forged"}, {"X-CSRF-Token": csrf, "origin": "https://evil.example"}):
        response = client.put("/v1/session/password", json=change, headers=headers)
        assert response.status_code == 403
    good = {"X-CSRF-Token": csrf, "origin": "http://testserver"}
    assert client.put("/v1/session/password", json=change, headers=good).status_code == 204
    user = {"name": "wang.fang", "display_name": "<script>alert(1)</script>", "role": "clerk"}
    assert client.post("/v1/users", json=user).status_code == 403
    made = client.post("/v1/users", json=user, headers=good)
    assert made.status_code == 201
    forged = TestClient(client.app, cookies={"petition_session": "forged"})
    assert forged.get("/v1/session").status_code == 401


def test_login_attempts_from_one_address_are_limited(open_office: Callable[..., Any]) -> None:
    client = open_office(login_rate_limit="3/minute").client
    statuses = [client.post("/v1/session", json={"name": f"user{n}", "password": "x"}).status_code for n in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_requests_are_limited(open_office: Callable[..., Any]) -> None:
    clerk = open_office(rate_limit="3/minute").enter("clerk")
    responses = [clerk.get("/v1/queues") for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    assert int(responses[-1].headers["retry-after"]) >= 1
