"""A collector of OpenTelemetry traces, as a city's monitoring runs one: a real OTLP receiver over
HTTP that reads what comes with the protocol's own messages."""

from __future__ import annotations

import gzip
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class Span:
    """One span as it came."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    role: str
    start_ns: int
    end_ns: int
    facts: dict[str, str | int]


@dataclass
class Collector:
    """What has come; written to from the server's threads."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)

    def traces(self) -> dict[str, dict[str, list[Span]]]:
        """By trace and by name."""
        found: dict[str, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
        for span in list(self.spans):
            found[span.trace_id][span.name].append(span)
        return found

    def take(self, body: bytes) -> None:
        message = ExportTraceServiceRequest.FromString(body)
        for of_resource in message.resource_spans:
            resource = {one.key: one.value.string_value for one in of_resource.resource.attributes}
            assert resource["service.name"] == "siaga"
            for scope in of_resource.scope_spans:
                for one in scope.spans:
                    facts = {
                        fact.key: getattr(fact.value, fact.value.WhichOneof("value") or "")
                        for fact in one.attributes
                    }
                    self.spans.append(
                        Span(
                            one.trace_id.hex(),
                            one.span_id.hex(),
                            one.parent_span_id.hex(),
                            one.name,
                            resource["siaga.role"],
                            one.start_time_unix_nano,
                            one.end_time_unix_nano,
                            facts,
                        )
                    )


@contextmanager
def collecting() -> Iterator[Collector]:
    """Listen until the context ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing: what went wrong shows in what is missing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
