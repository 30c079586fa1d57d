"""What happens to an inquiry on its way: assignment, points, remedies, extension, escalation, review, answer.

All times are aware UTC.
"""

from typing import Any

from pydantic import AwareDatetime

from models.causes import NamedCause
from models.inquiry import Actor, ActorId, Area, Outcome, Status, Wire


class PassedOver(Wire):
    """Somebody who did not get an inquiry, and the code of the reason, such as "absent"."""

    staff: ActorId
    why: str


class Assigned(Wire):
    """How the rules found an owner: the rule that led to the area, the rules' version, and who was passed over.

    `step` says where the search ended: in the "area", or with its "representative", "deputy", a "supervisor", or, with
    "nobody-there", the first supervisor although they are away too.
    """

    owner: ActorId
    area: Area
    rule: str
    version: str
    step: str
    passed_over: tuple[PassedOver, ...] = ()


class RaisedPoint(Wire):
    """A point that the user raised (M3.8); its words lie in the draft. One that is dropped wants no answer."""

    id: str
    draft: str
    message: str = ""
    dropped: bool = False
    at: AwareDatetime


class Remedy(Wire):
    """What the user was promised, due with `obligation` (M3.8); `n` counts from 1 in its case.

    `amount` is a decimal, `kind` one of the policy's, or empty. It is over with `done_at`, when somebody confirmed it,
    or with `withdrawn_at`.
    """

    n: int
    obligation: int
    what: str
    kind: str = ""
    amount: str = ""
    currency: str = ""
    promised_at: AwareDatetime
    by: Actor
    done_at: AwareDatetime | None = None
    withdrawn_at: AwareDatetime | None = None

    @property
    def open(self) -> bool:
        """True while it is to be done."""
        return self.done_at is None and self.withdrawn_at is None

    @property
    def sum(self) -> str:
        """The amount with its currency, or nothing."""
        return f"{self.currency} {self.amount}".strip()


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
    """A command that waits for a second pair of eyes.

    `heard` is how many messages the case had then; None where a newer one does not forbid the approval;
    `stands_in` are the areas that the proposer stood in for then.
    """

    command: str
    order: dict[str, Any]
    proposer: Actor
    at: AwareDatetime
    heard: int | None = None
    stands_in: tuple[Area, ...] = ()


class Erasure(Wire):
    """The user asked in `message` that what they wrote and gave be erased: decided or refused, and then done.

    `heard` is how many messages the case had when it was done: what comes after may be asked for anew.
    """

    message: str
    asked_at: AwareDatetime
    decided_at: AwareDatetime | None = None
    decided_by: Actor | None = None
    refused_at: AwareDatetime | None = None
    erased_at: AwareDatetime | None = None
    heard: int = 0

    @property
    def answered(self) -> bool:
        """Whether it was decided either way."""
        return self.decided_at is not None or self.refused_at is not None

    @property
    def over(self) -> bool:
        """Whether nothing more is to be done."""
        return self.erased_at is not None or self.refused_at is not None


class FinalAnswer(Wire):
    """The decision on the case; `accepted_at` is set when a channel took its letter, and only then is M3.4 met.

    `cause` is the one it is counted under, as corrected since; None where none was named.
    """

    outcome: Outcome
    letter: str
    decided_at: AwareDatetime
    accepted_at: AwareDatetime | None = None
    cause: NamedCause | None = None


class Answer(Wire):
    """What the caller of a command gets back: how the case stands after it."""

    reference: str
    version: int
    status: Status
    next_obligation: str = ""
    next_due: AwareDatetime | None = None
    resolution_due: AwareDatetime | None = None
    proposed: bool = False
    proposal_due: AwareDatetime | None = None
    """By when what waits for a second pair of eyes is owed all the same."""
    proposed_at: AwareDatetime | None = None
    """When it was proposed, by which `approve` names it."""
