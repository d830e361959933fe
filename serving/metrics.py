"""Prometheus metrics of one server process; each app has its own registry, so tests never share counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters and histograms, one attribute per metric."""

    def __init__(self) -> None:
        """Register every metric in a fresh registry."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "petition_http_requests", "Answers by method, route and status.", ["method", "route", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.latency = Histogram(
            "petition_http_seconds", "Time to answer by method and route.", ["method", "route"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.stages = Histogram(
            "petition_stage_seconds",
            "Time of a petition in queue, tokenise, infer and decide; total: from leaving the queue to its answer.",
            ["stage"], buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.waiting = Gauge("petition_queue_depth", "Petitions waiting for the model.", registry=self.registry)
        self.refused = Counter(
            "petition_queue_refused", "Petitions refused because the queue was full.", registry=self.registry
        )
        self.failures = Counter(
            "petition_judging_failures", "Petitions on which the model failed in an unforeseen way.",
            registry=self.registry,
        )  # fmt: skip
        self.reloads = Counter(
            "petition_bundle_reloads", "Bundle reloads by outcome.", ["outcome"], registry=self.registry
        )

    def render(self) -> bytes:
        """Return the exposition text."""
        return generate_latest(self.registry)
