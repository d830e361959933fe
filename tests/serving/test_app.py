"""The app around the model: answers, refusals, limits, readiness, reload, documents."""

import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from nlp.errors import BundleError
from serving.app import create_app
from serving.configuration import reference
from serving.model_host import WARM_UP
from serving.settings import Settings

Serve = Callable[..., TestClient]
ROOT = Path(__file__).parents[2]


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]
    return body


def test_one_petition_is_judged(serve: Serve) -> None:
    answer = serve(open_classify=True).post("/v1/classify", json={"text": "楼下油烟很大", "id": "a-1"}).json()
    assert answer["id"] == "a-1"
    assert answer["answer"]["predictions"]["department"]["code"] == "urban_management"
    assert answer["answer"]["decision"] == {"action": "auto", "reasons": []}
    assert answer["answer"]["evidence"][0]["span"] == [2, 4]


def test_of_several_one_that_cannot_be_judged_does_not_fail_the_others(serve: Serve) -> None:
    items = [{"text": "油烟"}, {"text": "  ", "id": "b"}, {"text": "噪声"}]
    answers = serve(open_classify=True).post("/v1/classify", json={"items": items}).json()["items"]
    assert [a["suggestion"] is None for a in answers] == [False, True, False]
    assert answers[1] == {"id": "b", "suggestion": None, "error": "正文为空"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"text": "a", "items": [{"text": "b"}]}, 422, "text_or_items"),
        ({}, 422, "text_or_items"),
        ({"items": []}, 422, "invalid_request"),
        ({"text": 5}, 422, "invalid_request"),
        ({"text": "好", "shout": True}, 422, "invalid_request"),
        ({"text": ""}, 422, "text_not_judgeable"),
        ({"text": "字" * 100_001}, 422, "text_too_long"),
        ({"items": [{"text": "字"}] * 33}, 422, "too_many_items"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_reason(serve: Serve, body: Any, status: int, code: str) -> None:
    assert_problem(serve(open_classify=True).post("/v1/classify", json=body), status, code)


def test_framework_refusals_have_the_same_shape(serve: Serve) -> None:
    client = serve(open_classify=True)
    assert_problem(client.get("/nowhere"), 404, "not_found")
    response = client.put("/v1/classify", json={})
    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"
    broken = client.post("/v1/classify", content=b"{", headers={"content-type": "application/json"})
    assert_problem(broken, 422, "invalid_request")


def test_a_refusal_never_quotes_what_was_sent(serve: Serve) -> None:
    response = serve(open_classify=True).post("/v1/classify", json={"text": ["张三住在幸福路"]})
    assert "张三" not in response.text


def test_an_unforeseen_error_is_a_clean_500(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    response = serve(open_classify=True).post("/v1/classify", json={"text": "有毒的张三"})
    assert_problem(response, 500, "internal_error")
    assert "张三" not in response.text + "".join(capfd.readouterr())
    assert response.headers["content-security-policy"]


def test_a_full_queue_is_429_with_retry_after(serve: Serve, classifier: Any) -> None:
    client = serve(open_classify=True, max_waiting=1, max_items=1)
    classifier.gate.clear()
    classifier.entered.clear()
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(client.post("/v1/classify", json={"text": "等"}).status_code))
        for _ in range(2)
    ]
    threads[0].start()
    assert classifier.entered.wait(5)
    threads[1].start()
    deadline = time.monotonic() + 5
    while "petition_queue_depth 1.0" not in client.app.state.context.metrics.render().decode():  # type: ignore[attr-defined]
        assert time.monotonic() < deadline
    response = client.post("/v1/classify", json={"text": "挤不进"})
    assert_problem(response, 429, "queue_full")
    assert int(response.headers["retry-after"]) >= 1
    classifier.gate.set()
    for thread in threads:
        thread.join(5)
    assert codes == [200, 200]


def test_no_answer_in_time_is_503(serve: Serve, classifier: Any) -> None:
    client = serve(open_classify=True, answer_timeout=0.05)
    classifier.gate.clear()
    response = client.post("/v1/classify", json={"text": "慢"})
    classifier.gate.set()
    assert_problem(response, 503, "answer_timeout")


def test_a_large_body_is_refused(serve: Serve) -> None:
    client = serve(open_classify=True)
    body = json.dumps({"text": "字" * 10_000_000})
    assert_problem(client.post("/v1/classify", content=body), 413, "body_too_large")
    chunks = (b"x" * 100_000 for _ in range(30))
    assert_problem(client.post("/v1/classify", content=chunks), 413, "body_too_large")


def test_it_lives_while_it_loads_and_is_ready_when_warm(
    serve: Serve, make_settings: Callable[..., Settings], classifier: Any
) -> None:
    classifier.gate.clear()
    client = serve(app=create_app(make_settings(open_classify=True), load=lambda _: classifier), ready=False)
    assert client.get("/healthz").status_code == 200
    problem = assert_problem(client.get("/readyz"), 503, "not_ready")
    assert problem["detail"] == "模型正在加载，请稍候重试。"
    assert_problem(client.post("/v1/classify", json={"text": "早"}), 503, "not_ready")
    classifier.gate.set()
    deadline = time.monotonic() + 5
    while client.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline
    assert classifier.judged == [petition.content for petition in WARM_UP]


