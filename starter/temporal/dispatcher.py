"""The dispatcher: hands what intake stored to Temporal, in stored order for each inquiry, and loses nothing.

One loop, woken by intake and every second. A row is claimed for a while, handed over, and marked as done in the
transaction of the loop's next turn; after a process was killed in between it is handed over again, which changes
nothing there. While those who write wait too long for their answers, one row at a time is handed over, with pauses:
what comes in goes first. While Temporal is away the rows wait and one alone finds out whether it is back; then one more
flies with each that arrives, so that what has piled up does not press a server down that has just come up. A row that
Temporal refuses is reported as an error and tried again slowly; what follows it in the same inquiry waits behind it.
"""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from models.case import Case
from models.errors import EngineUnavailable, RecordsUnavailable
from models.tables import Dispatch
from records import cases, dispatches
from records.database import Database
from starter.temporal.engine import PATIENCE, Signal, resume_case, signal_case, start_case
from tracing import step

TURN = 1.0
"""Seconds between turns when nobody wakes the loop: rows that were to wait become due."""

LEASE_SECONDS = 2 * PATIENCE + 10
"""How long a claimed row is left to this process: longer than the two calls that one row may need."""

GATHER = 0.02
"""Seconds that a row handed over waits for others to be marked with it."""

LAST_WORDS = 5.0
"""Seconds that calls under way get when the process ends."""

T = TypeVar("T")

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Pace:
    """Rows under way at once, and the first and longest pauses in seconds: Temporal away, a row refused."""

    at_once: int = 32
    away: tuple[float, float] = (0.5, 15.0)
    refused: tuple[float, float] = (30.0, 900.0)


class Outcome(NamedTuple):
    """What became of a row: handed over, or to be tried again at `not_before` (aware UTC).

    `refused` by a server that answers, or else nobody did.
    """

    row: Dispatch
    error: str = ""
    not_before: datetime | None = None
    refused: bool = False


