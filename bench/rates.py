"""The rate of the bare engine and of the whole lifecycle, side by side in rounds on one server.

A lifecycle is: intake in real SQL, the dispatcher's start, the acknowledgement, one update that resolves with a stored
draft, the final letter, and the close (window 0) or the wait for the appeal window's end. As in a real day, all come in
and are acknowledged first and are answered later; 50 clients at a time.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlmodel import col, func, select
from temporalio.client import Client

from bench.load import AGENT, ANSWER, message
from bench.meter import Meter, Reading
from bench.stage import Resident, Site, until
from channels.message import InboundMessage
from engine import connect
from models.case import Case
from models.commands import read
from models.errors import EngineUnavailable, RecordsUnavailable
from models.policy import Policy
from models.policy_reading import load_policy
from models.reference import workflow_id
from models.tables import CaseRow, Notice
from records import documents
from records.database import Database, first
from records.documents import FolderStore
from starter.reception.intake import Intake
from starter.temporal.dispatcher import Dispatcher
from starter.temporal.engine import command_case
from starter.web import THREADS

CLIENTS = 50
EMPTY_QUEUE = "empty"

ACKNOWLEDGED = (
    select(func.count())
    .select_from(Notice)
    .where(col(Notice.kind) == "acknowledgement", col(Notice.accepted_at).is_not(None))
)
ANSWERED = select(func.count()).select_from(CaseRow).where(col(CaseRow.status).in_(("answered", "closed")))

numbers = itertools.count(1)


def now() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Rate:
    """How many were done, and what it took."""

    count: int
    reading: Reading

    @property
    def per_second(self) -> float:
        """Done in a second."""
        return self.count / self.reading.seconds

    def told(self) -> dict[str, Any]:
        """For the results: the rate, processor milliseconds each, and seconds used by strangers."""
        return {
            "per_second": round(self.per_second, 1),
            "cpu_ms": self.reading.per(self.count),
            "foreign_percent": self.reading.foreign_percent,
            "seconds": round(self.reading.seconds, 2),
        }


async def empty(client: Client, count: int, meter: Callable[[], Meter]) -> Rate:
    """Start empty workflows and wait for each."""
    names = [f"empty/{next(numbers)}" for _ in range(count)]

    async def one(name: str) -> None:
        await client.execute_workflow("Empty", id=name, task_queue=EMPTY_QUEUE)

    watch = meter()
    await crowd(one, names)
    return Rate(count, watch.read())


@dataclass
class Desk:
    """The part of the web process that a lifecycle needs, in this process: intake, dispatcher, commands."""

    client: Client
    database: Database
    site: Site
    executor: ThreadPoolExecutor
    policy: Policy
    dispatcher: Dispatcher
    intakes: dict[tuple[int, int], Intake] = field(default_factory=dict)

    async def lives(
        self, count: int, window: int, worker: Resident, meter: Callable[[], Meter]
    ) -> tuple[Rate, list[str]]:
        """Let cases live with an appeal window of so many days; the rate, and the references."""
        answered = await self.in_thread(self._answered)
        watch = meter()
        references = await self.opened(count, window, worker)
        await crowd(self._close if window == 0 else self.resolve, references)
        await until(lambda: self._reached(self._answered, answered + count), worker, 600)
        return Rate(count, watch.read()), references

    async def opened(self, count: int, window: int, worker: Resident, *, undo: int = 0) -> list[str]:
        """Let cases come in and be acknowledged; a final answer can be taken back for `undo` seconds."""
        intake = self._intake(window, undo)
        messages = [message(f"life-{next(numbers)}", now()) for _ in range(count)]
        references: list[str] = []

        async def arrive(number: int) -> None:
            references.append(await self.in_thread(lambda: _received(intake, messages[number])))

        acknowledged = await self.in_thread(self._acknowledged)
        await crowd(arrive, range(count))
        await until(lambda: self._reached(self._acknowledged, acknowledged + count), worker, 600)
        return references

    async def _close(self, reference: str) -> None:
        await self.resolve(reference)
        await self.client.get_workflow_handle(workflow_id(reference)).result()

    async def resolve(self, reference: str) -> None:
        """Give a final answer, as an agent does."""

        def draft() -> dict[str, Any]:
            with self.database.write() as session:
                kept = documents.save_draft(session, reference, "final_upheld", ANSWER, author=AGENT, now=now())
            return kept.model_dump(mode="json")

        order = {
            "outcome": "upheld",
            "draft": await self.in_thread(draft),
            "cause": {"code": "withdrawal.delayed", "taxonomy": "1"},
            "actor": AGENT.model_dump(mode="json"),
        }

        while True:
            # A machine busy with other things may be too slow for one call's patience; asking again is what callers do.
            with suppress(EngineUnavailable):
                await command_case(
                    self.client,
                    self.site.settings.task_queue,
                    reference,
                    "resolve",
                    read("resolve", {**order, "key": reference}),
                    key=reference,
                    now=now(),
                    load=_running,
                )
                return

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        """Run work on the database in a thread, as the web process does."""
        return await asyncio.get_running_loop().run_in_executor(self.executor, work)

    async def _reached(self, count: Callable[[], int], wanted: int) -> bool:
        return bool(await self.in_thread(count) >= wanted)

    def _acknowledged(self) -> int:
        with self.database.read() as session:
            return int(first(session, ACKNOWLEDGED)[0])

    def _answered(self) -> int:
        with self.database.read() as session:
            return int(first(session, ANSWERED)[0])

    def _intake(self, window: int, undo: int) -> Intake:
        if (window, undo) not in self.intakes:
            terms = self.policy.term_settings.model_copy(update={"appeal_window_days": window})
            letters = self.policy.letters.model_copy(update={"undo_seconds": undo})
            policy = self.policy.model_copy(update={"term_settings": terms, "letters": letters})
            files = FolderStore(self.site.settings.documents)
            self.intakes[window, undo] = Intake(
                self.database, policy, files, now, self.dispatcher.wake, reply_secret=b"development"
            )
        return self.intakes[window, undo]


@asynccontextmanager
async def desk(site: Site) -> AsyncIterator[Desk]:
    """A desk whose dispatcher runs."""
    client = await connect(site.settings)
    database = Database(site.settings.records_url)
    with ThreadPoolExecutor(THREADS) as executor:
        dispatcher = Dispatcher(client, database, site.settings.task_queue, now, executor=executor)
        running = asyncio.create_task(dispatcher.run())
        try:
            yield Desk(client, database, site, executor, load_policy(site.settings.policy), dispatcher)
        finally:
            running.cancel()
            await asyncio.wait({running})
            database.close()


def _received(intake: Intake, one: InboundMessage) -> str:
    """The reference it got; turned away while the database is busy, a sender comes again."""
    while True:
        with suppress(RecordsUnavailable):
            return str(intake.receive(one).reference)


async def _running() -> Case:
    raise AssertionError("a life's workflow runs when it is commanded")


async def crowd(work: Callable[[Any], Awaitable[None]], items: Any) -> None:
    """Do something with every item, 50 at a time."""
    turns = asyncio.Semaphore(CLIENTS)

    async def one(item: Any) -> None:
        async with turns:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for item in items:
            group.create_task(one(item))
