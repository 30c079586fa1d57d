"""The web chat's visitors: their sessions, known by a token alone, and tickets for streams."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, update
from sqlmodel import Session, col, select

from models.tables import ChatSession, ChatTicket
from records.database import add_once
from records.ids import new_id

SECRET_BYTES = 32
TICKET_LIVES = timedelta(seconds=30)
PRESENT_FOR = timedelta(minutes=2)
"""A visitor counts as present this long after they were last known to be there."""

_BY_DIGEST = select(ChatSession).where(col(ChatSession.digest) == bindparam("digest"))
_BY_ID = select(ChatSession).where(col(ChatSession.id) == bindparam("id"))
_HELD = _BY_ID.with_for_update().execution_options(populate_existing=True)


class Head(NamedTuple):
    """How far a session's book has been written, and how far the visitor has read it."""

    session: str
    last_seq: int
    read_seq: int


def open_session(
    session: Session,
    now: datetime,
    *,
    lives: timedelta,
    language: str | None = None,
    email: str = "",
    name: str = "",
    account: str = "",
    bound: bool = False,
) -> tuple[ChatSession, str]:
    """Begin a conversation; return it with its token, which is shown this once and never again."""
    token = secrets.token_urlsafe(SECRET_BYTES)
    row = ChatSession(
        id=new_id("cs"),
        digest=_digest(token),
        language=language,
        email=email,
        name=name,
        account=account,
        bound=bound,
        created_at=now,
        expires_at=now + lives,
        seen_at=now,
    )
    add_once(session, row)
    return row, token


def by_token(session: Session, token: str, now: datetime) -> ChatSession | None:
    """Return the session that a token opens, or None. Looked up by hash, so the time it takes tells nothing of it."""
    row = session.exec(_BY_DIGEST, params={"digest": _digest(token)}).first()
    return row if row and now < row.expires_at else None


def get(session: Session, session_id: str) -> ChatSession:
    """Return a session. KeyError when there is none."""
    row = session.exec(_BY_ID, params={"id": session_id}).first()
    if row is None:
        raise _unknown(session_id)
    return row


def describe(session: Session, session_id: str, *, email: str | None, name: str | None) -> ChatSession:
    """Keep what a visitor says of themselves; None leaves it as it is. KeyError when there is no such session."""
    row = hold(session, session_id)
    if email is not None and email != row.email:
        row.email, row.email_told = email, False
    row.name = row.name if name is None else name
    return put(session, row)


def told(session: Session, session_id: str, email: str) -> None:
    """Intake knows this address of the visitor's now."""
    this = col(ChatSession.id) == session_id, col(ChatSession.email) == email, col(ChatSession.email_told).is_(False)
    session.connection().execute(update(ChatSession).where(*this).values(email_told=True))


def new_ticket(session: Session, session_id: str, now: datetime) -> str:
    """Make a ticket that opens one stream within TICKET_LIVES; those that nobody used in time go."""
    ticket = secrets.token_urlsafe(SECRET_BYTES)
    session.connection().execute(delete(ChatTicket).where(col(ChatTicket.expires_at) <= now))
    add_once(session, ChatTicket(digest=_digest(ticket), session=session_id, expires_at=now + TICKET_LIVES))
    return ticket


def redeem(session: Session, ticket: str, now: datetime) -> ChatSession | None:
    """Return the session that a ticket is for, and use the ticket up; None for one that is used, late or not ours."""
    row = session.get(ChatTicket, _digest(ticket))
    if row is None:
        return None
    used = session.connection().execute(delete(ChatTicket).where(col(ChatTicket.digest) == row.digest)).rowcount
    owner = get(session, row.session)
    return owner if used and now < min(row.expires_at, owner.expires_at) else None


def heads(session: Session, session_ids: Sequence[str]) -> list[Head]:
    """Return how far some sessions have come."""
    columns = ChatSession.id, ChatSession.last_seq, ChatSession.read_seq
    rows = session.exec(select(*columns).where(col(ChatSession.id).in_(session_ids)))
    return [Head(*row) for row in rows]


def present(session: Session, session_ids: Sequence[str], now: datetime) -> None:
    """These visitors are there."""
    session.connection().execute(update(ChatSession).where(col(ChatSession.id).in_(session_ids)).values(seen_at=now))


def hold(session: Session, session_id: str) -> ChatSession:
    """Return a session that nobody else changes until the transaction ends. KeyError when there is none."""
    row = session.exec(_HELD, params={"id": session_id}).first()
    if row is None:
        raise _unknown(session_id)
    return row


def put(session: Session, row: ChatSession) -> ChatSession:
    """Write a session that is held."""
    session.add(row)
    session.flush()
    return row


def _unknown(session_id: str) -> KeyError:
    return KeyError(f"no chat session has the id {session_id}")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
