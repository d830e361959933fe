"""Optional OpenTelemetry: one span per request, with its route, status, request id and stage times.

Nothing that a person wrote or is known by is in a span: no path, no query, no header but the caller's trace id, no
message of an exception. Imported only where a setting asks for it: its libraries come with the extra `telemetry`.
"""

from collections.abc import Sequence
from dataclasses import fields
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nlp.petition import StageTimes
from serving.middleware import method_of, route_of

_PROPAGATOR = TraceContextTextMapPropagator()

_SEND_WITHIN = 3.0
"""Seconds in which a batch of spans must reach the collector: one that is away must not hold up a shutdown."""


class Telemetry:
    """Where the spans of one app go."""

    def __init__(self, exporter: SpanExporter) -> None:
        """Send spans to `exporter`, in batches, from a thread of its own."""
        resource = Resource.create({"service.name": "petition-router", "service.version": version("petition-router")})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self._provider.get_tracer("serving")

    @classmethod
    def to(cls, endpoint: str) -> "Telemetry":
        """Send spans to the collector at `endpoint` (OTLP over HTTP)."""
        return cls(OTLPSpanExporter(endpoint=endpoint, timeout=_SEND_WITHIN))

    def note(self, times: Sequence[StageTimes]) -> None:
        """Add to the present request's span what its petitions spent in each stage, summed."""
        span = trace.get_current_span()
        span.set_attribute("petition.count", len(times))
        for stage in fields(StageTimes):
            seconds = sum(getattr(one, stage.name) for one in times)
            span.set_attribute(f"petition.stage.{stage.name}", round(seconds, 6))

    def close(self) -> None:
        """Send what is left and stop."""
        self._provider.shutdown()


class Spans:
    """Makes the span of every request, a child of the caller's where the caller names one."""

    def __init__(self, app: ASGIApp, *, telemetry: Telemetry) -> None:
        """Wrap `app`."""
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = {"traceparent": Headers(scope=scope).get("traceparent", "")}
        span = self._telemetry.tracer.start_span(
            method_of(scope), context=_PROPAGATOR.extract(caller), kind=trace.SpanKind.SERVER
        )

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
                if message["status"] >= 500:
                    span.set_status(trace.StatusCode.ERROR)
            await send(message)

        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                await self._app(scope, receive, send_noted)
            finally:
                span.update_name(f"{method_of(scope)} {route_of(scope)}")
                span.set_attribute("http.request.method", method_of(scope))
                span.set_attribute("http.route", route_of(scope))
                span.set_attribute("petition.request_id", scope["state"]["request_id"])
