"""A small door beside a process: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever runs containers.

It opens on this machine alone unless PLAZO_METRICS_HOST says otherwise, reads nothing that is sent to it and answers
GET alone. The figures name no person, but they are the house's own: never put it on a public address.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import structlog

from health import Found, able
from metrics import TYPE
from models.errors import SettingsError
from settings import Settings

PATIENCE = 10.0
"""Seconds that a caller may hold a connection without a word."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Door(NamedTuple):
    """What is answered: the exposition, whether the process lives, and what it has of what it needs."""

    metrics: Callable[[], bytes]
    alive: Callable[[], bool]
    ready: Callable[[], Found]


@contextmanager
def listening(settings: Settings, door: Door) -> Iterator[int]:
    """Answer at PLAZO_METRICS_PORT while the block runs; yield the port, 0 where none is set.

    SettingsError when the port is taken.
    """
    if settings.metrics_port is None:
        yield 0
        return
    with open_door(settings.metrics_host, settings.metrics_port, door) as port:
        yield port


@contextmanager
def open_door(host: str, port: int, door: Door) -> Iterator[int]:
    """Answer on an address while the block runs; port 0 takes a free one. Yields the port."""
    handler = type("Handler", (_Handler,), {"door": door})
    try:
        server = ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        raise SettingsError(
            f"{host}:{port}: cannot listen there ({error.strerror}); correct PLAZO_METRICS_HOST or PLAZO_METRICS_PORT"
        ) from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="listener", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    door: Door
    timeout = PATIENCE
    server_version, sys_version = "plazo", ""

    def do_GET(self) -> None:
        try:
            status, kind, body = self._answer(self.path.partition("?")[0])
        except Exception:
            # One figure at fault must not look like a process that is gone.
            log.exception("listener.broken")
            status, kind, body = HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", b""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        match path:
            case "/metrics":
                return HTTPStatus.OK, TYPE, self.door.metrics()
            case "/healthz":
                alive = self.door.alive()
                return _json({"status": "ok" if alive else "stuck"}, fine=alive)
            case "/readyz":
                found = self.door.ready()
                return _json(found, fine=able(found))
            case _:
                return HTTPStatus.NOT_FOUND, "text/plain", b""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Scrapes are not worth a line each."""


def _json(found: Found, *, fine: bool) -> tuple[HTTPStatus, str, bytes]:
    status = HTTPStatus.OK if fine else HTTPStatus.SERVICE_UNAVAILABLE
    return status, "application/json", json.dumps(dict(found)).encode()
