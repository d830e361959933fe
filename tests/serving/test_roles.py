"""Nobody gets in without a key, with a bad one, or in the wrong role: every operation of the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.roles import ROLES

OPEN = {("get", "/healthz"), ("get", "/readyz"), ("post", "/v1/session")}
"""What everybody may call; a new operation is not in here by accident."""
SESSION_ONLY = {("get", "/v1/session"), ("delete", "/v1/session"), ("put", "/v1/session/password")}
FILLED = {
    "petition_id": "P000000-0000000000",
    "claim_id": "0" * 32,
    "user_id": "999",
    "key_id": "999",
    "code": "notice_accept",
}


def operations(client: TestClient) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, found in client.get("/openapi.json").json()["paths"].items():
        for method, operation in found.items():
            yield method, path, operation


def ask(client: TestClient, method: str, path: str) -> Any:
    kwargs: dict[str, Any] = {"json": {}} if method in {"post", "put", "patch"} else {}
    return client.request(method, path.format(**FILLED), **kwargs)


@pytest.fixture
def client(office: Any) -> TestClient:
    found: TestClient = office.client
    return found


def test_every_operation_states_its_roles_or_is_known_to_be_open(client: TestClient) -> None:
    for method, path, operation in operations(client):
        if (method, path) not in OPEN | SESSION_ONLY:
            assert operation["x-roles"], (method, path)
            assert operation["security"], (method, path)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer pk_forged"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Cookie": "petition_session=forged"},
    ],
)
def test_without_valid_credentials_nothing_answers(client: TestClient, headers: dict[str, str]) -> None:
    outsider = TestClient(client.app, headers=headers)
    for method, path, _ in operations(client):
        if (method, path) not in OPEN:
            assert ask(outsider, method, path).status_code == 401, (method, path)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_what_is_its_own_and_nothing_else(office: Any, client: TestClient, role: Any) -> None:
    keyholder = office.enter(role)
    n_refused = 0
    for method, path, operation in operations(client):
        if (method, path) in OPEN:
            continue
        response = ask(keyholder, method, path)
        if (method, path) in SESSION_ONLY:
            assert response.status_code == 401, (method, path)
        elif role in operation["x-roles"]:
            assert response.status_code not in {401, 403, 500}, (method, path, response.text)
        else:
            assert response.json()["code"] == "forbidden", (method, path)
            n_refused += 1
    assert (n_refused == 0) == (role == "admin")
