"""The audit log: every denied and every sensitive action, in lines that nobody can change."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from models.tables import AuditLine
from records.database import add_once

MOST = 200
"""The longest page."""

LONGEST = 200
"""Characters of an object or a detail; what a caller made longer is cut."""


class Outcome(StrEnum):
    """What came of it."""

    DONE = "done"
    ALLOWED = "allowed"
    """They were let through; what came of it the case says."""

    DENIED = "denied"


def note(  # noqa: PLR0917  a line reads in the order it is shown
    session: Session,
    at: datetime,
    actor: str,
    action: str,
    object: str,  # noqa: A002  what the log calls it
    outcome: Outcome,
    detail: str = "",
) -> None:
    """Write a line. `actor` is an opaque id, `detail` a code or an id: never a word of a user's. `at` is aware UTC."""
    line = AuditLine(
        at=at, actor=actor, action=action, object=object[:LONGEST], outcome=outcome.value, detail=detail[:LONGEST]
    )
    add_once(session, line)


def done(session: Session, action: str, objects: Iterable[str]) -> Sequence[AuditLine]:
    """Return every line of an action that was done on one of some objects, the oldest first.

    They are found along the index of the objects: the log never shrinks, and most of it is of others.
    """
    query = select(AuditLine).where(
        col(AuditLine.object).in_(set(objects)),
        col(AuditLine.action) == action,
        col(AuditLine.outcome) == Outcome.DONE.value,
    )
    # Put in order here: for a few lines a database might rather walk the whole log in its order.
    return sorted(session.exec(query), key=lambda line: line.id or 0)


def page(
    session: Session,
    *,
    actor: str | None = None,
    action: str | None = None,
    of: str | None = None,
    outcome: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[AuditLine]:
    """Return lines, the newest first: of an actor, of an action, on an object; `before` is the last one's id."""
    query = select(AuditLine).order_by(col(AuditLine.id).desc()).limit(limit)
    for column, wanted in (
        (AuditLine.actor, actor),
        (AuditLine.action, action),
        (AuditLine.object, of),
        (AuditLine.outcome, outcome),
    ):
        if wanted is not None:
            query = query.where(col(column) == wanted)
    if before is not None:
        query = query.where(col(AuditLine.id) < before)
    return session.exec(query).all()
