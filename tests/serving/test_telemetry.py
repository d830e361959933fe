"""Spans: one per request, with its stage times, and never a word of what somebody wrote."""

import builtins
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from nlp.petition import Petition, StageTimes, Suggestion
from serving import settings as settings_module
from serving.app import create_app
from serving.settings import Settings
from serving.telemetry import Telemetry

SECRETS = ("张三", "13800138000", "幸福路", "油烟")
TEXT = "我叫张三，电话13800138000，幸福路烧烤店油烟很大。"
SPENT = StageTimes(tokenise=0.25, infer=0.5, decide=0.125)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def telemetry(exporter: InMemorySpanExporter) -> Iterator[Telemetry]:
    made = Telemetry(exporter)
    yield made
    made.close()


@pytest.fixture
def client(
    serve: Callable[..., TestClient],
    make_settings: Callable[..., Settings],
    classifier: Any,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> TestClient:
    judge = classifier.suggest

    def timed(petition: Petition) -> Suggestion:
        return replace(judge(petition), times=SPENT)

    monkeypatch.setattr(classifier, "suggest", timed)
    return serve(app=create_app(make_settings(open_classify=True), classifier, telemetry=telemetry))


@pytest.fixture
def spans(telemetry: Telemetry, exporter: InMemorySpanExporter, client: TestClient) -> Callable[[], list[ReadableSpan]]:
    def finished() -> list[ReadableSpan]:
        assert telemetry._provider.force_flush()
        found = list(exporter.get_finished_spans())
        exporter.clear()
        return found

    assert client.get("/readyz").status_code == 200
    finished()  # what asking for readiness made
    return finished


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_request_is_one_span_with_its_stage_times(client: TestClient, spans: Any) -> None:
    items = [{"text": TEXT}, {"text": TEXT}, {"text": " "}]
    answer = client.post("/v1/classify", json={"items": items}, headers={"x-request-id": "caller-0001"})
    assert answer.status_code == 200
    (span,) = spans()
    assert span.name == "POST /v1/classify"
    found = attributes(span)
    assert found.pop("petition.stage.queue") > 0
    assert found == {
        "http.request.method": "POST",
        "http.route": "/v1/classify",
        "http.response.status_code": 200,
        "petition.request_id": "caller-0001",
        "petition.count": 2,
        "petition.stage.tokenise": 0.5,
        "petition.stage.infer": 1.0,
        "petition.stage.decide": 0.25,
    }


def test_a_span_is_the_child_of_the_callers(client: TestClient, spans: Any) -> None:
    trace_id, span_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    headers = {"traceparent": f"00-{trace_id}-{span_id}-01", "tracestate": "who=zhang"}
    client.get("/healthz", headers=headers)
    client.get("/healthz", headers={"traceparent": TEXT.encode().hex()})
    child, alone = spans()
    assert format(child.context.trace_id, "032x") == trace_id
    assert format(child.parent.span_id, "016x") == span_id
    assert "zhang" not in child.to_json()
    assert alone.parent is None


def test_no_span_holds_what_somebody_wrote(client: TestClient, spans: Any) -> None:
    codes = [
        client.post("/v1/classify", json={"text": TEXT, "title": TEXT, "id": "张三"}).status_code,
        client.post("/v1/classify", json={"text": f"有毒{TEXT}"}).status_code,
        client.post("/v1/classify", json={"text": [TEXT]}).status_code,
        client.get(f"/{TEXT}", params={"q": TEXT}, headers={"user-agent": "13800138000"}).status_code,
        client.request("BREW", "/张三").status_code,
    ]
    assert codes == [200, 500, 422, 404, 404]
    found = spans()
    assert [attributes(span)["http.response.status_code"] for span in found] == codes
    assert [span.status.is_ok for span in found] == [True, False, True, True, True]
    assert attributes(found[3])["http.route"] == "(none)"
    assert found[4].name == "(other) (none)"
    for span in found:
        assert not span.events, "an exception's message may quote the text"
        written = span.to_json(indent=None).encode().decode("unicode_escape")
        assert not [secret for secret in SECRETS if secret in written]


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A server that keeps what is sent to it, as its address and its list."""
    kept: list[bytes] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", kept
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_setting_alone_sends_spans_to_a_collector(
    make_settings: Callable[..., Settings], classifier: Any, collector: tuple[str, list[bytes]]
) -> None:
    address, kept = collector
    with TestClient(create_app(make_settings(telemetry_endpoint=address), classifier)) as client:
        assert client.get("/healthz").status_code == 200
    (sent,) = kept
    read = ExportTraceServiceRequest.FromString(gzip.decompress(sent) if sent[:2] == b"\x1f\x8b" else sent)
    (resource,) = read.resource_spans
    assert {"service.name", "service.version"} <= {pair.key for pair in resource.resource.attributes}
    assert [span.name for span in resource.scope_spans[0].spans] == ["GET /healthz"]


def test_a_collector_that_is_away_changes_no_answer_and_holds_nothing_up(
    make_settings: Callable[..., Settings], classifier: Any
) -> None:
    settings = make_settings(telemetry_endpoint="http://127.0.0.1:1/v1/traces", open_classify=True)
    with TestClient(create_app(settings, classifier)) as client:
        wait_until_ready(client)
        assert client.post("/v1/classify", json={"text": TEXT}).status_code == 200
        ended = time.monotonic()
    assert time.monotonic() - ended < 8


def wait_until_ready(client: TestClient) -> None:
    deadline = time.monotonic() + 30
    while client.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("value", "said"), [("collector:4318", "not an address"), ("ftp://collector", "not an address")]
)
def test_an_endpoint_that_is_none_is_refused(value: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Settings(telemetry_endpoint=value)


def test_without_its_libraries_an_endpoint_is_refused_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, make_settings: Callable[..., Settings], classifier: Any
) -> None:
    find, load = settings_module.find_spec, builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith(("opentelemetry", "serving.telemetry")):
            raise ModuleNotFoundError(name)
        return load(name, *rest)

    monkeypatch.setattr(settings_module, "find_spec", lambda name: None if "opentelemetry" in name else find(name))
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ValueError, match=r"petition-router\[telemetry\]"):
        Settings(telemetry_endpoint="http://127.0.0.1:4318/v1/traces")
    assert create_app(make_settings(), classifier).state.context.telemetry is None
