"""A real stand-in for Jira on a free port, mounted as the mailroom mounts it, and a tracker that talks to it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

import httpx2
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from counterparts.jira.app import Arrangement, jira
from tests.cases import policy
from tests.waiting import PATIENCE, until
from trackers.jira.adapter import Jira
from trackers.jira.settings import JiraSettings
from trackers.port import Draft

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "secret of the webhook"
KEY = "RX-7KQ4-M2PD/inc-1"
DRAFT = Draft(KEY, "RX-7KQ4-M2PD", "RX-7KQ4-M2PD incident 1: fee disputed", "", "operations")


@dataclass
class Site:
    """A running stand-in; `url` is its address, `http` a client of it, signed in."""

    url: str
    http: httpx2.Client

    def issues(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get("/api/issues").raise_for_status().json()
        return found

    def act(self, issue: str, what: str, **body: Any) -> dict[str, Any]:
        done: dict[str, Any] = self.http.post(f"/api/issues/{issue}/{what}", json=body).raise_for_status().json()
        return done

    def fault(self, kind: str, **more: Any) -> None:
        self.http.post("/api/faults", json={"kind": kind, "count": 1, **more}).raise_for_status()

    def behave(self, **manner: Any) -> None:
        self.http.patch("/api/site", json=manner).raise_for_status()


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, "the server is up")
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def open_site(**more: Any) -> Iterator[Site]:
    arranged = Arrangement(secret=SECRET, search_delay=0, retry_seconds=0.02, **more)
    login = httpx2.BasicAuth(arranged.email, arranged.token)
    with (
        serve(Starlette(routes=[Mount("/jira", jira(arranged))])) as root,
        httpx2.Client(base_url=f"{root}/jira", auth=login, timeout=PATIENCE) as http,
    ):
        yield Site(f"{root}/jira", http)


def settings(host: str, **more: Any) -> JiraSettings:
    given = {"host": host, "email": "us@example.org", "token": SecretStr("token"), "secret": SecretStr(SECRET), **more}
    return JiraSettings(**given)


def tracker(host: str, **more: Any) -> Jira:
    return Jira(settings(host, **more), policy().tracker.jira, 1)


class Listener:
    """A web process of ours: takes posts, and answers with the statuses asked for, then with 200."""

    def __init__(self) -> None:
        self.posts: list[tuple[Mapping[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.answer = b"{}"
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.send_header("content-length", str(len(outer.answer)))
                self.end_headers()
                self.wfile.write(outer.answer)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/trackers/jira/events"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
