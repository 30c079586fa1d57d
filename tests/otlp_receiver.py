"""Somebody who collects traces: OTLP over HTTP, as collectors take it, everything kept as it came."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


class Told(NamedTuple):
    """A span as it came. Ids are hexadecimal; `told` are its attributes as text."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    kind: str
    told: dict[str, str]
    began: int
    ended: int
    failed: bool


class Receiver:
    """What came, by path."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self.url = ""

    def spans(self) -> list[Told]:
        """All spans so far, by their beginnings."""
        found: list[Told] = []
        for path, body in self.bodies:
            if path == "/v1/traces":
                found += _spans(ExportTraceServiceRequest.FromString(body))
        return sorted(found, key=lambda one: one.began)


def _spans(request: ExportTraceServiceRequest) -> Iterator[Told]:
    for resource in request.resource_spans:
        names = {one.key: one.value.string_value for one in resource.resource.attributes}
        for scope in resource.scope_spans:
            for one in scope.spans:
                yield Told(
                    names["service.name"],
                    one.name,
                    one.trace_id.hex(),
                    one.span_id.hex(),
                    one.parent_span_id.hex(),
                    Span.SpanKind.Name(one.kind).removeprefix("SPAN_KIND_"),
                    {key.key: key.value.string_value or str(key.value.int_value) for key in one.attributes},
                    one.start_time_unix_nano,
                    one.end_time_unix_nano,
                    one.status.code == Status.STATUS_CODE_ERROR,
                )


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Collect on a free port of loopback."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.bodies.append((self.path, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
