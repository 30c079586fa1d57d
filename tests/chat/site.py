"""The chat as it really runs: over HTTP, on a real database, with the house's own intake."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import uvicorn
from fastapi import FastAPI

from channels.chat.settings import ChatSettings
from channels.letter import OutboundLetter
from models.inquiry import CHAT
from models.tables import ChatEvent, ChatSession, StoredMessage
from records import chat, chat_sessions, messages
from records.chat import Transcript
from records.database import Database
from records.documents import FolderStore
from starter.chat.desk import ChatDesk
from starter.chat.page import page_router
from starter.chat.routes import chat_router
from starter.http.problems import install_problems
from starter.http.threads import Threads
from starter.reception.intake import Intake
from tests.cases import policy
from tests.waiting import PATIENCE

REPLY_SECRET = b"reply secret"
SECRET = "a secret shared with the platform, long enough"


class Told(NamedTuple):
    """One event of a stream."""

    id: str
    event: str
    data: dict[str, Any]


class Site:
    """One web process with the chat alone; `later` moves its clock."""

    def __init__(self, database: Database, documents: Path, **settings: Any) -> None:
        self.database, self.later = database, timedelta()
        self.executor = ThreadPoolExecutor(4)
        intake = Intake(database, policy(), FolderStore(documents), self.now, lambda: None, reply_secret=REPLY_SECRET)
        self.desk = ChatDesk(
            database,
            intake,
            policy(),
            ChatSettings(**settings),
            self.now,
            Threads(self.executor),
            REPLY_SECRET,
            heartbeat=0.2,
        )
        self.transcript = Transcript(database)
        self.app = FastAPI()
        install_problems(self.app)
        self.app.include_router(chat_router(self.desk))
        self.app.include_router(page_router(policy()))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    @contextmanager
    def serving(self) -> Iterator["Site"]:
        """Answer on a free port until the block ends."""
        server = uvicorn.Server(
            uvicorn.Config(self.app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            end = time.monotonic() + PATIENCE
            while not server.started:
                assert time.monotonic() < end, "the server did not start"
                time.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            self.url = f"http://127.0.0.1:{port}"
            with httpx2.Client(base_url=self.url, timeout=PATIENCE) as self.http:
                yield self
        finally:
            server.should_exit = True
            thread.join()
            self.executor.shutdown()

    def open(self, **said: Any) -> "Visit":
        answer = self.http.post("/chat/v1/sessions", json=said)
        assert answer.status_code == 201, answer.text
        return Visit(self, **answer.json())

    def row(self, session: str) -> ChatSession:
        with self.database.read() as reading:
            return chat_sessions.get(reading, session)

    def book(self, session: str) -> list[ChatEvent]:
        with self.database.read() as reading:
            return chat.events(reading, session, 0, 1000)

    def stored(self, session: str, message: str) -> StoredMessage | None:
        with self.database.read() as reading:
            return messages.find(reading, CHAT, f"{session}/{message}")


class Visit:
    """A visitor's session."""

    def __init__(self, site: Site, session: str, token: str, expires_at: str, *, bound: bool) -> None:
        self.site, self.session, self.token, self.bound = site, session, token, bound
        self.expires_at = datetime.fromisoformat(expires_at)
        self.headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        return self.site.http.request(method, f"/chat/v1{path}", json=body, headers=self.headers, **more)

    def say(self, text: str, key: str | None = None, **more: Any) -> httpx2.Response:
        body = {"client_msg_id": key or str(uuid.uuid4()), "text": text, **more}
        return self.call("POST", "/messages", body)

    def taken(self, text: str, key: str | None = None, **more: Any) -> dict[str, Any]:
        answer = self.say(text, key, **more)
        assert answer.status_code == 202, answer.text
        taken: dict[str, Any] = answer.json()
        return taken

    def write(self, notice: str = "RX-7KQ4-M2PD/reply/1", **changes: Any) -> str:
        """Put a letter before the visitor, as the worker does."""
        return self.site.transcript.write(self.session, letter(self.session, notice, **changes), self.site.now())

    @contextmanager
    def stream(self, path: str = "/events", **headers: str) -> Iterator[Iterator[Told]]:
        sent = {**(headers if "ticket" in path else self.headers), **headers}
        url, patience = f"{self.site.url}/chat/v1{path}", httpx2.Timeout(10)
        with httpx2.Client() as http, http.stream("GET", url, headers=sent, timeout=patience) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield told(answer.iter_lines())


def told(lines: Iterator[str]) -> Iterator[Told]:
    """The events of a stream; signs of life come as comments."""
    fields: dict[str, str] = {}
    for text in lines:
        name, _, value = text.partition(":")
        if text and name in {"id", "event", "data"}:
            fields[name] = value.strip()
        elif text.startswith(":"):
            yield Told("", "comment", {})
        elif not text and "event" in fields:
            yield Told(fields.get("id", ""), fields["event"], json.loads(fields["data"]))
            fields = {}


def letter(to: str, notice: str = "RX-7KQ4-M2PD/reply/1", **changes: Any) -> OutboundLetter:
    plain: dict[str, Any] = {
        "notice": notice,
        "kind": "reply",
        "to": to,
        "subject": "Su retiro",
        "text": "Su retiro llegó.",
        "message_id": f"{notice.replace('/', '.')}@example.org",
    }
    return OutboundLetter(**{**plain, **changes})
