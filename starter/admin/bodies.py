"""What a caller of the admin API sends with each command: the order, without what the API itself knows.

Who acts comes from the API key, the idempotency key and the version from headers. Where an order names a draft, the
body holds what the person wrote instead. Only bodies that differ from their order stand here and in `answer_bodies`.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, EmailStr, Field, StringConstraints, field_validator

from models.episodes import Assigned
from models.inquiry import ActorId, Area, Kind
from models.messages import Id, Name, Reasons, When
from models.secrecy import People
from models.terms import Matter

LONGEST = 60_000
SENSIBLE_YEARS = range(2000, 2200)
"""A date outside them is a slip; close to the ends of the calendar no arithmetic would hold."""

MOST = 100
"""Points, actions or items in one letter."""

Content = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]


class Body(BaseModel):
    """The root of all bodies: an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="after")
    @classmethod
    def _dates_are_sensible(cls, value: object) -> object:
        if isinstance(value, date) and value.year not in SENSIBLE_YEARS:
            raise ValueError(f"want a year from {SENSIBLE_YEARS[0]} to {SENSIBLE_YEARS[-1]}")
        return value

    @field_validator("other", mode="after", check_fields=False)
    @classmethod
    def _reference_as_we_write_it(cls, value: str) -> str:
        return value.upper()


class ReplyBody(Body):
    """Write to the user (or to the authority) before or after the final answer."""

    text: Content
    to: Literal["user", "authority"] = "user"


class OpenIncidentBody(Body):
    """A matter for a specialised team, in the incident tool (M5.6); `text` is what the specialists must know.

    What leaves for a tracker outside is policy; a title never holds anything but the reference and the matter.
    """

    area: Area
    matter: Matter
    text: Short


class Item(Body):
    """Something that is missing, and why it is needed."""

    item: Short
    why: Short


class RequestInformationBody(Body):
    """Ask the user for what is missing; the terms run on."""

    items: tuple[Item, ...] = Field(min_length=1, max_length=MOST)
    by: When


class RequestIdentityBody(Body):
    """Ask the user to show who they are; `reasons` say why, and leave for somebody nobody has vouched for."""

    reasons: Reasons


class AcceptRepresentativeBody(Body):
    """A power of attorney was checked: until it ends its holder gets the user's letters, and they say all.

    `document` is the SHA-256 of the power, which must be among the files of the inquiry.
    """

    email: EmailStr
    document: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    until: When
    reasons: Reasons


class RefuseErasureBody(Body):
    """Refuse an erasure that the user asked for; `text` is the reply that gives the reasons."""

    text: Content


class ReclassifyBody(Body):
    """Inquiry or complaint after all. `text` tells the user where a complaint becomes an inquiry."""

    kind: Kind
    reasons: Reasons
    text: Content | None = None


class AssignBody(Body):
    """Give the case to somebody of the staff who is there and trained for its area and language (M3.3)."""

    owner: Id
    area: Area | None = None
    reasons: Reasons


class HandOverBody(AssignBody):
    """Give the case on, from one owner to another whom the rules have found; the house itself makes this one."""

    instead_of: ActorId
    found: Assigned


class ClaimBody(Body):
    """Take the case yourself: it is of your area, and its owner is not there."""


class MergeBody(Body):
    """The same complaint came twice. With `leads` this case goes on and the other ends; the other learns of it too."""

    other: Id
    leads: bool


class SplitBody(Body):
    """Some points go on as a new inquiry, which is opened with the reception of `message`, or of this case."""

    points: tuple[Reasons, ...] = Field(min_length=1, max_length=MOST)
    message: Id | None = None


class ProposeBody(Body):
    """A command for another pair of eyes; `order` is the body of that command."""

    command: Name
    order: dict[str, Any]


class ApproveBody(Body):
    """Agree to the proposal that you have read: `proposed_at` is its `at`. Another that came since is not meant."""

    proposed_at: AwareDatetime


class CompartmentBody(Body):
    """Put the case under secrecy: only these people and compliance see it. With `lift` everybody does again."""

    people: People = ()
    lift: bool = False
    reasons: Reasons


class DeclareConflictBody(Body):
    """Say whom of the staff the complaint is about: they neither see the case nor decide anything in it.

    Nobody in the list means that it is about none of them.
    """

    about: People
    reasons: Reasons
