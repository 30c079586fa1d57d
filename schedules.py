"""What Temporal starts by the clock: kept as the policy wants it, from whichever worker comes up."""

from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError

from models.policy import Policy

DIGEST = "digest"
CATCH_UP = timedelta(hours=3)
"""After an outage: a morning missed for longer is not made up for, and of several at most this morning's is."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def digest_schedule(policy: Policy, task_queue: str) -> Schedule:
    """Return when the digest starts: on weekdays at the policy's hour, in the operator's zone.

    Of holidays the activity knows, as the policy's calendar may change on any day.
    """
    weekdays = ScheduleRange(1, 5)
    hour = ScheduleRange(policy.digest.hour)
    return Schedule(
        action=ScheduleActionStartWorkflow("Digest", id=DIGEST, task_queue=task_queue),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[hour], day_of_week=[weekdays], comment="the morning digest")],
            time_zone_name=policy.calendar_settings.zone,
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )


async def keep_schedules(client: Client, policy: Policy, task_queue: str) -> None:
    """Create the schedule, or bring it up to date; safe to call at each start and from several processes.

    Where the server knows no schedules, that is said in the log: letters and reminders do not need them.
    """
    wanted = digest_schedule(policy, task_queue)
    try:
        try:
            await client.create_schedule(DIGEST, wanted)
        except ScheduleAlreadyRunningError:
            await client.get_schedule_handle(DIGEST).update(lambda known: _updated(known, wanted))
    except RPCError as error:
        log.error("schedules.not-kept", schedule=DIGEST, why=error.status.name)  # noqa: TRY400  a trace says no more


def _updated(known: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate:
    """Take the policy's word, but leave a schedule paused that somebody paused."""
    wanted.state = known.description.schedule.state
    return ScheduleUpdate(schedule=wanted)
