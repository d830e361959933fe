"""The OpenAPI document against the app: schemathesis sends what the schema allows, and what it forbids."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

N_EXAMPLES = 5
"""Per operation and mode: about 400 requests in all."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def sender(client: TestClient, checks: list[Any]) -> Callable[[Case], None]:
    """Return a function that sends a case through `client` and holds the answer against the document."""

    def send(case: Case) -> None:
        parts = case.as_transport_kwargs(base_url="http://testserver", headers=dict(client.headers))
        parts.pop("cookies", None)  # the client acts with a key
        if isinstance(parts.get("data"), str | bytes):  # as the library that schemathesis knows calls it
            parts["content"] = parts.pop("data")
        case.validate_response(client.request(**parts), checks=checks)

    return send


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "forbidden"])
def test_the_app_keeps_to_its_own_document(open_office: Any, mode: GenerationMode) -> None:
    office = open_office(max_text_chars=2000)
    admin = office.enter("admin")
    for text in ("部门存疑楼下很吵", "楼下很吵"):
        office.submit(text)
    document = admin.get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    bounded = settings(
        max_examples=N_EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    checks = CHECKS if mode is GenerationMode.POSITIVE else [*CHECKS, negative_data_rejection]
    faults: list[str] = []
    n_operations = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        n_operations += 1
        if mode is GenerationMode.NEGATIVE and not takes_anything(operation):
            continue
        cases = operation.as_strategy(generation_mode=mode)
        try:
            bounded(given(cases)(sender(admin, checks)))()
        except Exception as error:  # noqa: BLE001  every operation is tried before the test fails
            faults.append(f"{operation.label}: {error}")
    assert not faults, "\n\n".join(faults)
    assert n_operations == sum(map(len, document["paths"].values()))


def takes_anything(operation: Any) -> bool:
    """Whether there is anything in the request that could be wrong."""
    return bool(operation.body or any(True for _ in operation.iter_parameters()))