class Dispatcher:
    """Hands over what waits. `clock` gives aware UTC; `executor` runs the work on the database.

    `hold_back` gives the seconds to pause after a hand-over that took so many, 0 where nobody waits for an answer.
    """

    def __init__(
        self,
        client: Client,
        database: Database,
        task_queue: str,
        clock: Callable[[], datetime],
        *,
        executor: Executor,
        pace: Pace | None = None,
        hold_back: Callable[[float], float] = lambda _: 0.0,
    ) -> None:
        self._client, self._database, self._task_queue = client, database, task_queue
        self._clock, self._executor, self._pace = clock, executor, pace or Pace()
        self._hold_back, self._took, self._let_fly_at = hold_back, TURN, clock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._flying: set[asyncio.Task[None]] = set()
        self._landed: list[Outcome] = []
        self._failures = 0
        self._room = 1
        self._away_until: datetime | None = None

    def wake(self) -> None:
        """Say, from any thread, that there is something to hand over."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended; the row waits for the next start
                self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self) -> None:
        """Hand over until cancelled; what is under way then is given a moment, and marked."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                self._woken.clear()
                try:
                    await self._turn()
                except Exception:
                    # Nothing may end this loop but the end of the process.
                    log.exception("dispatch.turn-failed")
                # Not wait_for: before Python 3.12 it may swallow the cancellation that ends this loop.
                with suppress(TimeoutError):
                    async with asyncio.timeout(TURN):
                        await self._woken.wait()
        finally:
            await self._land()

    async def _turn(self) -> None:
        """Mark what has landed, and claim and let fly as many rows as may be under way."""
        landed, self._landed = self._landed, []
        now = self._clock()
        free = self._free(now)
        if free <= 0 and not landed:
            return
        try:
            rows = await self._in_thread(lambda: self._settle_and_claim(landed, free, now))
        except BaseException as error:
            self._landed = landed + self._landed
            if isinstance(error, RecordsUnavailable):
                return
            raise
        for row in rows:
            task = asyncio.create_task(self._fly(row))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)

    def _free(self, now: datetime) -> int:
        if self._away_until is not None:
            return 1 if not self._flying and now >= self._away_until else 0
        if pause := self._hold_back(self._took):
            self._room = 1
            if self._flying or now - self._let_fly_at < timedelta(seconds=self._took + pause):
                return 0
        self._let_fly_at = now
        return self._room - len(self._flying)

    def _settle_and_claim(self, landed: list[Outcome], free: int, now: datetime) -> list[Dispatch]:
        with self._database.write() as session:
            for row, error, not_before, refused in landed:
                try:
                    if not_before is None:
                        dispatches.done(session, row.number, now)
                    else:
                        dispatches.retry(session, row.number, error, not_before, refused=refused)
                except KeyError:
                    # The database was put back to an earlier state: its own rows are what counts now.
                    log.error("dispatch.gone", reference=row.reference, name=row.name, row=row.number)  # noqa: TRY400
            if free <= 0:
                return []
            return dispatches.claim(session, now, lease_seconds=LEASE_SECONDS, limit=free)

    async def _fly(self, row: Dispatch) -> None:
        """Hand one row over and note what became of it. Never raises, but for cancellation."""
        begun = asyncio.get_running_loop().time()
        try:
            with step(f"hand over {row.name}", row.reference, "PRODUCER"):
                await self._hand_over(row)
        except EngineUnavailable as error:
            outcome = Outcome(row, str(error), self._note_away())
        except RecordsUnavailable:
            outcome = Outcome(row, "the records database does not answer", self._clock() + timedelta(seconds=TURN))
        except Exception as error:  # noqa: BLE001  whatever is wrong with one row must not stop the others
            outcome = Outcome(row, _reason(error), self._note_refused(row, error), refused=True)
        else:
            outcome = Outcome(row)
            self._failures, self._away_until = 0, None
            self._room = min(self._room + 1, self._pace.at_once)
        self._landed.append(outcome)
        self._took = asyncio.get_running_loop().time() - begun
        # Nobody waits for the mark but the next row of the same inquiry: several are marked in one transaction.
        asyncio.get_running_loop().call_later(GATHER, self._woken.set)

    async def _hand_over(self, row: Dispatch) -> None:
        async def load() -> Case:
            return await self._in_thread(lambda: self._load(row.reference))

        if row.name == dispatches.START:
            await start_case(self._client, self._task_queue, await load())
        elif row.name == dispatches.RESUME:
            await resume_case(self._client, self._task_queue, await load())
        else:
            signal = Signal(row.name, row.payload)
            await signal_case(self._client, self._task_queue, row.reference, signal, load)

    def _load(self, reference: str) -> Case:
        with self._database.read() as session:
            return cases.load(session, reference)

    def _note_away(self) -> datetime:
        """Temporal is away: nothing more flies before the time returned. Many rows that fail at once count as one."""
        now = self._clock()
        if self._away_until is None or now >= self._away_until:
            self._failures += 1
            self._room = 1
            self._away_until = now + _pause(self._pace.away, self._failures)
            log.warning("dispatch.away", tries=self._failures)
        return self._away_until

    def _note_refused(self, row: Dispatch, error: Exception) -> datetime:
        log.error(
            "dispatch.refused",
            reference=row.reference,
            name=row.name,
            row=row.number,
            refusals=row.refusals + 1,
            error=_reason(error),
        )
        return self._clock() + _pause(self._pace.refused, row.refusals + 1)

    async def _land(self) -> None:
        """Wait a moment for what is under way and mark what has landed; the lease gives back the rest."""
        if self._flying:
            await asyncio.wait(self._flying, timeout=LAST_WORDS)
        for task in self._flying:
            task.cancel()
        landed, self._landed = self._landed, []
        if landed:
            with suppress(RecordsUnavailable):
                await self._in_thread(lambda: self._settle_and_claim(landed, 0, self._clock()))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _pause(bounds: tuple[float, float], attempt: int) -> timedelta:
    """Return the pause after the nth failure: doubling between the bounds (seconds), with up to a quarter of jitter."""
    first, longest = bounds
    whole = min(longest, first * 2 ** min(max(attempt - 1, 0), 20))
    return timedelta(seconds=whole * random.uniform(0.75, 1.0))  # noqa: S311  nothing secret hangs on it


def _reason(error: Exception) -> str:
    """What may be written down: the server's own words, else the type alone, since texts may hold personal data."""
    if isinstance(error, RPCError):
        return f"{error.status.name}: {error.message}"[:300]
    return type(error).__name__
