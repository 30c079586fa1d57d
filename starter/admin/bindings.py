"""Binding a person to a channel: one-time codes that show that an address belongs to somebody we know.

The operator's portal, where people are signed in, asks for a code for an account; an agent may ask for one for the
person of an inquiry. Whoever shows it from another address within 15 minutes joins that address to the person.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, EmailStr, Field, StringConstraints, model_validator
from sqlmodel import Session

from channels.registry import Adapters
from models.inquiry import EMAIL
from models.reference import is_reference
from models.sight import Eyes
from records import audit, bindings, cases, contacts
from records.audit import Outcome
from starter.admin.api import private
from starter.admin.desk import Desk, desk_of
from starter.admin.rights import Caller, Sight, require, seen
from starter.admin.views import View
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem, refusals
from starter.reception.persons import confirm, of_account, register

Account = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.:@/-]+$")]


class Wanted(BaseModel):
    """Whom to bind: an account of the operator's with its registered e-mail, or the person of an inquiry."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    account: Account | None = Field(default=None, description="the operator's own id of the person's account")
    email: EmailStr | None = Field(default=None, description="the e-mail registered on that account (M3.7)")
    reference: Annotated[str, StringConstraints(max_length=40)] | None = Field(default=None, examples=["RX-7KQ4-M2PD"])

    @model_validator(mode="after")
    def _one_of_the_two(self) -> "Wanted":
        if (self.account is None) == (self.reference is None):
            raise ValueError("name an account, or the reference of an inquiry")
        if self.email is not None and self.account is None:
            raise ValueError("an e-mail is registered on an account; name it")
        return self


class Made(View):
    """A code, shown this once; `links` leads to each channel that opens with it."""

    code: str
    ends_at: AwareDatetime
    links: dict[str, str]


def _of_account(session: Session, account: str, email: str | None, now: datetime) -> str:
    """Return the contact behind an account, bound from now on; its registered e-mail is theirs, whoever had it."""
    if email is None and contacts.of_account(session, account) is None:
        raise Problem(HTTPStatus.NOT_FOUND, "account.unknown", "give the account's registered e-mail with it")
    contact = of_account(session, account, now)
    if email is not None:
        register(session, contact, (EMAIL, email), now)
    return contact


def _seen_inquiry(desk: Desk, eyes: Eyes, wanted: Wanted, now: datetime) -> str | None:
    """Return the inquiry whose person is wanted, if any; whoever may not answer it finds none, and leaves a line."""
    if wanted.reference is None:
        return None
    reference = wanted.reference.strip().upper()
    with desk.database.write() as session:
        known = is_reference(reference) and cases.reference_exists(session, reference)
        found = known and seen(session, now, eyes, "binding.inquiry", reference)
    if not found:
        raise Problem(HTTPStatus.NOT_FOUND, "inquiry.unknown", "no inquiry bears that reference")
    return reference


router = APIRouter(prefix="/api/bindings", tags=["bindings"], route_class=PlainJsonRoute, dependencies=[private])


@router.post("", status_code=HTTPStatus.CREATED, responses=refusals(401, 403, 404, 413, 415, 422, 503))
def make(
    request: Request,
    *,
    wanted: Annotated[Wanted, Body()],
    actor: Caller,
    eyes: Sight,
    desk: Annotated[Desk, Depends(desk_of)],
) -> Made:
    """Make a one-time code. The person opens a link, or writes the code alone on any channel.

    Whose account somebody signed in to only the portal says; anybody who answers asks for the person of an inquiry.
    """
    require(desk, actor, "binding.account" if wanted.account is not None else "binding.inquiry", "binding")
    now = desk.clock()
    reference = _seen_inquiry(desk, eyes, wanted, now)
    with desk.database.write() as session:
        if reference is None:
            contact, bound = _of_account(session, wanted.account or "", wanted.email, now), True
        else:
            case = cases.load(session, reference)
            contact, bound = case.contact, case.bound
        code, ends_at = bindings.make(session, contact, bound=bound, made_by=actor.id, now=now)
        audit.note(session, now, actor.id, "binding.make", reference or "account", Outcome.DONE)
    channels: Adapters = request.app.state.channels
    links = {name: link for name, adapter in channels.items() if (link := adapter.link(code))}
    return Made(code=code, ends_at=ends_at, links=links)


class Confirmation(BaseModel):
    """The portal, where people are signed in: the code of the link they opened, and whose account it was."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    code: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    account: Account
    email: EmailStr | None = Field(default=None, description="the e-mail registered on that account (M3.7)")


class Confirmed(View):
    """The person is known; letters of their open inquiries may say all."""

    bound: bool


@router.post("/confirm", responses=refusals(401, 403, 404, 409, 413, 415, 422, 503))
def confirm_identity(
    given: Annotated[Confirmation, Body()], _actor: Caller, desk: Annotated[Desk, Depends(desk_of)]
) -> Confirmed:
    """Confirm who opened the link of an `identity_request`. The portal asks the person before it does."""
    now = desk.clock()
    with desk.database.write() as session:
        contact = _of_account(session, given.account, given.email, now)
        if not confirm(session, given.code, contact, now):
            raise Problem(HTTPStatus.CONFLICT, "link.over", "the link was used, has ended, or is another account's")
    desk.wake()
    return Confirmed(bound=True)
