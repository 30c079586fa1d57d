"""One feed's rounds: hold it, look, store what came, move the cursor; and say loudly when nothing comes in any more.

A feed that fails is an intake outage: it is logged as an error when it begins and again every quarter of an hour, shown
by `plazo inbox`, and ends with a line of its own. What a look brought is stored before the cursor moves, so a process
that dies in between brings it again, and intake knows it.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from channels.port import Adapter, Feed
from models.errors import ChannelError, OperatorError, RecordsUnavailable
from records import feeds
from records.database import Database
from starter.reception.intake import Intake
from starter.reception.reading import greet
from tracing import occasion

LEASE = timedelta(seconds=120)
"""How long a feed stays with a process that says nothing more, besides the feed's own pause: longer than a look, and
storing what it brought."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between tries while the provider or the records are away."""

OPERATOR_PAUSE = 60.0
"""Seconds between tries while our own account is at fault."""

ALARM_AGAIN = timedelta(minutes=15)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class House:
    """What every feed needs. `clock` gives aware UTC; `holder` names this process; `stop` ends all rounds."""

    database: Database
    intake: Intake
    clock: Callable[[], datetime]
    holder: str
    stop: threading.Event


class Collecting:
    """The rounds of one feed, in a thread of its own."""

    def __init__(self, house: House, adapter: Adapter, feed: Feed) -> None:
        self._house, self._adapter, self._feed = house, adapter, feed
        self._failures = 0
        self._alarmed_at: datetime | None = None

    def run(self) -> None:
        """Go round until told to stop; nothing that goes wrong ends it before."""
        while not self._house.stop.is_set():
            try:
                pause = self.round()
            except RecordsUnavailable as error:
                pause = self._failed("the records database is away", error)
            except Exception as error:
                log.exception("feed.broken", feed=self._feed.name)
                self._note(type(error).__name__)
                pause = LONGEST_PAUSE
            self._house.stop.wait(pause)
        self._let_go()

    def round(self) -> float:
        """Look once; return the seconds until the next look. Raises RecordsUnavailable."""
        house, name = self._house, self._feed.name
        now, lease = house.clock(), LEASE + timedelta(seconds=self._feed.pause)
        with house.database.write() as session:
            cursor = feeds.hold(session, name, self._adapter.name, house.holder, now=now, lease=lease)
        if cursor is None:
            return LEASE.total_seconds() / 4
        try:
            batch = self._feed.look(cursor, self._known, house.clock())
        except ChannelError as error:
            now = house.clock()
            with house.database.write() as session:
                feeds.failed(session, name, error.detail, now)
            pause = self._failed(error.detail, error)
            return max(pause, error.retry_after or 0)
        with occasion(f"look {name}", "CONSUMER"):
            brought = house.intake.take(self._adapter.name, batch.arrivals)
        found = sum(not receipt.duplicate for receipt in brought.receipts) if batch.late else 0
        now = house.clock()
        with house.database.write() as session:
            recovered = feeds.looked(session, name, batch.cursor, now, holder=house.holder, late=found)
        if found:
            log.warning("feed.found-late", feed=name, messages=found)
        if recovered:
            log.info("feed.back", feed=name)
        self._failures, self._alarmed_at = 0, None
        for greeting in brought.greetings:
            greet(self._adapter, greeting)
        return 0.0 if batch.more else self._feed.pause

    def _known(self, provider_id: str) -> bool:
        return self._house.intake.has(self._adapter.name, provider_id)

    def _failed(self, why: str, error: Exception) -> float:
        """Raise the alarm, at once and from time to time; return the seconds until the next try."""
        self._failures += 1
        now = self._house.clock()
        if self._alarmed_at is None or now - self._alarmed_at >= ALARM_AGAIN:
            self._alarmed_at = now
            log.error("feed.outage", feed=self._feed.name, channel=self._adapter.name, why=why)
        if isinstance(error, OperatorError):
            return OPERATOR_PAUSE
        return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures - 1, 10)))

    def _note(self, why: str) -> None:
        """Let the inbox show that the feed fails, though nobody foresaw how."""
        now = self._house.clock()
        with suppress(RecordsUnavailable, KeyError), self._house.database.write() as session:
            feeds.failed(session, self._feed.name, why, now)

    def _let_go(self) -> None:
        try:
            with self._house.database.write() as session:
                feeds.release(session, self._feed.name, self._house.holder)
        except (RecordsUnavailable, KeyError):
            log.warning("feed.not-released", feed=self._feed.name, why="it is free when its lease ends")
