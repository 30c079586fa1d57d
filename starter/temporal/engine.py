"""The ways into an inquiry's workflow: start it, signal it, command it, and wake it again after it has closed.

A closed inquiry is resumed from the Case saved with its last event, in one call that starts the workflow and hands over
the signal or the update; that is `resume_case`, the one use case behind every late message, bounce, appeal and command.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WithStartWorkflowOperation,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import QueryRejectCondition, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from models.case import Case
from models.deciding import decide
from models.episodes import Answer
from models.errors import EngineUnavailable, Malformed, Missing, Refused, Stale
from models.messages import Order
from models.reference import workflow_id
from models.work import InquiryInput
from workflows.appearance import search_attributes, static_summary

WORKFLOW = "Inquiry"
PATIENCE = 10.0
"""Seconds that one call may take, the client's own retries included."""

AWAY = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNKNOWN,
    }
)
"""What the server says when it cannot answer now; everything else is about the call itself."""

REFUSALS: dict[str, type[Refused]] = {kind.__name__: kind for kind in (Refused, Malformed, Stale)}


class Signal(NamedTuple):
    """A signal's name and its order as JSON data."""

    name: str
    order: dict[str, Any]


@asynccontextmanager
async def answering(patience: float = PATIENCE) -> AsyncIterator[None]:
    """Give the calls inside `patience` seconds; whatever means that Temporal is away becomes EngineUnavailable."""
    try:
        async with asyncio.timeout(patience):
            yield
    except (TimeoutError, RPCTimeoutOrCancelledError) as error:
        raise EngineUnavailable(f"Temporal did not answer within {patience:g} s") from error
    except RPCError as error:
        if error.status in AWAY:
            raise EngineUnavailable(f"Temporal does not answer: {error.status.name}") from error
        raise
    except RuntimeError as error:
        # What a lazy client raises when its first connection fails.
        raise EngineUnavailable("no connection to Temporal") from error


async def start_case(client: Client, task_queue: str, case: Case) -> bool:
    """Start the workflow of a new inquiry; False when it was started before. Raises EngineUnavailable."""
    try:
        async with answering():
            await client.start_workflow(
                WORKFLOW,
                InquiryInput(case=case),
                task_queue=task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                **_shown(case),
            )
    except WorkflowAlreadyStartedError:
        return False
    return True


async def version_of(client: Client, reference: str) -> int | None:
    """Return the version at which an inquiry stands; None where it does not run. Raises EngineUnavailable."""
    handle = client.get_workflow_handle(workflow_id(reference))
    try:
        async with answering():
            told: Answer = await handle.query(
                "status", result_type=Answer, reject_condition=QueryRejectCondition.NOT_OPEN
            )
    except WorkflowQueryRejectedError:
        return None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
    return told.version


async def resume_case(client: Client, task_queue: str, case: Case, signal: Signal | None = None) -> None:
    """Start an inquiry that no longer runs from its saved Case, and hand it the signal in the same call.

    One that runs after all gets the signal, and its own state stays. Raises EngineUnavailable.
    """
    async with answering():
        await client.start_workflow(
            WORKFLOW,
            InquiryInput(case=case),
            task_queue=task_queue,
            start_signal=signal.name if signal else None,
            start_signal_args=[signal.order] if signal else [],
            **_RESUMED,
            **_shown(case),
        )


async def signal_case(
    client: Client, task_queue: str, reference: str, signal: Signal, load: Callable[[], Awaitable[Case]]
) -> None:
    """Signal an inquiry; one that no longer runs is resumed from what `load` returns. Raises EngineUnavailable."""
    try:
        async with answering():
            await client.get_workflow_handle(workflow_id(reference)).signal(signal.name, signal.order)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        await resume_case(client, task_queue, await load(), signal)


async def command_case(
    client: Client,
    task_queue: str,
    reference: str,
    command: str,
    order: Order,
    *,
    key: str,
    now: datetime,
    load: Callable[[], Awaitable[Case]],
) -> Answer:
    """Let an inquiry decide a command and return how it stands; `key` is the update's id, so asking again is safe.

    An inquiry that no longer runs is resumed from what `load` returns, but only for a command that it will not refuse.
    Raises Refused, Malformed, Stale as the case does, and EngineUnavailable, also when no worker answers in time.
    """
    handle = client.get_workflow_handle(workflow_id(reference))
    try:
        async with answering():
            answer: Answer = await handle.execute_update(command, order, id=key, result_type=Answer)
            return answer
    except WorkflowUpdateFailedError as error:
        raise refusal(error) from None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    case = await load()
    decide(case, command, order, now, trusted=True)
    start: WithStartWorkflowOperation[Any, None] = WithStartWorkflowOperation(
        WORKFLOW, InquiryInput(case=case), task_queue=task_queue, **_RESUMED, **_shown(case)
    )
    try:
        async with answering():
            answer = await client.execute_update_with_start_workflow(
                command, order, start_workflow_operation=start, id=key, result_type=Answer
            )
    except WorkflowUpdateFailedError as error:
        raise refusal(error) from None
    return answer


_RESUMED: dict[str, Any] = {
    "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
}
"""One that runs after all is taken as it is."""


def _shown(case: Case) -> dict[str, Any]:
    """The id of a case's workflow, and what Temporal shows of it from its first moment."""
    return {
        "id": workflow_id(case.reference),
        "search_attributes": search_attributes(case),
        "static_summary": static_summary(case),
    }


def refusal(error: WorkflowUpdateFailedError) -> Exception:
    """Return the Refused that the case raised, rebuilt from the failure; the failure itself where it is none."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or cause.type not in REFUSALS or not cause.details:
        return error
    parts = cause.details[0]
    missing = tuple(Missing(*one) for one in parts.get("missing", ()))
    return REFUSALS[cause.type](
        parts["code"], parts["detail"], field=parts["field"], rule=parts["rule"], missing=missing
    )
