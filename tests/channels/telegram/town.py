"""A real stand-in for Telegram on a free port, and the adapter that talks to it."""

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp

from channels.letter import OutboundLetter
from channels.telegram.adapter import Telegram
from channels.telegram.settings import TelegramSettings
from counterparts.telegram.app import Arrangement, telegram
from tests.waiting import PATIENCE, until

TOKEN = "4242:AAtoken-of-the-tests"
SECRET = "s" * 40
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Town:
    """A running stand-in; `url` is its address, `http` a client of its control API."""

    url: str
    http: httpx2.Client

    def person(self, **about: Any) -> int:
        made = self.http.post("/api/people", json={"first_name": "Ana", **about}).raise_for_status()
        person: int = made.json()["id"]
        return person

    def group(self, title: str = "Comunidad") -> int:
        group: int = self.http.post("/api/groups", json={"title": title}).raise_for_status().json()["id"]
        return group

    def write(self, person: int, text: str = "", **more: Any) -> list[dict[str, Any]]:
        answer = self.http.post(f"/api/people/{person}/messages", json={"text": text, **more}).raise_for_status()
        written: list[dict[str, Any]] = answer.json()
        return written

    def edit(self, person: int, message_id: int, text: str) -> None:
        self.http.post(f"/api/people/{person}/edits", json={"message_id": message_id, "text": text}).raise_for_status()

    def block(self, person: int) -> None:
        self.http.post(f"/api/people/{person}/block").raise_for_status()

    def unblock(self, person: int) -> None:
        self.http.post(f"/api/people/{person}/unblock").raise_for_status()

    def said(self, chat: int) -> list[dict[str, Any]]:
        """What the bot wrote in a chat."""
        messages: list[dict[str, Any]] = self.http.get(f"/api/chats/{chat}/messages").raise_for_status().json()
        return [one for one in messages if one["from"]["is_bot"]]

    def fault(self, kind: str, **more: Any) -> None:
        self.http.post("/api/faults", json={"kind": kind, **more}).raise_for_status()

    def call(self, method: str, **arguments: Any) -> httpx2.Response:
        return self.http.post(f"/bot{TOKEN}/{method}", json=arguments)


@dataclass
class Taken:
    """The parts of a letter that were taken, as a record of them."""

    taken: tuple[str, ...] = ()
    least: int = field(default=10**9)
    """The process dies when so many are taken."""

    def take(self, provider_id: str) -> None:
        self.taken = (*self.taken, provider_id)
        if len(self.taken) == self.least:
            raise KeyboardInterrupt


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    config = uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, "the server is up")
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def open_town() -> Iterator[Town]:
    with (
        serve(telegram(Arrangement(token=TOKEN, retry_seconds=0.02, first=1000))) as url,
        httpx2.Client(base_url=url, timeout=PATIENCE) as http,
    ):
        yield Town(url, http)


def settings(**more: Any) -> TelegramSettings:
    given = {"token": SecretStr(TOKEN), "bot": "plazo_test_bot", "secret": SecretStr(SECRET), **more}
    return TelegramSettings(**given)


def adapter(host: str, **more: Any) -> Telegram:
    return Telegram(settings(**more), host, "Plazo", lambda: NOW)


def letter(to: int | str, text: str = "Recibimos su reclamo.", **more: Any) -> OutboundLetter:
    whole: dict[str, Any] = {
        "notice": "RX-7KQ4-M2PD/acknowledgement/1",
        "kind": "acknowledgement",
        "to": str(to),
        "subject": "Acuse de recibo",
        "text": text,
        "message_id": "RX-7KQ4-M2PD.acknowledgement.1@example.org",
        **more,
    }
    return OutboundLetter(**whole)


def file(name: str, content: bytes = b"...", content_type: str = "application/pdf", **more: Any) -> dict[str, Any]:
    return {"name": name, "content_type": content_type, "content": base64.b64encode(content).decode(), **more}


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """A server that answers one request after the other with these bytes, the last again and again, and hangs up."""
    left = list(answers)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            self.rfile.read(length)
            self.wfile.write(left.pop(0) if len(left) > 1 else left[0])

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(5)


def http(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
