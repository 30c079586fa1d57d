"""The wire: the orders that handle a case. Unknown fields are errors; fields are only added."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from models.episodes import Assigned
from models.inquiry import ActorId, Address, Area, Channel, Kind
from models.messages import Draft, Id, Name, Number, Order, Reasons
from models.terms import Matter

MOST_WAYS = 20
"""Addresses where a case and all that was merged into it are answered."""


class OpenIncident(Order):
    """A matter for a specialised team, in the incident tool (M5.6). `matter` is one of the policy's.

    The draft is what the specialists must know.
    """

    area: Area
    matter: Matter
    draft: Draft


class CloseIncident(Order):
    """An incident is over, known otherwise than through its tracker; the evidence joins the case (M5.6)."""

    incident: Number
    outcome: Literal["resolved", "rejected"]
    evidence: Reasons


class ChangeChannel(Order):
    """Go on over another channel (M4.2)."""

    channel: Channel
    reasons: Reasons


class Propose(Order):
    """A command for another pair of eyes."""

    command: Name
    order: dict[str, Any]


class Approve(Order):
    """The second pair of eyes agrees to what was proposed at `proposed_at` (aware UTC); unsaid, to whatever waits."""

    proposed_at: AwareDatetime | None = None


class SendBack(Order):
    """The second pair of eyes does not agree."""

    reasons: Reasons


class Note(Order):
    """An internal note."""

    text: Reasons


class Merge(Order):
    """The same complaint came twice. The leading case keeps the earliest reception and every promise.

    All but `leads` is the other's; `ways_in` are the addresses where it is answered, and where all that was merged
    into it was. Orders of before it was told lack it.
    """

    other: Id
    leads: bool
    contact: Id
    received_at: AwareDatetime
    acknowledgement_due: AwareDatetime | None = None
    final_due: AwareDatetime | None = None
    ways_in: Annotated[tuple[Address, ...], Field(max_length=MOST_WAYS)] | None = None


class Split(Order):
    """Some points go on as a case of their own."""

    other: Id
    points: tuple[Reasons, ...] = Field(min_length=1)


class Assign(Order):
    """Give the case an owner.

    `instead_of` is the one it is taken from: it must be theirs still. `found` is how the rules found the new one.
    """

    owner: Id
    area: Area | None = None
    reasons: Reasons
    instead_of: ActorId | None = None
    found: Assigned | None = None


class Claim(Order):
    """Take a case oneself; `owner` is whose it is, as the claimant saw it."""

    owner: str


class Reclassify(Order):
    """Inquiry or complaint after all. Complaint to inquiry needs a supervisor and a letter that tells the user."""

    kind: Kind
    reasons: Reasons
    draft: Draft | None = None


class MarkUrgent(Order):
    """The case cannot wait; `matter` is one of the policy's."""

    matter: Matter
    reasons: Reasons


class AcknowledgeUrgent(Order):
    """Somebody has seen to it: no further alarm is raised."""


class AttemptsExhausted(Order):
    """A supervisor signs that no address works (reading 10)."""

    reasons: Reasons
