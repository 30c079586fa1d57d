"""The due list: cases as people look them up, the next due first."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from models.errors import Malformed
from models.sight import Eyes
from models.tables import CaseRow
from records import visibility
from records.cases import unknown

MOST = 200
"""The longest page."""


LISTED = (
    CaseRow.reference,
    CaseRow.kind,
    CaseRow.language,
    CaseRow.channel,
    CaseRow.area,
    CaseRow.owner,
    CaseRow.cause,
    CaseRow.status,
    CaseRow.flags,
    CaseRow.next_obligation,
    CaseRow.next_due_at,
    CaseRow.resolution_due_at,
    CaseRow.follow_up_at,
    CaseRow.received_at,
    CaseRow.opened_at,
    CaseRow.closed_at,
    CaseRow.version,
    CaseRow.seq,
    CaseRow.head,
    CaseRow.contact,
    CaseRow.subject,
    CaseRow.excerpt,
)


class CaseLine(NamedTuple):
    """A case in a list. Times are aware UTC; `subject` and `excerpt` are personal data."""

    reference: str
    kind: str
    language: str
    channel: str
    area: str
    owner: str
    cause: str | None
    status: str
    flags: tuple[str, ...]
    next_obligation: str
    next_due_at: datetime | None
    resolution_due_at: datetime | None
    follow_up_at: datetime | None
    received_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    version: int
    seq: int
    head: str
    contact: str
    subject: str
    excerpt: str


class Page(NamedTuple):
    """Part of the due list; `next_cursor` leads to the rest and is None at its end."""

    items: tuple[CaseLine, ...]
    next_cursor: str | None


def line(session: Session, reference: str) -> CaseLine:
    """Return one case as lists show it. UnknownInquiry when there is none."""
    row = session.connection().execute(select(*LISTED).where(col(CaseRow.reference) == reference)).first()  # type: ignore[call-overload]
    if row is None:
        raise unknown(reference)
    return as_line(row)


def page(
    session: Session,
    *,
    status: str | None = None,
    kind: str | None = None,
    channel: str | None = None,
    area: str | None = None,
    owner: str | None = None,
    cause: str | None = None,
    due_before: datetime | None = None,
    follow_up_before: datetime | None = None,
    text: str | None = None,
    eyes: Eyes | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """Return part of the due list: sorted by next due date (those without one last), then reference.

    `text` is looked for in reference, subject and the message's beginning, without regard to case. At most MOST a page.
    With `eyes` only what those see.
    Raises Malformed for a cursor that is not ours.
    """
    limit = max(1, min(limit, MOST))
    statement = select(*LISTED, CaseRow.due_order)  # type: ignore[call-overload]
    for column, wanted in (
        (CaseRow.status, status),
        (CaseRow.kind, kind),
        (CaseRow.channel, channel),
        (CaseRow.area, area),
        (CaseRow.owner, owner),
        (CaseRow.cause, cause),
    ):
        if wanted is not None:
            statement = statement.where(col(column) == wanted)
    if due_before is not None:
        statement = statement.where(col(CaseRow.due_order) < due_before)
    if follow_up_before is not None:
        statement = statement.where(col(CaseRow.follow_up_at) < follow_up_before)
    if text:
        statement = statement.where(col(CaseRow.search).contains(text.casefold(), autoescape=True))
    if eyes is not None:
        statement = statement.where(*visibility.visible(eyes))
    if cursor is not None:
        statement = statement.where(
            tuple_(col(CaseRow.due_order), col(CaseRow.reference)) > tuple_(*read_cursor(cursor))
        )
    statement = statement.order_by(col(CaseRow.due_order), col(CaseRow.reference)).limit(limit + 1)
    rows = session.connection().execute(statement).all()
    last = rows[limit - 1] if len(rows) > limit else None
    more = None if last is None else cursor_at(last[-1], last[0])
    return Page(tuple(as_line(row[:-1]) for row in rows[:limit]), more)


def as_line(row: Sequence[object]) -> CaseLine:
    """Return a row of what is LISTED."""
    made = CaseLine(*row)  # type: ignore[arg-type]
    return made._replace(flags=tuple(filter(None, str(made.flags).split(","))))


def cursor_at(due: datetime, reference: str) -> str:
    """Return what leads to the cases behind this one in the due list."""
    return base64.urlsafe_b64encode(json.dumps([due.isoformat(), reference]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Return where a page begins. Raises Malformed for a cursor that is not ours."""
    try:
        due, reference = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        return _utc(due), str(reference).encode().decode()
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise Malformed(
            "cursor.unknown", "this cursor was not given by us; leave it out to begin at the first page", field="cursor"
        ) from None


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("naive")
    return moment.astimezone(UTC)
