"""What the operator owes a user: a promise with a due date, met only by a letter that a channel accepted.

A due date is never overwritten: a new obligation supersedes the old one and names actor and reasons.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from models.inquiry import Actor, Wire


class ObligationKind(StrEnum):
    """What is owed."""

    ACKNOWLEDGEMENT = "acknowledgement"
    FINAL = "final response"
    EXTERNAL = "external estimate"
    REFERRAL = "referral notice"
    MISSED = "missed-term notice"
    CHANNEL_CHANGE = "channel-change notice"
    RESEND = "re-send after a bounce"
    WITHDRAWAL = "withdrawal notice"
    AUTHORITY_REPLY = "answer to the authority"
    ERASURE = "answer about erasure"
    REMEDY = "promised remedy"


RULES = {
    ObligationKind.ACKNOWLEDGEMENT: "M3.2",
    ObligationKind.FINAL: "M3.4",
    ObligationKind.EXTERNAL: "M3.6",
    ObligationKind.REFERRAL: "M3.3",
    ObligationKind.MISSED: "M3.11",
    ObligationKind.CHANNEL_CHANGE: "M4.2",
    ObligationKind.RESEND: "M3.7",
    ObligationKind.WITHDRAWAL: "M5.7",
    ObligationKind.AUTHORITY_REPLY: "M3.10",
    ObligationKind.ERASURE: "",
    ObligationKind.REMEDY: "M3.8",
}
"""The manual's rule that each keeps; erasure is a right beside the manual."""

A_SECOND = timedelta(seconds=1)

TERMS = (ObligationKind.ACKNOWLEDGEMENT, ObligationKind.FINAL)
"""The terms whose passing is itself told to the user (reading 9)."""


class Obligation(Wire):
    """One promise. All times are aware UTC.

    `starts` is when acting on it begins and `begun` whether it has (later than `created_at` only for a repeated
    missed-term notice); `subject` is the key of the letter, or the number of the obligation, that it is about;
    `warned` counts the warnings already raised.
    """

    n: int
    kind: ObligationKind
    due: AwareDatetime
    created_at: AwareDatetime
    starts: AwareDatetime
    actor: Actor
    why: str
    warnings: tuple[AwareDatetime, ...] = ()
    warned: int = 0
    begun: bool = True
    subject: str = ""
    met_at: AwareDatetime | None = None
    met_by: str = ""
    missed_at: AwareDatetime | None = None
    superseded_at: AwareDatetime | None = None
    superseded_by: int | None = None
    superseded_why: str = ""
    exhausted_at: AwareDatetime | None = None

    @property
    def rule(self) -> str:
        """The rule of the manual that this obligation keeps."""
        return RULES[self.kind]

    @property
    def open(self) -> bool:
        """True while something is still owed, in time or late."""
        return self.met_at is None and self.superseded_at is None and self.exhausted_at is None

    @property
    def ends(self) -> datetime:
        """The moment from which it is too late: a term includes its last second (reading 1)."""
        return self.due + A_SECOND

    @property
    def kept(self) -> bool:
        """True when a letter was accepted by the due date (reading 10)."""
        return self.met_at is not None and self.met_at < self.ends

    @property
    def late(self) -> bool:
        """True when the due date passed unmet, or was met too late."""
        return not self.kept and (self.missed_at is not None or self.met_at is not None)

    def next_alarm(self) -> datetime | None:
        """When this obligation next wants attention: a warning, its start, or the moment it is missed."""
        if not self.open:
            return None
        times = [] if self.begun else [self.starts]
        if self.missed_at is None:
            times += [*self.warnings[self.warned : self.warned + 1], self.ends]
        return min(times, default=None)
