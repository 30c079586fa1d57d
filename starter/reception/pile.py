"""The pile: posts that were kept as they came are read in their turn, by one process at a time, and dated as they came.

Reading holds back while answers are slow: what comes in goes first. A post that is read again, after a process was
killed in between, is one that its provider sent again: it changes nothing. One that cannot be taken in is reported as
an error and tried again slowly; the others do not wait for it.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from traceback import extract_tb

import structlog

from channels.port import Post
from models.errors import Malformed, RecordsUnavailable
from models.inquiry import Channel
from models.tables import StoredPost
from records import posts
from records.database import Database
from starter.http.threads import Threads
from starter.reception.intake import Brought, Intake
from starter.reception.reading import Entrance, greet, read
from tracing import occasion

TURN = 1.0
"""Seconds until it is looked again whether anything waits."""

CLAIMED_AT_ONCE = 16
LEASE = timedelta(seconds=30)
"""How long nobody else reads after a process was killed that did; what is not begun in half of it is claimed anew."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=15)
"""Until a post that could not be taken in is tried again; the pause doubles."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Pile:
    """What waits to be read, on one event loop. `clock` gives aware UTC."""

    def __init__(
        self,
        database: Database,
        intake: Intake,
        entrances: Mapping[Channel, Entrance],
        clock: Callable[[], datetime],
        threads: Threads,
    ) -> None:
        self._database, self._entrances, self._clock = database, entrances, clock
        self.intake, self.threads = intake, threads
        self.behind: set[str] = set()
        """Channels of which something waited when this process last looked; the records know better."""
        self._read: list[int] = []
        self._refused: list[posts.Refused] = []

    def waits(self, channel: str) -> bool:
        """Say whether anything of a channel waits."""
        with self._database.read() as session:
            return posts.waits(session, channel)

    def add(self, rows: list[StoredPost]) -> None:
        """Keep posts, all or none of them."""
        if rows:
            with self._database.write() as session:
                posts.add_all(session, rows)
            self.behind |= {row.channel for row in rows}

    def greet(self, adapter: Entrance, brought: Brought) -> None:
        """Have people greeted to whom a courtesy is owed; nobody waits for it."""
        for greeting in brought.greetings:
            if not self.threads.forget(partial(greet, adapter, greeting)):
                log.warning("intake.not-greeted", channel=adapter.name, why="too many are greeted at once")

    async def run(self) -> None:
        """Read until cancelled; what is not read then is free for the next process."""
        rows: list[StoredPost] = []
        try:
            while True:
                try:
                    if not self._holds(rows):
                        rows = await self.threads.behind(partial(self._claim, rows))
                    found = bool(rows)
                    while self._holds(rows):
                        await self._one(rows[0])
                        del rows[0]
                    if found:
                        continue
                except RecordsUnavailable:
                    log.warning("posts.records-away")
                except Exception:
                    # Nothing may end this loop but the end of the process.
                    log.exception("posts.turn-failed")
                await asyncio.sleep(TURN)
        finally:
            with suppress(RecordsUnavailable):
                await self.threads.behind(partial(self._settle, rows))

    async def _one(self, row: StoredPost) -> None:
        begun = asyncio.get_running_loop().time()
        await self.threads.behind(partial(self._take_in, row))
        await asyncio.sleep(self.threads.hold_back(asyncio.get_running_loop().time() - begun))

    def _take_in(self, row: StoredPost) -> None:
        """Read one post and note what became of it."""
        try:
            adapter = self._entrances[row.channel]
            post = Post(row.door, {posts.CONTENT_TYPE: row.content_type}, row.body, row.whole)
            with occasion(f"read {row.channel}", "CONSUMER"):
                brought = self._bring(adapter, post, row.stored_at)
        except RecordsUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one post must not stop the others
            why, tries = _reason(error), row.attempts + 1
            log.error("posts.refused", channel=row.channel, post=row.number, attempts=tries, error=why)  # noqa: TRY400
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(row.attempts, 10))
            self._refused.append(posts.Refused(row.number, why, self._clock() + pause))
            return
        self._read.append(row.number)
        self.greet(adapter, brought)

    def _bring(self, adapter: Entrance, post: Post, at: datetime) -> Brought:
        try:
            return read(self.intake, adapter, post, at)
        except Malformed:
            # Its sender has had an answer and cannot be told that the key was used before: a person looks at it.
            return Brought([self.intake.receive_unreadable(post.body, adapter.name, at)], 0, ())

    def _holds(self, rows: list[StoredPost]) -> bool:
        """Whether the first of these posts is ours for long enough to read it."""
        return bool(rows) and self._clock() < (rows[0].claimed_until or self._clock()) - LEASE / 2

    def _claim(self, left: list[StoredPost]) -> list[StoredPost]:
        """Settle what was done, let go of what is left, and claim what is to be read next."""
        self._settle(left)
        now = self._clock()
        with self._database.read() as session:
            self.behind = posts.channels(session)
            if not posts.due(session, now):
                return []
        with self._database.write() as session:
            return posts.claim(session, now, lease=LEASE, limit=CLAIMED_AT_ONCE)

    def _settle(self, left: list[StoredPost]) -> None:
        if self._read or self._refused or left:
            with self._database.write() as session:
                posts.settle(session, self._read, self._refused, [row.number for row in left])
            self._read, self._refused = [], []


def _reason(error: Exception) -> str:
    """What may be written down: the error's type and where it was raised, since its text may hold personal data."""
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {place.name}, {Path(place.filename).name}:{place.lineno}"
