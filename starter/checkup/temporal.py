"""What lies with Temporal: the namespace, the search attributes, the schedule, somebody who works."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from engine import connect
from models.policy import Policy
from models.search import SEARCH_ATTRIBUTES, cli_arguments
from schedules import DIGEST
from settings import Settings
from starter.checkup.finding import Finding
from starter.checkup.records import MOST_APART
from starter.temporal.engine import answering


async def temporal(settings: Settings, policy: Policy) -> list[Finding]:
    """Look at all of it. Raises EngineUnavailable and SettingsError."""
    client = await connect(settings)
    async with answering():
        checks = (_namespace(client, policy), _attributes(client), _schedule(client), _workers(client, settings))
        return [finding for check in checks async for finding in check]


async def _namespace(client: Client, policy: Policy) -> AsyncIterator[Finding]:
    try:
        told = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        mend = f"run `temporal operator namespace create {client.namespace}`, or correct PLAZO_NAMESPACE"
        yield Finding("namespace", f"{client.namespace} does not exist", mend)
        return
    days, wanted = told.config.workflow_execution_retention_ttl.seconds // 86400, policy.terms().appeal_window_days
    mend = f"run `temporal operator namespace update --namespace {client.namespace} --retention {wanted}d`"
    yield Finding("namespace", f"{client.namespace} keeps closed cases {days} days", mend if days < wanted else "")


async def _attributes(client: Client) -> AsyncIterator[Finding]:
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    wrong = [
        argument
        for key, argument in zip(SEARCH_ATTRIBUTES, cli_arguments(), strict=True)
        if known.custom_attributes.get(key.name) != IndexedValueType.ValueType(key.indexed_value_type)
    ]
    mend = "start the worker, which registers them, or run `temporal operator search-attribute create`"
    yield Finding("search attributes", f"missing: {', '.join(wrong)}" if wrong else "all there", mend if wrong else "")


async def _schedule(client: Client) -> AsyncIterator[Finding]:
    try:
        told = await client.get_schedule_handle(DIGEST).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        yield Finding("schedule of the digest", "is not there", "start a worker: it makes it")
        return
    paused = told.schedule.state.paused
    mend = f"run `temporal schedule toggle --schedule-id {DIGEST} --unpause`, or leave it to whoever paused it"
    yield Finding("schedule of the digest", "paused" if paused else "runs", mend if paused else "")


async def _workers(client: Client, settings: Settings) -> AsyncIterator[Finding]:
    """Whether somebody polls, and by the server's word when: a moment to come would mean that our clock is slow."""
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    told = await client.workflow_service.describe_task_queue(asked)
    mend = "" if told.pollers else "start `python worker.py`"
    yield Finding("worker", f"{len(told.pollers)} ask for work on {settings.task_queue}", mend)
    newest = max((one.last_access_time.ToDatetime(UTC) for one in told.pollers), default=None)
    if newest is not None:
        slow = newest - datetime.now(UTC)
        fine = slow <= MOST_APART
        said = "not ahead of ours" if fine else f"{slow.total_seconds():.0f} s ahead of ours"
        yield Finding("clock of Temporal", said, "" if fine else "let both machines follow one time server (NTP)")
