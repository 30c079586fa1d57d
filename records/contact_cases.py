"""Whose cases are whose: what a contact has, has open, opened last or lately, and when they turn out another's."""

from datetime import datetime

from sqlalchemy import bindparam, exists, or_, update
from sqlmodel import Session, col, func, select

from models.tables import CaseRow, StoredMessage
from records.database import first

_OPENED = (
    select(func.count())
    .select_from(CaseRow)
    .where(col(CaseRow.contact) == bindparam("contact"), col(CaseRow.opened_at) >= bindparam("since"))
)
_BY_ANYBODY = exists().where(
    col(StoredMessage.reference) == col(CaseRow.reference),
    col(StoredMessage.sender_verified).is_(False),
    # What opens an inquiry is stored, or let out of quarantine, in the same moment.
    or_(
        col(StoredMessage.stored_at) == col(CaseRow.opened_at), col(StoredMessage.promoted_at) == col(CaseRow.opened_at)
    ),
)
_OPENED_BY = {True: _OPENED.where(~_BY_ANYBODY), False: _OPENED.where(_BY_ANYBODY)}
_LAST = (
    select(CaseRow.reference)
    .where(col(CaseRow.contact) == bindparam("contact"), col(CaseRow.channel) == bindparam("channel"))
    .order_by(col(CaseRow.opened_at).desc(), col(CaseRow.reference))
    .limit(1)
)
_OPEN = (
    select(CaseRow.reference)
    .where(col(CaseRow.contact) == bindparam("contact"), col(CaseRow.closed_at).is_(None))
    .order_by(col(CaseRow.opened_at), col(CaseRow.reference))
)
_HAND_OVER = update(CaseRow).where(col(CaseRow.contact) == bindparam("of")).values(contact=bindparam("whose"))


def opened_since(session: Session, contact: str, since: datetime, *, verified: bool) -> int:
    """Count the cases that a contact opened at or after `since`: each owes an acknowledgement, sent yet or not.

    Those that an unverified message opened, which anybody may have written, are counted apart from all others.
    """
    return int(first(session, _OPENED_BY[verified], contact=contact, since=since)[0])


def any_of(session: Session, contact: str) -> bool:
    """Say whether a contact has a case, closed or not."""
    return session.exec(select(CaseRow.reference).where(col(CaseRow.contact) == contact).limit(1)).first() is not None


def conversation(session: Session, contact: str, channel: str) -> str | None:
    """Return the case that a contact opened last on a channel, or None."""
    row = first(session, _LAST, contact=contact, channel=channel)
    return str(row.reference) if row else None


def open_of(session: Session, contact: str) -> list[str]:
    """Return a contact's cases that are not closed, the oldest first."""
    return [row.reference for row in session.connection().execute(_OPEN, {"contact": contact})]


def hand_over(session: Session, former: str, contact: str) -> None:
    """The cases of a contact are another's from now on: the person has shown to be the same."""
    session.connection().execute(_HAND_OVER, {"of": former, "whose": contact})
