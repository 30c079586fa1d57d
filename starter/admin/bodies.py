"""What a caller of the admin API sends with each command: the order, without what the API itself knows.

Who acts comes from the API key, the idempotency key and the version from headers. Where an order names a draft, the
body holds what the person wrote instead. Everything else is derived from the orders of `models.commands`, so a new
command has its body at once.
"""

from datetime import date
from typing import Annotated, Any, Literal, Self, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
    create_model,
    field_validator,
    model_validator,
)

from models.commands import COMMANDS
from models.episodes import Assigned
from models.inquiry import ActorId, Area, Kind, Outcome
from models.messages import Id, Name, Order, Reasons, When
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


class Point(Body):
    """One point the user raised, and what we answer.

    `id` names a point kept with the case, whose words need not be given again. A point that is rejected wants what M3.9
    asks: the facts verified, their source, the rule applied, and why it fails.
    """

    id: Id | None = None
    point: Short | None = None
    answer: Content
    finding: Short | None = None
    facts_verified: Content | None = None
    source: Short | None = None
    rule: Short | None = None
    why: Content | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not (self.id or self.point):
            raise ValueError("give the point's words, or the id of one that the case keeps")
        return self


class Remedy(Body):
    """What the user gets, how much, and by when."""

    what: Short
    amount: Short | None = None
    by: date | None = None


class ResolveBody(Body):
    """The final answer: each point raised with its answer, and the actions taken (M3.4, M3.8, M3.9)."""

    outcome: Outcome
    points: tuple[Point, ...] = Field(default=(), max_length=MOST)
    actions: tuple[Short, ...] = Field(default=(), max_length=MOST)
    reasons: Content | None = None
    remedy: Remedy | None = None
    where_else: Short | None = None
    despite_incident: Reasons | None = None
    despite_language: Reasons | None = None


class RaisedBody(Body):
    """One point that the user raised: a proposed one by its `id`, or a new one in words; `dropped` says why it is none.

    `message` is the one that raised it.
    """

    id: Id | None = None
    point: Short | None = None
    message: Id | None = None
    dropped: Short | None = None


class SetPointsBody(Body):
    """Keep the points that the user raised, word them anew, or put them aside (M3.8). What is not named stays."""

    points: tuple[RaisedBody, ...] = Field(min_length=1, max_length=MOST)


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


WRITTEN: dict[str, type[Body]] = {
    "reply": ReplyBody,
    "set_points": SetPointsBody,
    "resolve": ResolveBody,
    "open_incident": OpenIncidentBody,
    "request_information": RequestInformationBody,
    "request_identity": RequestIdentityBody,
    "accept_representative": AcceptRepresentativeBody,
    "refuse_erasure": RefuseErasureBody,
    "reclassify": ReclassifyBody,
    "assign": AssignBody,
    "claim": ClaimBody,
    "merge": MergeBody,
    "split": SplitBody,
    "propose": ProposeBody,
}
"""Bodies that differ from their order."""


def _derived(name: str, order: type[Order]) -> type[Body]:
    hints = get_type_hints(order, include_extras=True)
    fields: dict[str, Any] = {
        field: (hints[field], ... if info.is_required() else info.get_default())
        for field, info in order.model_fields.items()
        if field not in Order.model_fields
    }
    title = "".join(part.capitalize() for part in name.split("_")) + "Body"
    return create_model(title, __base__=Body, __doc__=order.__doc__, **fields)


