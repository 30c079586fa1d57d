"""What the workflows have had written down, read back from Temporal's histories: newest first, no further than needed.

Every step of a case carries the whole case and the facts it leaves; its answer says what was written of them. So the
events of a ledger can be told again from the histories alone, with no worker running.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import NamedTuple

from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.case import Case
from models.errors import LedgerError
from models.ledger import Fact
from models.reference import reference_of, workflow_id
from models.work import DELIVER, RECORD, Delivery, InquiryInput, Recording, Written, absorb
from starter.temporal.engine import WORKFLOW, answering

STEPS: Mapping[str, type[Recording] | type[Delivery]] = {RECORD: Recording, DELIVER: Delivery}
"""The activities that write into the chain, and what they are given."""

PAGE = 200
LISTING = 600.0
"""Seconds that the list of all inquiries may take."""


class Story(NamedTuple):
    """A case as it stood after the last step that was written down, and the facts after a given event, oldest first."""

    case: Case
    facts: tuple[Fact, ...]


async def inquiries(client: Client, since: datetime) -> dict[str, list[str]]:
    """Return every inquiry that runs or has ended after `since`, with its runs, the latest first.

    Raises EngineUnavailable.
    """
    ended = f"CloseTime >= '{since.isoformat()}'"
    query = f"WorkflowType = '{WORKFLOW}' AND (ExecutionStatus = 'Running' OR {ended})"
    found: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
    async with answering(LISTING):
        async for one in client.list_workflows(query):
            found[reference_of(one.id)].append((one.start_time, one.run_id))
    return {reference: [run for _, run in sorted(runs, reverse=True)] for reference, runs in found.items()}


async def story(client: Client, reference: str, runs: list[str], after: int, *, missing: bool = False) -> Story | None:
    """Tell what was written of a case after event `after`; None where nothing was, or its history is gone.

    `missing`: the records lack the case itself, so that it is told even where nothing was written yet.
    Raises LedgerError where the histories do not reach back that far, and EngineUnavailable.
    """
    latest: Case | None = None
    told: list[tuple[int, tuple[Fact, ...]]] = []
    for run in runs:
        async for before, case, facts in _steps(client, reference, run):
            latest = latest or case
            if latest.seq <= after and not missing:
                return None
            told.append((before, facts))
            if before <= after:
                return Story(latest, _joined(reference, told, after))
    if latest is None:
        return None
    raise LedgerError(f"{reference}: Temporal keeps no history of the events before {told[-1][0] + 1}")


async def _steps(client: Client, reference: str, run: str) -> AsyncIterator[tuple[int, Case, tuple[Fact, ...]]]:
    """Each step of a run that was written down: the number before it, the case after it, its facts.

    The beginning of the run counts as a step without facts.
    """
    answers: dict[int, Payload] = {}
    async for event in _backwards(client, reference, run):
        if event.HasField("activity_task_completed_event_attributes"):
            done = event.activity_task_completed_event_attributes
            answers[done.scheduled_event_id] = done.result.payloads[0]
        elif event.HasField("activity_task_scheduled_event_attributes"):
            asked = event.activity_task_scheduled_event_attributes
            kind = STEPS.get(asked.activity_type.name)
            if kind is not None and event.event_id in answers:
                (work,) = await client.data_converter.decode([asked.input.payloads[0]], [kind])
                (written,) = await client.data_converter.decode([answers.pop(event.event_id)], [Written])
                before = work.case.seq
                facts = absorb(work.case, written)
                yield before, work.case, facts
        elif event.HasField("workflow_execution_started_event_attributes"):
            begun = event.workflow_execution_started_event_attributes
            (start,) = await client.data_converter.decode([begun.input.payloads[0]], [InquiryInput])
            yield start.case.seq, start.case, ()


async def _backwards(client: Client, reference: str, run: str) -> AsyncIterator[HistoryEvent]:
    token = b""
    while True:
        asked = GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id(reference), run_id=run),
            maximum_page_size=PAGE,
            next_page_token=token,
        )
        try:
            async with answering():
                page = await client.workflow_service.get_workflow_execution_history_reverse(asked)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:  # its retention has ended since it was listed
                return
            raise
        for event in page.history.events:
            yield event
        token = page.next_page_token
        if not token:
            return


def _joined(reference: str, told: list[tuple[int, tuple[Fact, ...]]], after: int) -> tuple[Fact, ...]:
    """The facts after a number, oldest first. Raises LedgerError where a step is missing among them."""
    joined: list[Fact] = []
    at = told[-1][0]
    for before, facts in reversed(told):
        if before != at:
            raise LedgerError(f"{reference}: Temporal's history lacks a step after event {at}")
        joined.extend(facts)
        at += len(facts)
    return tuple(joined[after - told[-1][0] :])
