"""What specialised areas do for an inquiry: referral, verification, incident (M3.3, M5.3, M5.6).

All times are aware UTC.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from models.inquiry import Actor, Area, Wire
from models.obligations import A_SECOND
from models.terms import Matter


class Referral(Wire):
    """A question put to a specialised area (M3.3); open until its findings arrive or it is withdrawn.

    `due` is when the area's answer is due inside the house, None where policy sets no date; `remind_at` is the reminder
    before it. `by` put the question, None in cases of old.
    """

    area: Area
    opened_at: AwareDatetime
    answered_at: AwareDatetime | None = None
    by: Actor | None = None
    due: AwareDatetime | None = None
    remind_at: AwareDatetime | None = None
    reminded_at: AwareDatetime | None = None
    passed_at: AwareDatetime | None = None
    withdrawn_at: AwareDatetime | None = None

    @property
    def open(self) -> bool:
        """True while the area's findings are awaited."""
        return self.answered_at is None and self.withdrawn_at is None

    def next_alarm(self) -> datetime | None:
        """When it next wants attention: its reminder, or the moment from which its answer is late."""
        if not self.open or self.due is None or self.passed_at:
            return None
        late = self.due + A_SECOND
        return min(self.remind_at, late) if self.remind_at and self.reminded_at is None else late


class VerifiedBy(StrEnum):
    """By which act an area verified what is to be answered."""

    FINDINGS = "findings"
    REFERRAL = "referral"
    RESOLVED = "resolved"
    APPROVED = "approved"


BY_ACT = frozenset({VerifiedBy.RESOLVED, VerifiedBy.APPROVED})
"""What verifies only as long as the act itself stands."""


class Verification(Wire):
    """An area's word that the answer is adequate and exact (M5.3), until the case is reopened at `ended_at`."""

    area: Area
    actor: Actor
    at: AwareDatetime
    how: VerifiedBy
    ended_at: AwareDatetime | None = None


class IncidentState(StrEnum):
    """Where an incident stands, whatever words its tracker has for it."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    RESOLVED = "resolved"
    REJECTED = "rejected"


OVER = frozenset({IncidentState.RESOLVED, IncidentState.REJECTED})
"""No specialist works on it any more."""


class Incident(Wire):
    """A matter that went to a specialised team, coordinated in a tracker (M5.6); `n` counts from 1 in its case.

    `tracker`, `id` and `url` are the tracker's, known from `linked_at` on. `changed_at` is when it last changed, by the
    clock of whoever changed it. `closed_here` says that the case closed it, and `told_at` that the tracker knows.
    `joined` is the key of one that the tracker has already, which this case joined, and left at `left_at` if at all.
    """

    n: int
    area: Area
    matter: Matter
    draft: str
    opened_at: AwareDatetime
    tracker: str = ""
    id: str = ""
    url: str = ""
    linked_at: AwareDatetime | None = None
    state: IncidentState = IncidentState.OPEN
    changed_at: AwareDatetime | None = None
    closed_here: bool = False
    told_at: AwareDatetime | None = None
    joined: str = ""
    left_at: AwareDatetime | None = None

    @property
    def over(self) -> bool:
        """Whether it has its outcome."""
        return self.state in OVER

    @property
    def untold(self) -> bool:
        """Whether the tracker has to be told of it, or of its end; of a joined one whoever has it tells."""
        if self.joined:
            return False
        if self.over:
            return self.closed_here and self.told_at is None
        return self.linked_at is None
