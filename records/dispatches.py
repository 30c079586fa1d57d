"""What Temporal must be told, queued durably: stored with the message, sent later in stored order a conversation."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, func, insert, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from models.tables import Dispatch
from models.tables.base import UtcTime

START = "start"
RESUME = "resume"
DELIVERED = "notice_delivered"
MOST_DELIVERED = 500
MOST_ERROR = 500
DEAD_AFTER = 5
"""Refusals after which a row counts as a dead letter: tried on slowly, and told as an alarm."""


class Waiting(NamedTuple):
    """What has not reached Temporal: rows, rows of each name, and when the oldest was stored (aware UTC)."""

    total: int
    names: Mapping[str, int]
    oldest: datetime | None


def add(
    session: Session,
    reference: str,
    name: str,
    payload: Mapping[str, Any],
    now: datetime,
    *,
    not_before: datetime | None = None,
) -> Dispatch:
    """Queue `start`, `resume` or a signal's name. `payload` is JSON: a signal's order."""
    row = Dispatch(reference=reference, name=name, payload=dict(payload), created_at=now, not_before=not_before)
    values = row.model_dump(exclude={"id"})
    (row.id,) = session.connection().execute(_ADD, values).inserted_primary_key or (None,)
    return row


def add_all(session: Session, rows: Sequence[Dispatch]) -> None:
    """Queue many rows at once."""
    if rows:
        session.connection().execute(_ADD, [row.model_dump(exclude={"id"}) for row in rows])


def pending_delivered(
    session: Session, reference: str, notice: str, at: datetime, now: datetime, *, not_before: datetime
) -> Dispatch:
    """Queue that a letter reached its mailbox at `at`; several letters of one inquiry go out as one signal.

    The key joins a row that nobody has tried to send; the order's `at` is the latest of them. Each letter's own time
    stands with its notice.
    """
    rows = session.exec(
        select(Dispatch)
        .where(
            col(Dispatch.reference) == reference,
            col(Dispatch.done_at).is_(None),
            col(Dispatch.name) == DELIVERED,
            col(Dispatch.claimed_until).is_(None),
            col(Dispatch.attempts) == 0,
        )
        .order_by(col(Dispatch.id).desc())
        .with_for_update()
    )
    for row in rows:
        notices: list[str] = row.payload["notices"]
        if notice in notices:
            return row
        if len(notices) < MOST_DELIVERED:
            latest = max(at, datetime.fromisoformat(row.payload["at"]))
            row.payload = {"notices": [*notices, notice], "at": latest.isoformat()}
            session.add(row)
            session.flush()
            return row
    payload = {"notices": [notice], "at": at.isoformat()}
    return add(session, reference, DELIVERED, payload, now, not_before=not_before)


def claim(session: Session, now: datetime, *, lease_seconds: float, limit: int) -> list[Dispatch]:
    """Take up to `limit` rows to send, for `lease_seconds`: the first undone one of each conversation, oldest first.

    A row waits for the one before it, sent or not, with one exception: a row held back on purpose that nobody tried yet
    (facts that travel in batches) lets later ones pass. A lease that ran out is free again, so a row may be sent twice.
    """
    rows = list(session.exec(_FREE, params={"now": now, "most": limit}))
    for row in rows:
        row.claimed_until = now + timedelta(seconds=lease_seconds)
    session.flush()
    return rows


def done(session: Session, dispatch_id: int, now: datetime) -> None:
    """Temporal has it."""
    if not session.connection().execute(_DONE, {"of": dispatch_id, "now": now}).rowcount:
        raise _missing(dispatch_id)


def retry(session: Session, dispatch_id: int, error: str, not_before: datetime, *, refused: bool) -> int:
    """Temporal did not take it, or `refused` it: not again before `not_before`. Returns the tries.

    `error` is without personal data.
    """
    row = _get(session, dispatch_id)
    if row.done_at is None:
        row.attempts += 1
        row.refusals += int(refused)
        row.last_error, row.not_before, row.claimed_until = error[:MOST_ERROR], not_before, None
        session.add(row)
        session.flush()
    return row.attempts


def waiting(session: Session) -> Waiting:
    """Count what Temporal has not been told yet."""
    query = select(Dispatch.name, Dispatch.created_at).where(col(Dispatch.done_at).is_(None))
    found = session.exec(query).all()
    return Waiting(len(found), Counter(name for name, _ in found), min((at for _, at in found), default=None))


def all_undone(session: Session, limit: int = 1000) -> list[Dispatch]:
    """Return what waits, in stored order."""
    query = select(Dispatch).where(col(Dispatch.done_at).is_(None)).order_by(col(Dispatch.id))
    return list(session.exec(query.limit(limit)))


def hurry(session: Session, reference: str, now: datetime) -> int:
    """Let what waits for one inquiry be tried at once; return how many rows that is."""
    rows = undone(session, reference)
    for row in rows:
        row.not_before = now
        session.add(row)
    session.flush()
    return len(rows)


def starting(session: Session) -> set[str]:
    """Return the inquiries that wait to be started or resumed."""
    query = select(Dispatch.reference).where(col(Dispatch.done_at).is_(None), col(Dispatch.name).in_((START, RESUME)))
    return set(session.exec(query))


def undone(session: Session, reference: str) -> list[Dispatch]:
    """Return what waits for one inquiry, in stored order."""
    query = select(Dispatch).where(col(Dispatch.reference) == reference, col(Dispatch.done_at).is_(None))
    return list(session.exec(query.order_by(col(Dispatch.id))))


def _get(session: Session, dispatch_id: int) -> Dispatch:
    row = session.get(Dispatch, dispatch_id)
    if row is None:
        raise _missing(dispatch_id)
    return row


def _missing(dispatch_id: int) -> KeyError:
    return KeyError(f"no dispatch has the number {dispatch_id}")


def _free() -> SelectOfScalar[Dispatch]:
    """The rows that can be claimed at `now`, at most `most`."""
    earlier, now = aliased(Dispatch), bindparam("now", type_=UtcTime())
    resting = and_(col(earlier.attempts) == 0, col(earlier.not_before).is_not(None), col(earlier.not_before) > now)
    blocked = (
        select(earlier.id)
        .where(
            col(earlier.reference) == col(Dispatch.reference),
            col(earlier.done_at).is_(None),
            col(earlier.id) < col(Dispatch.id),
            ~resting,
        )
        .exists()
    )
    query = select(Dispatch).where(
        col(Dispatch.done_at).is_(None),
        or_(col(Dispatch.claimed_until).is_(None), col(Dispatch.claimed_until) <= now),
        or_(col(Dispatch.not_before).is_(None), col(Dispatch.not_before) <= now),
        ~blocked,
    )
    return query.order_by(col(Dispatch.id)).limit(bindparam("most")).with_for_update(skip_locked=True)


_FREE = _free()
_ADD = insert(Dispatch)
_DONE = (
    update(Dispatch)
    .where(col(Dispatch.id) == bindparam("of"))
    .values(done_at=func.coalesce(col(Dispatch.done_at), bindparam("now", type_=UtcTime())), claimed_until=None)
)
