"""What a provider counted: the numbers that came in are kept for 30 days, so that a missing one shows."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby, takewhile
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, select
from sqlmodel import Session, col

from models.tables import SettledGap, StreamNumber
from records.database import add_once

KEPT = timedelta(days=30)
LARGEST_GAP = 10_000
"""A longer jump is a new start: after a quiet week Telegram chooses its next number anew."""

_FORGOTTEN_AT_ONCE = 10
_LOWEST = (
    select(col(StreamNumber.n), col(StreamNumber.stored_at))
    .where(col(StreamNumber.stream) == bindparam("stream"))
    .order_by(col(StreamNumber.n))
    .limit(_FORGOTTEN_AT_ONCE)
)


class Gap(NamedTuple):
    """Numbers that never came, `first` to `last`, between two that did."""

    stream: str
    first: int
    last: int


def add(session: Session, numbers: Iterable[tuple[str, int]], now: datetime) -> None:
    """Keep numbers that came in; the same again changes nothing. A few that are older than KEPT go in their place.

    What comes late from just below where a stream begins was settled, or forgotten: it would look like a gap.
    """
    for stream, told in groupby(sorted(numbers), key=lambda one: one[0]):
        lowest = session.connection().execute(_LOWEST, {"stream": stream}).all()
        for _, n in told:
            if not lowest or not lowest[0].n - LARGEST_GAP <= n < lowest[0].n:
                add_once(session, StreamNumber(stream=stream, n=n, stored_at=now))
        old = list(takewhile(lambda row: row.stored_at < now - KEPT, lowest))
        if old:
            # The newest of them stays, so that what is missing behind it still shows.
            _forget(session, stream, old[-1].n - 1)


def settle(session: Session, stream: str, *, by: str, why: str, now: datetime) -> list[Gap]:
    """A person has looked into what is missing in a stream: it begins behind that now. Return what was missing.

    Who signed, and what they found, is kept for good.
    """
    found = [gap for gap in gaps(session, stream) if gap.stream == stream]
    for gap in found:
        signed = SettledGap(**gap._asdict(), settled_by=by, reasons=why, settled_at=now)
        add_once(session, signed)
    if found:
        _forget(session, stream, found[-1].last)
    return found


def gaps(session: Session, prefix: str = "", *, since: datetime | None = None) -> list[Gap]:
    """Return what is missing between the first and the last number of each stream whose name begins with `prefix`.

    With `since`, aware UTC, only what was missing when a later number came after that.
    """
    before = func.lag(col(StreamNumber.n)).over(partition_by=col(StreamNumber.stream), order_by=col(StreamNumber.n))
    known = select(col(StreamNumber.stream), col(StreamNumber.n), col(StreamNumber.stored_at), before.label("before"))
    rows = known.where(col(StreamNumber.stream).startswith(prefix, autoescape=True)).subquery()
    query = select(rows.c.stream, rows.c.before, rows.c.n).where(
        rows.c.n > rows.c.before + 1, rows.c.n <= rows.c.before + LARGEST_GAP
    )
    if since is not None:
        query = query.where(rows.c.stored_at >= since)
    found = session.connection().execute(query.order_by(rows.c.stream, rows.c.n))
    return [Gap(stream, before_n + 1, n - 1) for stream, before_n, n in found]


def _forget(session: Session, stream: str, until: int) -> None:
    these = col(StreamNumber.stream) == stream, col(StreamNumber.n) <= until
    session.connection().execute(delete(StreamNumber).where(*these))
