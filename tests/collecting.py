"""A collector of spans: OTLP over HTTP, as any other, in a thread of the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)


@dataclass(frozen=True)
class Span:
    """One span as it came, its ids in hexadecimal; parent is empty for a root."""

    name: str
    trace: str
    id: str
    parent: str
    error: str
    process: str
    facts: dict[str, Any]


@dataclass
class Collector:
    """What has come: the bytes, and the spans in them."""

    port: int
    bodies: list[bytes] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a program send its spans here."""
        return {
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
        }

    @property
    def spans(self) -> list[Span]:
        """All spans, in the order in which they came."""
        found = []
        for body in self.bodies:
            for told in ExportTraceServiceRequest.FromString(body).resource_spans:
                process = _facts(told.resource.attributes)["service.instance.id"]
                for scope in told.scope_spans:
                    found += [_span(one, process) for one in scope.spans]
        return found


@contextmanager
def collector() -> Iterator[Collector]:
    """Collect spans while the block lasts."""
    heard = Collector(0)

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            heard.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        heard.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown()
            thread.join()


def _span(span: Any, process: str) -> Span:
    return Span(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        error=span.status.message,
        process=process,
        facts=_facts(span.attributes),
    )


def _facts(attributes: Any) -> dict[str, Any]:
    return {a.key: _value(a.value) for a in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind)
