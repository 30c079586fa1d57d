"""How the workflow calls its activities: patience, retries, time limits."""

from datetime import datetime, timedelta

from temporalio.common import RetryPolicy

from models.work import RECIPIENT_FAILED

STEP = timedelta(seconds=30)
"""How long one try may take (start to close)."""

ERRAND = timedelta(seconds=60)
"""How long one try at telling a tracker may take: a few calls, each with its own patience."""

ALERT_PATIENCE = timedelta(minutes=15)
"""How long telling one colleague is tried: then it is asked anew whether there is a reason still."""

LEAST_PATIENCE = timedelta(seconds=60)
"""A call is never cut shorter than this, even when an alarm is near. A letter that has not left by then is stuck."""

RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
    maximum_attempts=0,
    non_retryable_error_types=[RECIPIENT_FAILED],
)
"""Without limit in number: a letter is owed until it is accepted."""

INSISTENCE = RetryPolicy(
    initial_interval=timedelta(minutes=1),
    backoff_coefficient=1.0,
    maximum_attempts=0,
    non_retryable_error_types=[RECIPIENT_FAILED],
)
"""The same for a letter that is stuck: it was tried in quick succession already."""

BREATH = timedelta(minutes=1)
"""The pause after a call that ended in a way nobody foresaw."""


def patience(alarm: datetime | None, now: datetime) -> timedelta | None:
    """How long a call may be retried: until the next alarm, so that nothing ever silences a due date."""
    return None if alarm is None else max(alarm - now, LEAST_PATIENCE)
