"""Sessions: opened without an account, described by their visitor, and tickets for streams without headers."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import Request
from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints
from sqlmodel import Session

from channels.chat.identity import LONGEST, Identity
from channels.text import one_line
from models.errors import VerificationError
from models.inquiry import CHAT, Language
from models.tables import ChatSession
from records import chat_sessions, contacts
from starter.chat.desk import CHALLENGE, ChatDesk, LeftAddress
from starter.http.limits import network
from starter.http.problems import Problem

Name = Annotated[str, StringConstraints(max_length=200)]

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Opening(BaseModel):
    """What a visitor may say at the beginning; nothing of it is needed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    locale: Annotated[str, StringConstraints(max_length=35)] = Field(default="", examples=["es-SV"])
    email: EmailStr | None = None
    name: Name = ""
    identity_jwt: str | None = Field(
        default=None, max_length=LONGEST, repr=False, description="signed by the platform for its registered user"
    )


class Description(BaseModel):
    """What an anonymous visitor says of themselves; what is left out stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    email: EmailStr | None = None
    name: Name | None = None


class Opened(BaseModel):
    """A new session. The token is shown this once; send it as `Authorization: Bearer <token>`."""

    session: str
    token: str = Field(repr=False)
    expires_at: datetime
    bound: bool = Field(description="the platform vouches for who the visitor is")


class Described(BaseModel):
    """A session as it stands."""

    session: str
    bound: bool
    email: bool = Field(description="answers can follow the visitor to an e-mail address")


class Ticket(BaseModel):
    """Opens one stream: `GET /chat/v1/events?ticket=...`."""

    ticket: str = Field(repr=False)
    expires_at: datetime


async def open_session(desk: ChatDesk, request: Request) -> Opened:
    """Begin a conversation. Raises Problem: 401 for an identity that is not believed, 429 for too many at once."""
    desk.welcome(desk.openings, network(request.client.host if request.client else None))
    wanted = await desk.read(request, Opening)
    return await desk.threads.work(lambda: _open(desk, wanted))


async def describe(desk: ChatDesk, row: ChatSession, request: Request) -> Described:
    """Keep what a visitor says of themselves. Raises Problem (409) where the platform has said it."""
    desk.welcome(desk.light, row.id)
    if row.bound:
        raise Problem(
            HTTPStatus.CONFLICT,
            "session.bound",
            "a signed identity says who this is; have the platform change it there",
        )
    said = await desk.read(request, Description)
    return await desk.threads.work(lambda: _describe(desk, row.id, said))


async def make_ticket(desk: ChatDesk, row: ChatSession) -> Ticket:
    """Make a ticket that is good once, and not for long."""
    desk.welcome(desk.light, row.id)
    return await desk.threads.work(lambda: _make_ticket(desk, row))


async def redeem(desk: ChatDesk, ticket: str) -> ChatSession:
    """The session that a ticket is for. Raises a 401 problem."""
    row = await desk.threads.work(lambda: _redeem(desk, ticket))
    if row is None:
        raise Problem(
            HTTPStatus.UNAUTHORIZED, "ticket.unknown", "the ticket is used, late or not ours; ask for another"
        )
    return row


def _open(desk: ChatDesk, wanted: Opening) -> Opened:
    now = desk.clock()
    who = _identity(desk, wanted, now)
    with desk.database.write() as session:
        row, token = chat_sessions.open_session(
            session,
            now,
            lives=desk.settings.bound_lives if who else desk.settings.session_lives,
            language=_language(wanted.locale),
            email=who.email if who else wanted.email or "",
            name=who.name if who else one_line(wanted.name),
            account=who.account if who else "",
            bound=who is not None,
        )
        back = _joined(session, row, now)
    if back and not desk.returns.wait(row.account, now):
        desk.intake.take_address(CHAT, row.id, (CHAT, row.id))
    return Opened(session=row.id, token=token, expires_at=row.expires_at, bound=row.bound)


def _joined(session: Session, row: ChatSession, now: datetime) -> bool:
    """Whoever is known by their account is there again; False for everybody else."""
    contact = contacts.of_account(session, row.account) if row.account else None
    if contact is None:
        return False
    contacts.find_or_add(session, CHAT, row.id, name=row.name, contact=contact, now=now)
    return True


def _identity(desk: ChatDesk, wanted: Opening, now: datetime) -> Identity | None:
    if wanted.identity_jwt is None:
        return None
    try:
        return desk.verifier.read(wanted.identity_jwt, now)
    except VerificationError as error:
        log.warning("chat.identity-refused", why=str(error))
        raise Problem(HTTPStatus.UNAUTHORIZED, "identity.unverified", str(error), headers=CHALLENGE) from None


def _language(locale: str) -> Language | None:
    spoken = locale.replace("_", "-").partition("-")[0].lower()
    return Language(spoken) if spoken in {"es", "en"} else None


def _describe(desk: ChatDesk, session_id: str, said: Description) -> Described:
    name = None if said.name is None else one_line(said.name)
    with desk.database.write() as session:
        row = chat_sessions.describe(session, session_id, email=said.email, name=name)
    if row.email and not row.email_told and desk.address_left:
        desk.address_left(LeftAddress(row.id, row.email, row.name))
        with desk.database.write() as session:
            chat_sessions.told(session, row.id, row.email)
    return Described(session=row.id, bound=row.bound, email=bool(row.email))


def _make_ticket(desk: ChatDesk, row: ChatSession) -> Ticket:
    now = desk.clock()
    with desk.database.write() as session:
        ticket = chat_sessions.new_ticket(session, row.id, now)
    return Ticket(ticket=ticket, expires_at=now + chat_sessions.TICKET_LIVES)


def _redeem(desk: ChatDesk, ticket: str) -> ChatSession | None:
    now = desk.clock()
    with desk.database.write() as session:
        return chat_sessions.redeem(session, ticket, now)
