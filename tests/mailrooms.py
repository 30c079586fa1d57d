"""A real mailroom on a free port, and a place that catches what it posts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import uvicorn

from counterparts.mailroom.app import Arrangement, mailroom
from tests.waiting import PATIENCE, until


@dataclass
class Mailroom:
    """A running mailroom; `url` is its address, `http` a client of its API."""

    url: str
    http: httpx2.Client

    def letters(self, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get("/api/letters", params=query).json()
        return found

    def fault(self, kind: str, **more: Any) -> None:
        self.http.post("/api/faults", json={"kind": kind, **more}).raise_for_status()


@contextmanager
def open_mailroom(arrangement: Arrangement) -> Iterator[Mailroom]:
    config = uvicorn.Config(
        mailroom(arrangement), port=0, log_level="critical", lifespan="on", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, "the mailroom is up")
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with httpx2.Client(base_url=url, timeout=PATIENCE) as http:
            yield Mailroom(url, http)
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@dataclass
class Catcher:
    """Keeps every post as (headers, body) and answers with the next of `answers`, then with 200."""

    url: str = ""
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    says: bytes = b"{}"


@contextmanager
def open_catcher() -> Iterator[Catcher]:
    catcher = Catcher()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            catcher.paths.append(self.path)
            catcher.posts.append((dict(self.headers.items()), body))
            self.send_response(catcher.answers.pop(0) if catcher.answers else 200)
            self.send_header("Content-Length", str(len(catcher.says)))
            self.end_headers()
            self.wfile.write(catcher.says)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    catcher.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield catcher
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
