"""Cases as people look them up: a projection that follows the workflow, and the whole state to resume it from."""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, or_, tuple_, update
from sqlmodel import Session, col, select

from models.case import Case
from models.errors import Malformed, UnknownInquiry
from models.rights import Eyes
from models.tables import FAR, CaseRow, Salt, StatusToken
from records import obligations, visibility
from records.database import add_once, first

EXCERPT = 200
MOST_SEARCH = 2_000
"""Bytes of it: PostgreSQL takes 2,704 for an entry of an index."""
MOST = 200
"""The longest page."""

_LISTED = (
    CaseRow.reference,
    CaseRow.kind,
    CaseRow.language,
    CaseRow.channel,
    CaseRow.area,
    CaseRow.owner,
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

_STATE = select(CaseRow.state, CaseRow.contact).where(col(CaseRow.reference) == bindparam("of"))
_TOKEN = select(StatusToken.token).where(col(StatusToken.reference) == bindparam("of"))
_UPDATE = update(CaseRow).where(
    col(CaseRow.reference) == bindparam("of"),
    tuple_(col(CaseRow.seq), col(CaseRow.version)) <= tuple_(bindparam("most_seq"), bindparam("most_version")),
)


class CaseLine(NamedTuple):
    """A case in a list. Times are aware UTC; `subject` and `excerpt` are personal data."""

    reference: str
    kind: str
    language: str
    channel: str
    area: str
    owner: str
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


def add(session: Session, case: Case, *, subject: str, excerpt: str, status_token: str) -> bool:
    """Add a new case, its salt and its status link's secret. False, and nothing added, if the reference is taken."""
    search = f"{case.reference} {subject} {excerpt[:EXCERPT]}".casefold()
    search = search.encode("utf-8", "replace")[:MOST_SEARCH].decode("utf-8", "ignore")
    row = CaseRow(
        reference=case.reference, subject=subject, excerpt=excerpt[:EXCERPT], search=search, **_projection(case)
    )
    if not add_once(session, row):
        return False
    digest = hashlib.sha256(status_token.encode()).hexdigest()
    add_once(session, StatusToken(digest=digest, reference=case.reference, token=status_token))
    add_once(session, Salt(reference=case.reference, salt=case.salt))
    obligations.project(session, case)
    return True


def project(session: Session, case: Case) -> bool:
    """Bring the tables up to a case; False, and nothing changed, where they are ahead of it already.

    Whose case it is only `records.contact_cases.hand_over` changes: the workflow learns of it later.
    UnknownInquiry when the case was never added.
    """
    key = {"of": case.reference, "most_seq": case.seq, "most_version": case.version}
    changes = _projection(case)
    del changes["contact"]
    if session.connection().execute(_UPDATE, changes | key).rowcount:
        obligations.project(session, case)
        return True
    if not reference_exists(session, case.reference):
        raise unknown(case.reference)
    return False


def load(session: Session, reference: str) -> Case:
    """Return the whole case as last saved. UnknownInquiry when there is none."""
    row = first(session, _STATE, of=reference)
    if row is None:
        raise unknown(reference)
    case = Case.model_validate_json(row.state)
    case.contact = row.contact
    return case


def line(session: Session, reference: str) -> CaseLine:
    """Return one case as lists show it. UnknownInquiry when there is none."""
    row = session.connection().execute(select(*_LISTED).where(col(CaseRow.reference) == reference)).first()  # type: ignore[call-overload]
    if row is None:
        raise unknown(reference)
    return _line(row)


def reference_exists(session: Session, reference: str) -> bool:
    """Say whether a case has that reference."""
    return session.exec(select(CaseRow.reference).where(col(CaseRow.reference) == reference)).first() is not None


def by_status_token(session: Session, token: str) -> str | None:
    """Return the reference behind a status link's secret, or None. Looked up by hash, so timing tells nothing of it."""
    digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    return session.exec(select(StatusToken.reference).where(col(StatusToken.digest) == digest)).first()


def status_token(session: Session, reference: str) -> str:
    """Return the secret of a case's status link, for its letters. UnknownInquiry when there is none."""
    row = first(session, _TOKEN, of=reference)
    if row is None:
        raise unknown(reference)
    return str(row.token)


def open_references(session: Session) -> list[str]:
    """Return every case whose workflow must run, for the reconciler: the open ones, and who is owed an erasure."""
    query = select(CaseRow.reference).where(
        or_(col(CaseRow.closed_at).is_(None), col(CaseRow.due_order) < FAR)  # the index of the list finds the latter
    )
    return list(session.exec(query.order_by(col(CaseRow.reference))))


def page(
    session: Session,
    *,
    status: str | None = None,
    kind: str | None = None,
    channel: str | None = None,
    area: str | None = None,
    owner: str | None = None,
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
    statement = select(*_LISTED, CaseRow.due_order)  # type: ignore[call-overload]
    for column, wanted in (
        (CaseRow.status, status),
        (CaseRow.kind, kind),
        (CaseRow.channel, channel),
        (CaseRow.area, area),
        (CaseRow.owner, owner),
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
            tuple_(col(CaseRow.due_order), col(CaseRow.reference)) > tuple_(*_read_cursor(cursor))
        )
    statement = statement.order_by(col(CaseRow.due_order), col(CaseRow.reference)).limit(limit + 1)
    rows = session.connection().execute(statement).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(tuple(_line(row[:-1]) for row in rows[:limit]), None if last is None else _cursor(last[-1], last[0]))


def _projection(case: Case) -> dict[str, Any]:
    upcoming = next(iter(case.owed()), None)
    return {
        "contact": case.contact,
        "kind": case.kind.value,
        "language": case.language.value,
        "channel": case.channel,
        "area": case.area,
        "owner": case.owner,
        "status": case.status.value,
        "flags": ",".join(case.flags),
        "next_obligation": upcoming.kind.value if upcoming else "",
        "next_due_at": upcoming.due if upcoming else None,
        "due_order": upcoming.due if upcoming else FAR,
        "resolution_due_at": case.resolution_due,
        "follow_up_at": case.follow_up_at,
        "received_at": case.received_at,
        "opened_at": case.opened_at,
        "closed_at": case.closed_at,
        "proposed": int(case.proposal is not None),
        "referred": sum(one.open for one in case.referrals),
        "version": case.version,
        "seq": case.seq,
        "head": case.head,
        **visibility.columns(case),
        "state": case.model_dump_json(),
    }


def _line(row: Sequence[object]) -> CaseLine:
    made = CaseLine(*row)  # type: ignore[arg-type]
    return made._replace(flags=tuple(filter(None, str(made.flags).split(","))))


def _cursor(due: datetime, reference: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([due.isoformat(), reference]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
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


def unknown(reference: str) -> UnknownInquiry:
    """What is raised for a reference that no inquiry has; somebody from whom one is kept is told no other words."""
    return UnknownInquiry(f"no inquiry has the reference {reference[:40]}; see the list of inquiries")
