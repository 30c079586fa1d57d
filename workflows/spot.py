"""A step's first try on the spot: within the workflow's own task, which costs the server a third of what a call does.

Whoever writes to the case meanwhile waits for the end of the try, so it is a short one. What does not succeed at once,
or had no turn, goes by way of the server, where it is tried for as long as it takes.
"""

from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from models.work import ELSEWHERE, RECIPIENT_FAILED, Step, Written

FIRST_TRY = "2026-11-first-try-on-the-spot"
"""The mark of cases that began since; those from before go by way of the server alone."""

TURN = timedelta(seconds=1)
"""How long a try waits for a thread; after it nothing has begun, and nothing is in doubt."""

TRY = timedelta(seconds=2)
"""How long the try may take, far below the ten seconds after which the server gives the task to another worker."""

W = TypeVar("W", bound=Step)

ONCE = RetryPolicy(maximum_attempts=1)


async def on_the_spot(activity: str, work: Step, summary: str) -> Written:
    """Let a local activity try once. Raises FailureError."""
    written: Written = await workflow.execute_local_activity(
        activity,
        work,
        result_type=Written,
        schedule_to_start_timeout=TURN,
        start_to_close_timeout=TRY,
        retry_policy=ONCE,
        summary=summary,
    )
    return written


def for_the_server(work: W, error: FailureError, began: datetime) -> W:
    """Return what the server is asked for after the try failed. Raises what no further try can change."""
    why = said(error)
    if why and why.type == RECIPIENT_FAILED:
        raise error
    if why and why.type == ELSEWHERE:
        return work
    wait = why.next_retry_delay if why else None
    return work.model_copy(update={"tried": began, "wait_until": began + wait if wait else None})


def said(error: FailureError) -> ApplicationError | None:
    """Return what the activity said: the engine hands on a local one's words as they are, and wraps another's."""
    cause = error.cause if isinstance(error, ActivityError) else error
    return cause if isinstance(cause, ApplicationError) else None
