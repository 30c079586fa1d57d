"""How the house stands, in numbers: read at each scrape, along indexes alone, however many inquiries there ever were.

Nothing here names a person or an inquiry. Times are aware UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from models.inquiry import Flag
from models.obligations import A_SECOND
from models.tables import (
    CaseRow,
    Dispatch,
    Notice,
    NoticeState,
    ObligationRow,
    RemoteFile,
    StoredMessage,
    StoredPost,
    Webhook,
)
from records import dispatches, feeds, messages

MOST = 10_000
"""More of anything that waits is not counted: whoever is told of so much need not know how much."""


class Queue(NamedTuple):
    """How much waits, MOST at most, and since when the oldest does."""

    waiting: int
    oldest: datetime | None


class Look(NamedTuple):
    """A feed's last look, and whether it fails."""

    at: datetime | None
    failing: bool


class Gauges(NamedTuple):
    """Everything that is counted: `open` by status and area, `due` by the position of the moment asked for."""

    open: Mapping[tuple[str, str], int]
    undelivered: int
    proposals: int
    referrals: int
    missed: int
    due: tuple[int, ...]
    letters: Queue
    handovers: Queue
    dead: int
    quarantine: int
    posts: Queue
    files: Queue
    last_message: Mapping[str, datetime]
    feeds: Mapping[str, Look]
    webhooks: int


def read(session: Session, now: datetime, soon: Sequence[datetime], channels: Iterable[str]) -> Gauges:
    """Count. `soon` are the moments, rising, up to which promises fall due; `channels` whose messages are asked for."""
    cases = _cases(session)
    missed, due = _promises(session, now, soon)
    return Gauges(
        open={(row.status, row.area): int(row.count) for row in cases},
        undelivered=sum(int(row.undelivered) for row in cases),
        proposals=sum(int(row.proposed) for row in cases),
        referrals=sum(int(row.referred) for row in cases),
        missed=missed,
        due=due,
        letters=_queue(session, Notice.created_at, col(Notice.state) == NoticeState.SENDING),
        handovers=_queue(
            session,
            Dispatch.created_at,
            col(Dispatch.done_at).is_(None),
            # What is gathered on purpose does not wait for anybody.
            ~((col(Dispatch.attempts) == 0) & (func.coalesce(col(Dispatch.not_before), now) > now)),
        ),
        dead=_queue(
            session,
            Dispatch.created_at,
            col(Dispatch.done_at).is_(None),
            col(Dispatch.refusals) >= dispatches.DEAD_AFTER,
        ).waiting,
        quarantine=messages.quarantine(session, MOST),
        posts=_queue(session, StoredPost.stored_at),
        files=_queue(session, RemoteFile.created_at, col(RemoteFile.done_at).is_(None)),
        last_message=_last_messages(session, channels),
        feeds={row.name: Look(row.looked_at, row.failing_since is not None) for row in feeds.all_of_them(session)},
        webhooks=_failing_webhooks(session),
    )


def _cases(session: Session) -> Sequence[Any]:
    """Open cases by status and area, along an index that holds them alone."""
    marked = case((col(CaseRow.flags).contains(Flag.UNDELIVERED.value), 1), else_=0)
    query = select(
        col(CaseRow.status),
        col(CaseRow.area),
        func.count().label("count"),
        func.sum(marked).label("undelivered"),
        func.sum(col(CaseRow.proposed)).label("proposed"),
        func.sum(col(CaseRow.referred)).label("referred"),
    )
    counted = query.where(col(CaseRow.closed_at).is_(None)).group_by(col(CaseRow.status), col(CaseRow.area))
    return session.connection().execute(counted).all()


def _promises(session: Session, now: datetime, soon: Sequence[datetime]) -> tuple[int, tuple[int, ...]]:
    """Promises that are open: how many are missed, and how many fall due up to each moment."""
    missed = now - A_SECOND  # a term includes its last second (reading 1)
    due = col(ObligationRow.due)
    sums = [func.sum(case((due < missed, 1), else_=0))]
    sums += [func.sum(case(((due >= missed) & (due <= until), 1), else_=0)) for until in soon]
    query = select(*sums).where(col(ObligationRow.state) == "open", due <= max(soon, default=now))
    first, *rest = session.connection().execute(query).one()
    return int(first or 0), tuple(int(count or 0) for count in rest)


def _queue(session: Session, since: Any, *wanted: Any) -> Queue:
    waiting = select(col(since).label("since")).where(*wanted).order_by(col(since)).limit(MOST).subquery()
    count, oldest = session.connection().execute(select(func.count(), func.min(waiting.c.since))).one()
    return Queue(int(count), oldest)


def _last_messages(session: Session, channels: Iterable[str]) -> dict[str, datetime]:
    """When the newest message of each channel was stored; a channel that never had one is left out."""
    newest = select(col(StoredMessage.stored_at)).order_by(col(StoredMessage.n).desc()).limit(1)
    asked = ((name, newest.where(col(StoredMessage.channel) == name)) for name in channels)
    found = ((name, session.connection().execute(query).scalar()) for name, query in asked)
    return {name: at for name, at in found if at is not None}


def _failing_webhooks(session: Session) -> int:
    failing = col(Webhook.failing_since).is_not(None) | col(Webhook.off_at).is_not(None)
    return int(session.connection().execute(select(func.count()).select_from(Webhook).where(failing)).scalar_one())
