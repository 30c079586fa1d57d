"""What a case looks forward to beside its promises: information asked of the user, and dates colleagues set themselves.

None of it is owed to the user and none of it moves a term; each is an alarm of the case. All times are aware UTC.
"""

from datetime import datetime
from typing import ClassVar

from pydantic import AwareDatetime

from models.inquiry import Wire
from models.obligations import A_SECOND


class Asked(Wire):
    """Information the user was asked for in `letter`; `n` counts from 1 in its case, `by` includes its last second.

    It ends when the user writes, or when the case is begun again.
    """

    WHAT: ClassVar[str] = "information asked for"

    n: int
    letter: str
    asked_at: AwareDatetime
    by: AwareDatetime
    remind_at: AwareDatetime | None = None
    passed_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None

    def next_alarm(self) -> datetime | None:
        """When it next wants attention: the reminder, then the moment it has passed."""
        if self.ended_at or self.passed_at:
            return None
        return self.remind_at or self.by + A_SECOND


class FollowUp(Wire):
    """A date on which a colleague looks at the case again; `n` counts from 1 in its case."""

    WHAT: ClassVar[str] = "follow-up"

    n: int
    at: AwareDatetime
    set_by: str
    due_at: AwareDatetime | None = None
    done_at: AwareDatetime | None = None

    def next_alarm(self) -> datetime | None:
        """When somebody is to look at the case."""
        return self.at if self.due_at is None and self.done_at is None else None
