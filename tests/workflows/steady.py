"""A living case on a real server, where time passes as it does; its worker may come and go."""

import secrets
import sysconfig
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.alerts import Alerts
from activities.events import Events
from activities.mailing import Mailing
from activities.notices import Notices
from activities.tracker import Incidents
from models.case import Case
from models.inquiry import EMAIL
from models.reference import new_reference
from plugin import plazo_plugin
from records import contacts
from records.database import Database
from starter.commands.rehearsal import Postbox
from tests.cases import new_case, policy
from tests.lives import Life, ring, stationery, until
from trackers.builtin import BuiltIn
from trackers.registry import Trackers
from workflows.inquiry import InquiryWorkflow

TEMPORAL = Path(sysconfig.get_path("scripts")) / "temporal"


def suggesting(events: int) -> list[str]:
    """What makes a server suggest to continue as new after so many events."""
    return ["--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={events}"]


def now() -> datetime:
    return datetime.now(UTC)


class Steady(Life):
    """A life on a queue of its own."""

    queue: str
    executor: ThreadPoolExecutor
    trackers: Trackers = Trackers({BuiltIn.name: BuiltIn()}, BuiltIn.name)

    def worker(self) -> Worker:
        notices = Notices(self.database, stationery(), {EMAIL: self.postbox}, now)
        alerts = Alerts(self.database, stationery(), Mailing(self.database, {EMAIL: self.postbox}, now), now)
        told = Incidents(self.database, self.trackers, policy().tracker, now, timedelta(seconds=0.2))
        return Worker(
            self.client,
            task_queue=self.queue,
            workflows=[InquiryWorkflow],
            activities=[notices.deliver, notices.insist, Events(self.database, now).record, told.track, alerts.alert],
            activity_executor=self.executor,
        )

    def new(self, received: datetime | None = None, **more: Any) -> Case:
        """A case of a person known to the records, with a reference of its own unless one is given."""
        with self.database.write() as session:
            contact, address = contacts.find_or_add(session, EMAIL, "ana@example.org", now=now())
        more.setdefault("reference", new_reference("RX", secrets.SystemRandom()))
        case = new_case(received or now(), now=now(), addresses=(address,), **more)
        return case.model_copy(update={"contact": contact})

    async def begin(self, case: Case | None = None) -> WorkflowHandle[Any, Any]:
        return await self.open(case or self.new(), queue=self.queue)

    async def resting(self, handle: WorkflowHandle[Any, Any]) -> None:
        """Wait until all is written and a timer runs: nothing more will happen by itself."""
        await self.quiet(handle)

        async def timer() -> bool:
            return (await handle.fetch_history()).events[-1].HasField("timer_started_event_attributes")

        await until(timer)

    async def details(self, handle: WorkflowHandle[Any, Any]) -> str:
        """What Temporal's UI shows as the current details."""
        metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return str(metadata.current_details)

    async def read(self, payload: Payload) -> str:
        (value,) = await self.client.data_converter.decode([payload], [str])
        return str(value)

    async def summaries(self, handle: WorkflowHandle[Any, Any], attributes: str) -> list[str]:
        """The summaries of the history's events with these attributes, as the UI shows them."""
        events = (await handle.fetch_history()).events
        return [await self.summary(event) for event in events if event.HasField(attributes)]  # type: ignore[arg-type]

    async def summary(self, event: HistoryEvent) -> str:
        return await self.read(event.user_metadata.summary)


@asynccontextmanager
async def steadily(records_url: str, address: str) -> AsyncIterator[Steady]:
    """Connect to the server with migrated records of one's own; the worker is the test's to start."""
    database = Database(records_url)
    client = await Client.connect(address, plugins=[plazo_plugin(ring())])
    with ThreadPoolExecutor(4) as executor:
        life = Steady(WorkflowEnvironment.from_client(client), client, database, Postbox(now), now)
        life.queue, life.executor = uuid.uuid4().hex, executor
        yield life
    database.close()