def test_a_bundle_that_is_refused_leaves_it_not_ready_with_the_reason(
    serve: Serve, make_settings: Callable[..., Settings]
) -> None:
    def load(_: Path | None) -> Any:
        raise BundleError("model.onnx does not match SHA256SUMS")

    client = serve(app=create_app(make_settings(), load=load), ready=False)
    deadline = time.monotonic() + 5
    while "SHA256SUMS" not in client.get("/readyz").json()["detail"]:
        assert time.monotonic() < deadline


def test_reload_serves_the_new_bundle_and_rolls_back_a_bad_one(
    serve: Serve,
    make_office: Callable[..., Any],
    make_settings: Callable[..., Settings],
    classifier: Any,
    tmp_path: Path,
) -> None:
    for name in ("good", "bad", "dead"):
        (tmp_path / "bundles" / name).mkdir(parents=True)

    class Dead(type(classifier)):  # type: ignore[misc]
        def suggest(self, petition: Any) -> Any:
            raise ValueError(f"no such input: {len(petition.content)}")

    def load(folder: Path | None) -> Any:
        name = folder.name if folder else "default"
        if name == "bad":
            raise BundleError("checksum mismatch: model.onnx")
        return Dead("dead") if name == "dead" else type(classifier)(name)

    settings = make_settings(open_classify=True, bundles_dir=tmp_path / "bundles")
    client = make_office(serve(app=create_app(settings, load=load))).enter("maintainer")

    def serving() -> str:
        return str(client.post("/v1/classify", json={"text": "谁"}).json()["answer"]["bundle_id"])

    assert serving() == "default"
    assert client.post("/v1/model/reload", json={"bundle": "good"}).json() == {"bundle_id": "good"}
    assert serving() == client.get("/v1/model").json()["bundle_id"] == "good"
    assert_problem(client.post("/v1/model/reload", json={"bundle": "bad"}), 409, "bundle_refused")
    assert_problem(client.post("/v1/model/reload", json={"bundle": "dead"}), 409, "bundle_refused")
    for name in ("../good", "/etc", "none", ""):
        assert_problem(client.post("/v1/model/reload", json={"bundle": name}), 422, "unknown_bundle")
    assert serving() == "good"


def test_taxonomy_and_model_describe_what_serves(serve: Serve) -> None:
    client = serve(open_classify=True)
    heads = client.get("/v1/taxonomy").json()["heads"]
    found = next(label for label in heads["department"] if label["code"] == "urban_management")
    assert "城管" in "".join(found["aliases"])
    assert {label["parent"] for label in heads["category_l2"]} == {x["code"] for x in heads["category_l1"]}
    thresholds = client.get("/v1/model").json()["thresholds"]
    assert (thresholds["budget"], thresholds["joint"], thresholds["per_head"]["channel"]) == (0.1, 0.7, 0.8)


def test_metrics_count_requests_and_stages(serve: Serve) -> None:
    client = serve(open_classify=True, open_metrics=True)
    client.post("/v1/classify", json={"items": [{"text": "数一数"}, {"text": "再数"}, {"text": " "}]})
    text = client.get("/metrics").text
    assert 'petition_http_requests_total{method="POST",route="/v1/classify",status="200"} 1.0' in text
    assert 'petition_stage_seconds_count{stage="queue"} 3.0' in text
    for stage in ("tokenise", "infer", "decide", "total"):  # what was not judged spent no time there
        assert f'petition_stage_seconds_count{{stage="{stage}"}} 2.0' in text


def test_every_answer_has_a_request_id_and_security_headers(serve: Serve) -> None:
    client = serve()
    for response in (client.get("/healthz", headers={"x-request-id": "caller-0001"}), client.get("/nowhere")):
        policy = response.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
    assert client.get("/healthz", headers={"x-request-id": "caller-0001"}).headers["x-request-id"] == "caller-0001"
    forged = client.get("/healthz", headers={"x-request-id": 'a"}\ninjected'.replace("\n", " ")})
    assert forged.headers["x-request-id"] != 'a"} injected'


def test_openapi_has_one_error_shape_and_no_page_loads_from_elsewhere(serve: Serve) -> None:
    client = serve()
    document = client.get("/openapi.json").json()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert "application/problem+json" in operation["responses"]["default"]["content"], (method, path)
            assert operation["summary"]
    assert client.get("/docs").status_code == 404


def test_the_configuration_reference_is_current() -> None:
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python -m serving.configuration > docs/configuration.md"


def admitting_anybody(client: TestClient) -> set[str]:
    return {
        f"{method.upper()} {path}"
        for path, operations in client.get("/openapi.json").json()["paths"].items()
        for method in operations
        if client.request(method, path).status_code != 401
    }


def test_what_needs_no_login_is_what_the_setting_says(serve: Serve) -> None:
    opened = admitting_anybody(serve(open_classify=True)) - admitting_anybody(serve())
    assert opened == set(re.findall(r"`([^`]+)`", Settings.model_fields["open_classify"].description or ""))


def test_settings_that_are_gone_do_not_stop_an_old_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PETITION_MAX_BATCH", "PETITION_MAX_BATCH_CHARS"):
        monkeypatch.setenv(name, "0")  # which was refused
    Settings()


@pytest.mark.parametrize(
    "bad",
    [
        {"workers": 2},
        {"database_url": "mysql://x"},
        {"rate_limit": "many"},
        {"keep_original": True},
        {"keep_original": True, "original_key": "short"},
        {"max_items": 500},
        {"unknown": 1},
    ],
)
def test_bad_settings_are_refused(make_settings: Callable[..., Settings], bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        make_settings(**bad)
