"""The streams that visitors hold open: every event of their book once and in order, whoever wrote it.

Letters are written by another process, so one task asks the book twice a second how far each followed session has come;
what this process wrote itself wakes its streams at once. The same task keeps it known that the visitors are there.
"""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import structlog
from sse_starlette import ServerSentEvent

from models.errors import RecordsUnavailable
from models.tables import ChatEvent, ChatSession
from records import chat, chat_sessions
from records.chat_sessions import Head
from records.database import Database
from starter.chat.views import view
from starter.http.problems import Problem

PAUSE = 0.5
"""Seconds between two looks at the book."""

RENEWED_EVERY = timedelta(seconds=20)
LOOKS_AT_LEAST = 60.0
"""Seconds after which a stream reads its book though nobody woke it."""

AT_ONCE = 50
"""Events of one reading."""

SESSIONS_AT_ONCE = 500
MOST_PASSING = 20
RECONNECT = 1000
"""Milliseconds after which an EventSource comes again."""

T = TypeVar("T")
log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Work(Protocol):
    """Runs a task in a thread."""

    def __call__(self, task: Callable[[], T], /) -> Awaitable[T]: ...  # noqa: D102


class _Follower:
    """One open stream; `passing` is what it is told beside the book."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.passing: deque[ServerSentEvent] = deque(maxlen=MOST_PASSING)


class Streams:
    """The open streams of this process, used on its event loop alone; `most` for each session.

    `secret` spells out the codes of links.
    """

    def __init__(
        self, database: Database, work: Work, clock: Callable[[], datetime], secret: bytes, *, most: int
    ) -> None:
        self._database, self._work, self._clock, self._most = database, work, clock, most
        self._secret = secret
        self._open: defaultdict[str, set[_Follower]] = defaultdict(set)
        self._watcher: asyncio.Task[None] | None = None

    def full(self, session: str) -> bool:
        """Whether a session has as many streams as it may have."""
        return len(self._open.get(session, ())) >= self._most

    def wake(self, session: str) -> None:
        """Its book has changed."""
        for follower in self._open.get(session, ()):
            follower.woken.set()

    def tell(self, session: str, name: str, data: dict[str, Any]) -> None:
        """Tell something that passes and stands in no book, such as that somebody is typing."""
        for follower in self._open.get(session, ()):
            follower.passing.append(ServerSentEvent(event=name, data=json.dumps(data)))
            follower.woken.set()

    async def follow(self, row: ChatSession, after: int) -> AsyncIterator[ServerSentEvent]:
        """Everything of a session behind number `after`, then whatever comes, until the session is over."""
        if self.full(row.id):
            return
        with self._following(row.id) as follower:
            yield ServerSentEvent(comment="welcome", retry=RECONNECT)
            # A number beyond the book is none of ours: what comes next would be missed.
            seq, read_seq = min(after, row.last_seq), 0
            while self._clock() < row.expires_at:
                follower.woken.clear()
                head, found = await self._read(row.id, seq)
                for event in found:
                    yield _told(event, self._secret)
                    seq = event.seq
                if head is not None and head.read_seq > read_seq:
                    read_seq = head.read_seq
                    yield ServerSentEvent(event="read", data=json.dumps({"seq": read_seq, "by": "visitor"}))
                while follower.passing:
                    yield follower.passing.popleft()
                if head is None:
                    await asyncio.sleep(PAUSE)
                elif len(found) < AT_ONCE:
                    await _woken(follower)

    async def _read(self, session: str, after: int) -> tuple[Head | None, list[ChatEvent]]:
        """How far the book has come, and what is new; None and nothing while the database is away."""

        def read() -> tuple[Head | None, list[ChatEvent]]:
            with self._database.read() as reading:
                found = chat.events(reading, session, after, AT_ONCE)
                return next(iter(chat_sessions.heads(reading, [session])), None), found

        try:
            return await self._work(read)
        except (RecordsUnavailable, Problem):
            return None, []

    @contextmanager
    def _following(self, session: str) -> Iterator[_Follower]:
        follower = _Follower()
        self._open[session].add(follower)
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch())
        try:
            yield follower
        finally:
            self._open[session].discard(follower)
            if not self._open[session]:
                del self._open[session]
            if not self._open and self._watcher is not None:
                self._watcher.cancel()
                self._watcher = None

    async def _watch(self) -> None:
        known: dict[str, Head] = {}
        renewed = self._clock()
        while True:
            now, sessions = self._clock(), list(self._open)
            renew = now - renewed >= RENEWED_EVERY
            try:
                heads = [head for part in _parts(sessions) for head in await self._look(part, now, renew=renew)]
            except (RecordsUnavailable, Problem):
                log.warning("chat.book-away", streams=len(sessions))
                known = {}
            else:
                renewed = now if renew else renewed
                for head in heads:
                    if known.get(head.session) != head:
                        self.wake(head.session)
                known = {head.session: head for head in heads}
            await asyncio.sleep(PAUSE)

    async def _look(self, sessions: list[str], now: datetime, *, renew: bool) -> list[Head]:
        def look() -> list[Head]:
            if renew:
                with self._database.write() as writing:
                    chat_sessions.present(writing, sessions, now)
            with self._database.read() as reading:
                return chat_sessions.heads(reading, sessions)

        return await self._work(look)


async def _woken(follower: _Follower) -> None:
    try:
        async with asyncio.timeout(LOOKS_AT_LEAST):
            await follower.woken.wait()
    except TimeoutError:
        pass


def _told(event: ChatEvent, secret: bytes) -> ServerSentEvent:
    shown = view(event, secret)
    # In ASCII: some clients take every line separator of Unicode for the end of a line.
    data = json.dumps(shown.model_dump(mode="json", exclude_none=True))
    return ServerSentEvent(id=str(event.seq), event=shown.event, data=data)


def _parts(sessions: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(sessions), SESSIONS_AT_ONCE):
        yield sessions[first : first + SESSIONS_AT_ONCE]
