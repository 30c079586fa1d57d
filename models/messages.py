"""The wire: what comes in from people and services as signals and updates, and what goes to the activities.

Orders come from outside, so an unknown field is an error. Everything else is read leniently and only ever gains fields.
A time may be written as a bare date, which means the end of that day in the operator's zone.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    TypeAdapter,
    model_serializer,
)

from models.episodes import Assigned
from models.inquiry import Actor, ActorId, Area, Channel, Kind, Outcome
from models.terms import Matter

BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MOST_TEXT = 4_000

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _clean(value: object) -> object:
    """Drop control characters and lone surrogates, which no table or letter can hold."""
    return CONTROLS.sub("", value) if isinstance(value, str) else value


# Cleaned first, then measured: what stands last in the list is done first.
Reasons = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_TEXT), BeforeValidator(_clean)
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), BeforeValidator(_clean)]
Told = Annotated[str, StringConstraints(max_length=500), BeforeValidator(_clean)]
"""What a provider says of something, which may be nothing."""
Id = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.:/-]+$")]
Key = Annotated[str, StringConstraints(min_length=1, max_length=128)]

_AWARE = TypeAdapter(AwareDatetime)


def _date_or_time(value: object) -> object:
    if isinstance(value, datetime):
        return _AWARE.validate_python(value)
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        msg = "expected a date like 2026-03-16 or a time with its offset like 2026-03-16T12:00:00Z"
        raise ValueError(msg)  # noqa: TRY004  pydantic turns a ValueError into a validation error
    return date.fromisoformat(value) if BARE_DATE.fullmatch(value) else _AWARE.validate_python(value)


When = Annotated[date | datetime, BeforeValidator(_date_or_time)]
"""A bare date, or an aware time. A naive time is refused."""


class Order(BaseModel):
    """What every command may carry besides its own fields: who, an idempotency key, the version it was decided on.

    `stands_in`: the areas for which the actor stands in today, by the staff's records; only our own services know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    actor: Actor | None = None
    key: Key | None = None
    expected_version: Annotated[int, Field(ge=0)] | None = None
    stands_in: tuple[Area, ...] = ()

    @model_serializer(mode="wrap")
    def _say_what_is_known(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out `stands_in` where it says nothing: an older worker refuses a field it does not know."""
        said: dict[str, Any] = handler(self)
        if not self.stands_in:
            said.pop("stands_in", None)
        return said


class Draft(BaseModel):
    """What a person wrote, kept in the records database: its id, its digest, and which parts of it are filled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    filled: tuple[Name, ...] = ()


class Reply(Order):
    """An answer on the way that is not the final one."""

    draft: Draft
    to: Literal["user", "authority"] = "user"


Number = Annotated[int, Field(ge=1, le=9_999)]


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


class Extend(Order):
    """A longer term for a complaint, with reasons (M3.5)."""

    until: When
    reasons: Reasons


class Escalate(Order):
    """An external institution must take part (M3.6). `until` extends the term too, where the estimate needs it.

    `asked` is what the institution was asked, `shared` the data it was given: the letter tells both.
    """

    institution: Name
    reasons: Reasons
    estimate: When
    until: When | None = None
    asked: Reasons | None = None
    shared: Reasons | None = None


class ReEstimate(Order):
    """The institution's date moves (M3.6)."""

    estimate: When
    reasons: Reasons
    until: When | None = None


class InstitutionAnswered(Order):
    """The institution has answered."""

    summary: Reasons


class Resolve(Order):
    """The final answer: its content is the draft's (M3.4, M3.8, M3.9)."""

    outcome: Outcome
    draft: Draft
    despite_incident: Reasons | None = None
    """Why it can be answered although an incident is open (M5.6)."""
    despite_language: Reasons | None = None
    """Why it is written in another language than the user's (M3.8)."""
    answers: tuple[Id, ...] = ()
    """The points of the case that the draft answers."""


class OpenAppeal(Order):
    """The user, or the authority, asks for a review (M3.10)."""

    text: Reasons
    by: Literal["user", "authority"] = "user"
    file_number: Name | None = None
    answer_by: When | None = None


class AppealDecided(Order):
    """How the review ended."""

    result: Literal["upheld", "overturned", "settled"]
    text: Reasons


class ChangeChannel(Order):
    """Go on over another channel (M4.2)."""

    channel: Channel
    reasons: Reasons


class Propose(Order):
    """A command for another pair of eyes."""

    command: Name
    order: dict[str, Any]


class Approve(Order):
    """The second pair of eyes agrees."""


class SendBack(Order):
    """The second pair of eyes does not agree."""

    reasons: Reasons


class RequestInformation(Order):
    """Ask the user for what is missing; the terms run on."""

    draft: Draft
    by: When


class Note(Order):
    """An internal note."""

    text: Reasons


class Merge(Order):
    """The same complaint came twice. The leading case keeps the earliest reception and every promise."""

    other: Id
    leads: bool
    contact: Id
    received_at: AwareDatetime
    acknowledgement_due: AwareDatetime | None = None
    final_due: AwareDatetime | None = None


class Split(Order):
    """Some points go on as a case of their own."""

    other: Id
    points: tuple[Reasons, ...] = Field(min_length=1)


class Withdraw(Order):
    """Only the user withdraws, confirmed in writing: the message that says so."""

    reasons: Reasons
    message: Id


class Reopen(Order):
    """New facts after the answer: a new reception with new terms."""

    reasons: Reasons
    received_at: AwareDatetime | None = None


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
