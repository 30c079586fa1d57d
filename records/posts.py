"""What channels' providers posted and nobody has read yet: kept as it came, in its order, until it is read."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, insert, or_, update
from sqlmodel import Session, col, select

from models.tables import StoredPost
from models.tables.base import UtcTime
from records.database import first

CONTENT_TYPE = "content-type"
"""The one header of a post that is kept with it."""

MOST_ERROR = 500
DEAD_AFTER = 5
"""Tries after which a post that cannot be taken in counts as a dead letter: tried on slowly, and told as an alarm."""

_NOW = bindparam("now", type_=UtcTime())
_ADD = insert(StoredPost)
# Nothing waits behind what was refused.
_FRESH = col(StoredPost.attempts) == 0
_WAITS = select(StoredPost.id).where(col(StoredPost.channel) == bindparam("channel"), _FRESH).limit(1)
_DUE = or_(col(StoredPost.not_before).is_(None), col(StoredPost.not_before) <= _NOW)
_ANY = select(StoredPost.id).where(_DUE).limit(1)
_FREE = (
    select(StoredPost)
    .where(
        _DUE,
        ~exists().where(col(StoredPost.claimed_until) > _NOW).correlate(None),
    )
    .order_by(col(StoredPost.id))
    .limit(bindparam("most"))
)


class Refused(NamedTuple):
    """A post that could not be taken in: not again before `not_before`, and why, without personal data."""

    id: int
    error: str
    not_before: datetime


def add_all(session: Session, rows: Sequence[StoredPost]) -> None:
    """Keep posts, in this order."""
    session.connection().execute(_ADD, [row.model_dump(exclude={"id"}) for row in rows])


def waits(session: Session, channel: str) -> bool:
    """Say whether anything of a channel waits to be read for the first time."""
    return first(session, _WAITS, channel=channel) is not None


def channels(session: Session) -> set[str]:
    """Return the channels of which something waits to be read for the first time."""
    return set(session.exec(select(StoredPost.channel).where(_FRESH).distinct()))


def due(session: Session, now: datetime) -> bool:
    """Say whether anything is to be read."""
    return first(session, _ANY, now=now) is not None


def claim(session: Session, now: datetime, *, lease: timedelta, limit: int) -> list[StoredPost]:
    """Take the oldest posts to read them, for `lease`: none while another process reads, so that they keep their order.

    A lease that ran out is free again, so a post may be read twice.
    """
    rows = list(session.exec(_FREE, params={"now": now, "most": limit}))
    for row in rows:
        row.claimed_until = now + lease
    session.flush()
    return rows


def settle(session: Session, read: Iterable[int], refused: Iterable[Refused], left: Iterable[int] = ()) -> None:
    """What was read is gone; what was refused waits for its time; what was `left` unread is free for others."""
    these = col(StoredPost.id)
    connection = session.connection()
    connection.execute(delete(StoredPost).where(these.in_(list(read))))
    for one in refused:
        again = {"attempts": col(StoredPost.attempts) + 1, "last_error": one.error[:MOST_ERROR]}
        query = update(StoredPost).where(these == one.id)
        connection.execute(query.values(**again, not_before=one.not_before, claimed_until=None))
    connection.execute(update(StoredPost).where(these.in_(list(left))).values(claimed_until=None))


def dead(session: Session) -> list[StoredPost]:
    """Return the posts that were refused again and again."""
    query = select(StoredPost).where(col(StoredPost.attempts) >= DEAD_AFTER)
    return list(session.exec(query.order_by(col(StoredPost.id))))
