"""What happens to an inquiry on its way: referral, extension, escalation, review, proposal, final answer.

All times are aware UTC.
"""

from typing import Any

from pydantic import AwareDatetime

from models.inquiry import Actor, Area, Outcome, Status, Wire


class Referral(Wire):
    """A question put to a specialised area (M3.3); open until its findings arrive."""

    area: Area
    opened_at: AwareDatetime
    answered_at: AwareDatetime | None = None


class Extension(Wire):
    """A longer term (M3.5). It takes effect only when its letter is accepted before the term it replaces ends."""

    until: AwareDatetime
    replaces: AwareDatetime
    letter: str
    actor: Actor
    effective_at: AwareDatetime | None = None
    void_at: AwareDatetime | None = None
    told_late: bool = False


class Escalation(Wire):
    """An external institution takes part (M3.6). `told` is the estimate the user knows; `moved` counts its changes."""

    institution: str
    estimate: AwareDatetime
    opened_at: AwareDatetime
    told: AwareDatetime | None = None
    moved: int = 0
    ended_at: AwareDatetime | None = None


class Appeal(Wire):
    """A review under M3.10."""

    opened_at: AwareDatetime
    by_authority: bool = False
    file_number: str = ""
    decided_at: AwareDatetime | None = None
    result: str = ""


class Proposal(Wire):
    """A command that waits for a second pair of eyes."""

    command: str
    order: dict[str, Any]
    proposer: Actor
    at: AwareDatetime


class FinalAnswer(Wire):
    """The decision on the case; `accepted_at` is set when a channel took its letter, and only then is M3.4 met."""

    outcome: Outcome
    letter: str
    decided_at: AwareDatetime
    accepted_at: AwareDatetime | None = None


class Answer(Wire):
    """What the caller of a command gets back: how the case stands after it."""

    reference: str
    version: int
    status: Status
    next_obligation: str = ""
    next_due: AwareDatetime | None = None
    resolution_due: AwareDatetime | None = None
    proposed: bool = False
