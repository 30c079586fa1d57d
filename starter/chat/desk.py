"""What the routes of the chat share: the records, intake, the threads that do the work, and the limits."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple, TypeVar
from weakref import WeakValueDictionary

from fastapi import Request
from pydantic import BaseModel, ValidationError

from channels.chat.identity import Verifier
from channels.chat.settings import ChatSettings
from models.policy import Policy
from models.tables import ChatSession
from records import chat_sessions
from records.database import Database
from starter.chat.streams import Streams
from starter.http.body import Bodies, read_body, too_large
from starter.http.limits import Rate
from starter.http.problems import Problem, malformed
from starter.http.threads import Threads
from starter.reception.intake import Intake

SMALL_BODY = 16 * 1024
LONGEST_TOKEN = 128
LIGHT_PER_MINUTE = 240
"""Calls of one session that carry no message."""
RETURNS_PER_DAY = 20
"""Sessions of one account in a day that its open cases are told of: each makes their histories longer."""

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="chat"'}

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class LeftAddress(NamedTuple):
    """An e-mail address that a visitor gave after their messages. Personal data."""

    session: str
    email: str
    name: str


@dataclass
class ChatDesk:
    """One process's tools for the chat. `threads` run what blocks, `clock` gives aware UTC.

    `address_left` tells the visitor's case of an address given after their messages; without it the next message does.
    """

    database: Database
    intake: Intake
    policy: Policy
    settings: ChatSettings
    clock: Callable[[], datetime]
    threads: Threads
    secret: bytes
    """That of reply addresses, which spells out the codes of links."""
    address_left: Callable[[LeftAddress], None] | None = None
    heartbeat: float = 15
    """Seconds between two signs of life on a quiet stream."""

    def __post_init__(self) -> None:
        """Set up the limits and the streams."""
        self.verifier = Verifier(self.settings)
        self.streams = Streams(
            self.database, self.threads.work, self.clock, self.secret, most=self.settings.streams_per_session
        )
        self.bodies = Bodies()
        self.openings = Rate(self.settings.sessions_per_minute)
        self.messages = Rate(self.settings.messages_per_minute)
        self.light = Rate(LIGHT_PER_MINUTE)
        self.returns = Rate(RETURNS_PER_DAY, timedelta(days=1))
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn(self, session: str) -> asyncio.Lock:
        """The turn of a session: its messages are taken one after the other, in the order they came."""
        return self._turns.setdefault(session, asyncio.Lock())

    async def enter(self, request: Request) -> ChatSession:
        """The session behind the bearer token. Raises a 401 problem."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "session.missing",
                "send the session's token: Authorization: Bearer <token>; POST /chat/v1/sessions gives one",
                headers=CHALLENGE,
            )
        row = await self.threads.work(lambda: self._by_token(token.strip()[:LONGEST_TOKEN]))
        if row is None:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "session.unknown",
                "the session is unknown or over; open another one",
                headers=CHALLENGE,
            )
        return row

    async def read(self, request: Request, model: type[M], limit: int = SMALL_BODY) -> M:
        """Read a body. Raises Malformed, and Problem (413) beyond the limit in bytes."""
        body, whole = await read_body(request, limit)
        if not whole:
            raise too_large(limit)
        return await self.threads.work(lambda: _read(model, body))

    def welcome(self, rate: Rate, key: str) -> None:
        """Count a call. Raises Problem (429) when there were too many."""
        if seconds := rate.wait(key, self.clock()):
            raise too_many("that was a lot in a short time; wait a little, then go on", seconds)

    def _by_token(self, token: str) -> ChatSession | None:
        with self.database.read() as session:
            return chat_sessions.by_token(session, token, self.clock())


def too_many(words: str, seconds: int) -> Problem:
    """The refusal of one too many, with the seconds after which to come again."""
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, "chat.too-many", words, headers={"Retry-After": str(seconds)})


def _read(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise malformed("chat.malformed", error) from None
