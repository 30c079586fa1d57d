"""Where each feed stands: its cursor, which process runs it, and how its last look went."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, or_, select

from models.tables import FeedRow
from records.database import add_once

MOST_ERROR = 500


def hold(session: Session, name: str, channel: str, holder: str, *, now: datetime, lease: timedelta) -> str | None:
    """Take a feed for `lease`, or go on holding it: its cursor; None while another process has it."""
    add_once(session, FeedRow(name=name, channel=channel))
    row = _get(session, name)
    if row.holder != holder and row.held_until is not None and row.held_until > now:
        return None
    row.holder, row.held_until = holder, now + lease
    _put(session, row)
    return row.cursor


def looked(session: Session, name: str, cursor: str, now: datetime, *, holder: str, late: int = 0) -> bool:
    """A look went well, and what it brought is stored; True when it had failed before.

    Where another process has taken the feed over meanwhile, its cursor stands.
    """
    row = _get(session, name)
    if row.holder != holder:
        return False
    recovered = row.failing_since is not None
    row.cursor, row.looked_at, row.failing_since, row.last_error = cursor, now, None, ""
    row.late += late
    _put(session, row)
    return recovered


def failed(session: Session, name: str, error: str, now: datetime) -> bool:
    """A look failed. `error` without personal data. True when the one before had not."""
    row = _get(session, name)
    fresh = row.failing_since is None
    row.failing_since, row.last_error = row.failing_since or now, error[:MOST_ERROR]
    _put(session, row)
    return fresh


def release(session: Session, name: str, holder: str) -> None:
    """Let go of a feed, so that another process can take it at once."""
    row = _get(session, name)
    if row.holder == holder:
        row.holder, row.held_until = "", None
        _put(session, row)


def rest(session: Session, wanted: Collection[str], now: datetime) -> None:
    """Feeds that are wanted no more, and that nobody runs, are not missed; where they stood is kept."""
    free = or_(col(FeedRow.held_until).is_(None), col(FeedRow.held_until) <= now)
    query = update(FeedRow).where(col(FeedRow.name).not_in(wanted), free)
    session.connection().execute(query.values(looked_at=None, failing_since=None, last_error=""))


def all_of_them(session: Session) -> list[FeedRow]:
    """Return every feed that was ever run, by name."""
    return list(session.exec(select(FeedRow).order_by(col(FeedRow.name))))


def _get(session: Session, name: str) -> FeedRow:
    row = session.get(FeedRow, name, with_for_update=True)
    if row is None:
        raise KeyError(f"no feed is called {name}")
    return row


def _put(session: Session, row: FeedRow) -> None:
    session.add(row)
    session.flush()
