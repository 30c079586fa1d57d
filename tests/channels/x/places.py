"""A running X (stand-in) mounted as the house mounts it, an adapter that talks to it, and a web house it calls."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from channels.letter import OutboundLetter
from channels.message import InboundMessage
from channels.port import Limits, Post, Surroundings
from channels.x.adapter import X, build
from counterparts.mailroom.app import HangUps
from counterparts.x.app import Arrangement, x
from models.errors import UnreadableMessage, VerificationError
from settings import Settings
from tests.waiting import PATIENCE, until


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Standin:
    """A running X; `http` is a client of it."""

    port: int
    http: httpx2.Client

    def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = self.http.request(method, path, json=body) if body else self.http.request(method, path)
        answer.raise_for_status()
        return answer.json()

    def join(self, username: str = "ana") -> str:
        return str(self.ask("POST", "/x/api/people", name="Ana", username=username)["id"])

    def says(self, person: str, text: str, **more: str) -> dict[str, str]:
        said: dict[str, str] = self.ask("POST", f"/x/api/people/{person}/messages", text=text, **more)
        return said

    def thread(self, person: str) -> list[str]:
        return [one["text"] for one in self.ask("GET", f"/x/api/people/{person}/messages") if one["author"] == "1"]

    def fault(self, kind: str, **more: Any) -> None:
        self.ask("POST", "/x/api/faults", kind=kind, count=1, **more)

    def set(self, **circumstances: Any) -> None:
        self.ask("PATCH", "/x/api/account", **circumstances)

    def stands(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", "/x/api/account")
        return found

    def settled(self) -> dict[str, Any]:
        until(lambda: self.stands()["waiting"] == 0, "every event is delivered or lost")
        return self.stands()


@contextmanager
def open_standin(arrangement: Arrangement) -> Iterator[Standin]:
    app = HangUps(Starlette(routes=[Mount("/x", x(arrangement))]))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, "the stand-in is up")
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as http:
            yield Standin(port, http)
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def adapter(port: int, var: Path, clock: Callable[[], datetime] = now, size: int = 1_000_000) -> X:
    settings = Settings(environment="development", mailroom_port=port, var=var)
    return build(Surroundings("@help", "Example", Limits(size, 100, 20_000, 4), clock, settings))


@dataclass
class House:
    """What a web process does at the door: shakes hands, verifies, parses, stores once. `status` makes it fail."""

    url: str = ""
    channel: X | None = None
    status: int = 200
    stored: dict[str, InboundMessage] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)

    def known(self, provider_id: str) -> bool:
        return provider_id in self.stored

    def take(self, headers: dict[str, str], body: bytes) -> int:
        if self.status != 200 or self.channel is None:
            return self.status
        post = Post("events", headers, body)
        try:
            self.channel.verify(post, now())
            for one in self.channel.parse(post, now()).messages:
                self.stored.setdefault(one.provider_id, one)
        except VerificationError:
            return 401
        except UnreadableMessage:
            return 200
        return 200

    def shake(self, query: dict[str, str]) -> tuple[int, Any]:
        assert self.channel is not None
        try:
            return self.status, self.channel.shake("events", query)
        except VerificationError:
            return 400, {}


@contextmanager
def open_house() -> Iterator[House]:
    house = House()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status = house.take({name.lower(): value for name, value in self.headers.items()}, body)
            house.answers.append(status)
            self._answer(status, {})

        def do_GET(self) -> None:
            self._answer(*house.shake(dict(parse_qsl(urlsplit(self.path).query))))

        def _answer(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    house.url = f"http://127.0.0.1:{server.server_port}/intake/x/events"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield house
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@dataclass
class Taken:
    """The parts of a letter that X took, as the house keeps them."""

    ids: list[str] = field(default_factory=list)

    @property
    def taken(self) -> tuple[str, ...]:
        return tuple(self.ids)

    def take(self, provider_id: str) -> None:
        self.ids.append(provider_id)


def letter(to: str, text: str = "Recibimos su reclamo.", **more: Any) -> OutboundLetter:
    return OutboundLetter(
        notice="n1", kind="acknowledgement", to=to, subject="Acuse", text=text, message_id="n1@example.org", **more
    )
