"""What Prometheus may read: requests by route and status, and how the feed is doing.

The text format is a few lines, so it is written here; one registry a process.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the latency histograms; an answer above 0.5 s is slow here."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Anything else would be a label of the sender's making."""

Labels = tuple[tuple[str, str], ...]


class Histogram:
    """Counts a bucket, with sum and count."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS_S) + 1)
        self._sum_s = 0.0

    def observe(self, seconds: float) -> None:
        """Add one measurement."""
        self._counts[bisect_left(BUCKETS_S, seconds)] += 1
        self._sum_s += seconds

    def lines(self, name: str, labels: Labels) -> Iterator[str]:
        """The histogram in Prometheus' text form."""
        total = 0
        for bound, count in zip((*BUCKETS_S, float("inf")), self._counts, strict=True):
            total += count
            le = "+Inf" if bound == float("inf") else f"{bound:g}"
            yield f"{name}_bucket{_braces((*labels, ('le', le)))} {total}"
        yield f"{name}_sum{_braces(labels)} {self._sum_s:.6f}"
        yield f"{name}_count{_braces(labels)} {total}"


class Metrics:
    """The process's counters, gauges and histograms; written to from the event loop alone."""

    def __init__(self) -> None:
        self._help: dict[str, tuple[str, str]] = {}
        self._counters: dict[str, dict[Labels, float]] = defaultdict(lambda: defaultdict(float))
        self._gauges: dict[str, Callable[[], float]] = {}
        self._histograms: dict[str, dict[Labels, Histogram]] = defaultdict(
            lambda: defaultdict(Histogram)
        )

    def describe(self, name: str, kind: str, text: str) -> None:
        """State what a metric is; ``kind`` is counter, gauge or histogram."""
        self._help[name] = (kind, text)

    def count(self, name: str, by: float = 1, **labels: str) -> None:
        """Raise a counter."""
        self._counters[name][tuple(sorted(labels.items()))] += by

    def gauge(self, name: str, read: Callable[[], float]) -> None:
        """Register a gauge that is read when it is asked for."""
        self._gauges[name] = read

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add a measurement to a histogram."""
        self._histograms[name][tuple(sorted(labels.items()))].observe(seconds)

    def text(self) -> str:
        """Everything in Prometheus' text form (version 0.0.4)."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        for name, (kind, text) in self._help.items():
            yield f"# HELP {name} {text}"
            yield f"# TYPE {name} {kind}"
            for labels, value in self._counters[name].items() if kind == "counter" else ():
                yield f"{name}{_braces(labels)} {value:g}"
            if name in self._gauges:
                yield f"{name} {self._gauges[name]():g}"
            for labels, histogram in self._histograms[name].items() if kind == "histogram" else ():
                yield from histogram.lines(name, labels)


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class RequestMetrics:
    """ASGI middleware: counts and times HTTP requests by route, never by the raw path."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        metrics.describe("siaga_http_requests_total", "counter", "HTTP requests answered")
        metrics.describe("siaga_http_request_seconds", "histogram", "Time to the answer's start")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "(none)")
                method = scope["method"] if scope["method"] in _METHODS else "OTHER"
                status = str(message["status"])
                self._metrics.count(
                    "siaga_http_requests_total", route=route, method=method, status=status
                )
                self._metrics.observe(
                    "siaga_http_request_seconds", time.perf_counter() - started_s, route=route
                )
            await send(message)

        await self._app(scope, receive, watched)
