"""The wire: the orders about answers, their dates and reviews. Unknown fields are errors; fields are only added."""

from typing import Literal

from pydantic import AwareDatetime

from models.causes import NamedCause
from models.inquiry import Outcome
from models.messages import Draft, Id, Name, Order, Reasons, When


class Reply(Order):
    """An answer on the way that is not the final one."""

    draft: Draft
    to: Literal["user", "authority"] = "user"


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
    cause: NamedCause | None = None
    """What the matter was about, and why it came up (M3.11)."""


class OpenAppeal(Order):
    """The user, or the authority, asks for a review (M3.10). `received_at` is when its letter came, else now."""

    text: Reasons
    by: Literal["user", "authority"] = "user"
    file_number: Name | None = None
    answer_by: When | None = None
    received_at: AwareDatetime | None = None


class AppealDecided(Order):
    """How the review ended."""

    result: Literal["upheld", "overturned", "settled"]
    text: Reasons


class RequestInformation(Order):
    """Ask the user for what is missing; the terms run on."""

    draft: Draft
    by: When


class Withdraw(Order):
    """Only the user withdraws, confirmed in writing: the message that says so."""

    reasons: Reasons
    message: Id


class Reopen(Order):
    """New facts after the answer: a new reception with new terms."""

    reasons: Reasons
    received_at: AwareDatetime | None = None
