"""The worker: the composition root where settings become ports, and ports become the activities of the workflow."""

import asyncio
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import Runtime
from temporalio.worker import PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum, Worker, WorkerDeploymentConfig

import health
from activities.alerts import Alerts
from activities.composing import Stationery
from activities.digest import Digests
from activities.erasing import Erasures
from activities.events import Events
from activities.letters.survey import sentence, waiting
from activities.mailing import Mailing
from activities.notices import Notices
from activities.tracker import Incidents
from channels.registry import load_channels
from engine import connect, register_search_attributes
from listener import Door, listening
from logs import configure_logs
from metrics import exposition
from models.errors import EngineUnavailable, PlazoError
from models.policy_reading import load_policy
from pulse import Pulse, Sdk
from records.chat import Transcript
from records.database import Database
from records.documents import FolderStore
from schedules import keep_schedules
from settings import Settings, load_settings
from tracing import configure_traces, end_traces
from trackers.registry import load_trackers
from workflows.digest import DigestWorkflow
from workflows.inquiry import InquiryWorkflow

if sys.platform == "win32":
    loop = asyncio
else:
    import uvloop as loop

THREADS = 32
"""Activities at once: each holds a thread, and for a moment the one writer of the records database.

A letter that falls due in a workflow's step is begun with it, without a way round by the server, as long as a thread is
free; every poller keeps one to itself.
"""

DRAIN = timedelta(seconds=25)
"""How long a letter under way may take to finish when the worker is asked to stop: a deploy sends nothing twice."""

STICKY = timedelta(seconds=2)
"""How long a task waits for a worker that died before another takes it."""

POLLERS, ACTIVITY_POLLERS = PollerBehaviorAutoscaling(), PollerBehaviorSimpleMaximum(4)


def now() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


def stationery(settings: Settings) -> Stationery:
    """What letters are written with: in production what compliance has approved. Raises PolicyError."""
    return Stationery.of(settings, load_policy(settings.policy))


def tell_of_waiting(settings: Settings) -> None:
    """Warn of each template that compliance has not approved as it stands."""
    for line in waiting(settings.policy):
        structlog.get_logger(__name__).warning("letter.not-approved", why=sentence(line))


def make_worker(
    client: Client, settings: Settings, paper: Stationery, database: Database, executor: ThreadPoolExecutor
) -> Worker:
    """Put the worker together; nothing else knows all its parts."""
    channels = load_channels(paper.policy, settings, now, Transcript(database))
    notices = Notices(database, paper, channels, now, timedelta(seconds=settings.slow_retry))
    trackers = load_trackers(paper.policy, settings, now)
    told = Incidents(database, trackers, paper.policy.tracker, now, timedelta(seconds=settings.slow_retry))
    mailing = Mailing(database, channels, now, timedelta(seconds=settings.slow_retry))
    alerts = Alerts(database, paper, mailing, now)
    digests = Digests(database, paper, mailing, now)
    erasures = Erasures(database, FolderStore(settings.documents), now)
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=[InquiryWorkflow, DigestWorkflow],
        activities=[
            *(notices.deliver, notices.insist, Events(database, now).record, told.track),
            *(alerts.alert, digests.send, erasures.erase),
        ],
        activity_executor=executor,
        max_concurrent_activities=THREADS,
        workflow_task_poller_behavior=POLLERS,
        activity_task_poller_behavior=ACTIVITY_POLLERS,
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=DRAIN,
        deployment_config=versioned(settings),
    )


def versioned(settings: Settings) -> WorkerDeploymentConfig | None:
    """Return the version under which this worker asks for work, where the settings name one.

    Cases outlive deploys, so they move on to new code (`docs/changing-a-workflow.md`). Such a worker gets no work
    before its version is made the current one.
    """
    if settings.build_id is None:
        return None
    version = WorkerDeploymentVersion(settings.deployment, settings.build_id)
    return WorkerDeploymentConfig(version, True, VersioningBehavior.AUTO_UPGRADE)


async def patiently(settings: Settings, runtime: Runtime | None = None) -> Client:
    """A client, however long Temporal takes to come up."""
    log = structlog.get_logger(__name__)
    while True:
        try:
            client = await connect(settings, runtime=runtime)
            await register_search_attributes(client)
        except EngineUnavailable as error:
            log.warning("waiting for Temporal", why=str(error))
            await asyncio.sleep(1)
        else:
            return client


async def run(settings: Settings) -> None:
    """Work until asked to stop; letters under way are finished first.

    Raises PolicyError at once, whether Temporal answers or not.
    """
    paper = stationery(settings)
    tell_of_waiting(settings)
    stop = asyncio.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(wanted, stop.set)
    database = Database(settings.records_url)
    pulse = Pulse(asyncio.get_running_loop())
    sdk = Sdk.wanted(settings)
    door = Door(
        lambda: exposition(None) + sdk.exposition(),
        pulse.beats,
        lambda: {**health.records(database, settings.key_ring), "temporal": pulse.temporal()},
    )
    with listening(settings, door), ThreadPoolExecutor(THREADS) as executor:
        pulse.client = client = await patiently(settings, sdk.runtime)
        worker = make_worker(client, settings, paper, database, executor)
        await keep_schedules(client, paper.policy, settings.task_queue)
        async with worker:
            structlog.get_logger(__name__).info("the worker works", task_queue=settings.task_queue)
            await stop.wait()
    database.close()


def main() -> int:
    """Start from the environment; 2 when that does not add up."""
    try:
        settings = load_settings()
        configure_logs(settings.environment)
        configure_traces("worker")
        loop.run(run(settings))
        end_traces()
    except PlazoError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The engine's client can abort the interpreter at its exit, after all work is done.
    os._exit(code)