BODIES: dict[str, type[Body]] = {
    name: WRITTEN[name] if name in WRITTEN else _derived(name, order) for name, order in COMMANDS.items()
}
"""Every command with the shape of its body."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "reply": {"text": "We have asked the bank for the confirmation and will write again on Friday."},
    "refer": {"area": "operations", "question": "Was the withdrawal of 12 March broadcast?"},
    "answer_referral": {"area": "operations", "findings": "Broadcast on 12 March at 14:02, confirmed at 14:31."},
    "withdraw_referral": {"area": "operations", "reasons": "The user sent the confirmation meanwhile."},
    "verify": {
        "area": "operations",
        "findings": "The withdrawal was held by the limit of 11 March, and released on 12 March.",
        "points": ["The withdrawal did not arrive."],
    },
    "open_incident": {"area": "operations", "matter": "withdrawal", "text": "Broadcast at 14:02, not confirmed since."},
    "close_incident": {
        "incident": 1,
        "outcome": "resolved",
        "evidence": "Operations say that it was confirmed at 18:31.",
    },
    "extend": {"until": "2026-06-19", "reasons": "The bank's confirmation is still outstanding."},
    "escalate": {
        "institution": "Banco Central de Reserva",
        "reasons": "The transfer is held there.",
        "estimate": "2026-05-04",
        "asked": "When was the transfer credited?",
        "shared": "The amount and the date of the transfer.",
    },
    "re_estimate": {"estimate": "2026-05-18", "reasons": "The institution asked for two more weeks."},
    "institution_answered": {"summary": "The transfer was released on 30 April."},
    "undo": {"reasons": "The amount is wrong."},
    "promise_remedy": {"what": "The fee is paid back.", "amount": "2.50", "currency": "USD", "by": "2026-04-20"},
    "remedy_done": {"remedy": 1, "evidence": "Transfer 4411 of 17 April.", "on": "2026-04-17"},
    "remedy_withdrawn": {"remedy": 1, "reasons": "The user was paid by the card's issuer."},
    "set_points": {"points": [{"id": "ms_4f2a.1"}, {"point": "The fee was charged twice."}]},
    "resolve": {
        "outcome": "upheld",
        "points": [{"point": "The withdrawal did not arrive.", "answer": "It was held by mistake and left today."}],
        "actions": ["The withdrawal was released."],
        "remedy": {"what": "The fee is paid back.", "amount": "USD 2.50", "by": "2026-04-20"},
    },
    "appeal": {"text": "The authority notified a review.", "by": "authority", "file_number": "2026-0117"},
    "appeal_decided": {"result": "upheld", "text": "The authority found the answer right."},
    "change_channel": {"channel": "email", "reasons": "The user asked for it."},
    "request_information": {"items": [{"item": "The transaction's id", "why": "to find it"}], "by": "2026-04-10"},
    "request_identity": {"reasons": "The answer names movements of the account."},
    "accept_representative": {
        "email": "counsel@example.org",
        "document": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "until": "2026-12-31",
        "reasons": "The notary's register confirms the power.",
    },
    "end_representative": {"reasons": "The user withdrew the power."},
    "link": {"other": "RX-7KQ4-M2PD", "reasons": "The same outage."},
    "unlink": {"other": "RX-7KQ4-M2PD", "reasons": "It was another outage."},
    "follow_up": {"on": "2026-04-14", "note": "Ask the bank again."},
    "follow_up_done": {"follow_up": 1, "note": "The bank has answered."},
    "note": {"text": "Called the bank; they answer tomorrow."},
    "merge": {"other": "RX-7KQ4-M2PD", "leads": True},
    "split": {"points": ["The card was charged twice."]},
    "withdraw": {"reasons": "The user wrote that it is solved.", "message": "ms_4f2a"},
    "reopen": {"reasons": "The user sent new documents."},
    "assign": {"owner": "agent-7", "area": "cx", "reasons": "Speaks with the bank already."},
    "claim": {},
    "reclassify": {"kind": "complaint", "reasons": "The user claims a loss."},
    "mark_urgent": {"matter": "stolen_account", "reasons": "Reports a withdrawal that was not theirs."},
    "acknowledge_urgent": {},
    "compartment": {"people": ["compliance-officer"], "reasons": "Reported to the financial intelligence unit."},
    "declare_conflict": {"about": ["agent-7"], "reasons": "The user complains about how agent-7 answered."},
    "request_erasure": {"message": "ms_4f2a"},
    "erase": {},
    "refuse_erasure": {"text": "The law obliges us to keep the records of this transfer for five years."},
    "attempts_exhausted": {"reasons": "Every address bounced for five days."},
    "propose": {"command": "extend", "order": {"until": "2026-06-19", "reasons": "The confirmation is outstanding."}},
    "approve": {},
    "send_back": {"reasons": "The second point is not answered."},
}
"""One body of each command, as the API's documentation shows it."""
