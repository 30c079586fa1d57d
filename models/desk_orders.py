"""The wire: the orders of daily work at the desk. An unknown field is an error; fields are only ever added."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from models.causes import CodeWord
from models.inquiry import Address
from models.messages import Draft, Id, Number, Order, Reasons, When
from models.terms import Currency


def _more_than_nothing(amount: str) -> str:
    if not Decimal(amount):
        msg = "expected more than nothing"
        raise ValueError(msg)
    return amount


Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}(\.[0-9]{1,18})?$"), AfterValidator(_more_than_nothing)]
"""An amount of money as a decimal string, such as `2.50`: no float can hold one."""


class SetFollowUp(Order):
    """Look at the case again on a date. A bare date means the working hour of that business day, or of the next one."""

    on: When
    note: Reasons


class FollowUpDone(Order):
    """Somebody has looked; `note` says what came of it."""

    follow_up: Number
    note: Reasons | None = None


class RequestIdentity(Order):
    """Ask the user to show who they are. The draft says why, and holds the link that works once."""

    draft: Draft


class AcceptRepresentative(Order):
    """A power of attorney was checked. `document` is the SHA-256 of the power among the inquiry's files."""

    address: Address
    document: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    until: When
    reasons: Reasons


class EndRepresentative(Order):
    """The power of attorney is withdrawn."""

    reasons: Reasons


class Link(Order):
    """This case has to do with another one, and the other with this one; each keeps its own terms and answer."""

    other: Id
    reasons: Reasons


class Unlink(Order):
    """They have nothing to do with each other after all."""

    other: Id
    reasons: Reasons


class PromiseRemedy(Order):
    """The user gets something: what it is, how much where it is money, and by when; `kind` is one of the policy's."""

    what: Reasons
    kind: CodeWord | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    by: When


class RemedyDone(Order):
    """A promised remedy is paid or put right; `on` is the local day, today where it is left out."""

    remedy: Number
    evidence: Reasons
    on: date | None = None


class RemedyWithdrawn(Order):
    """A remedy is promised no longer."""

    remedy: Number
    reasons: Reasons
