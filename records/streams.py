"""What a provider counted: every number that came in is kept, so that a missing one shows."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from models.tables import StreamNumber
from records.database import add_once


class Gap(NamedTuple):
    """Numbers that never came, `first` to `last`, between two that did."""

    stream: str
    first: int
    last: int


def add(session: Session, numbers: Iterable[tuple[str, int]], now: datetime) -> None:
    """Keep numbers that came in; the same again changes nothing."""
    for stream, n in numbers:
        add_once(session, StreamNumber(stream=stream, n=n, stored_at=now))


LARGEST_GAP = 10_000
"""A longer jump is a new start: after a quiet week Telegram chooses its next number anew."""


def gaps(session: Session, prefix: str = "") -> list[Gap]:
    """Return what is missing between the first and the last number of each stream whose name begins with `prefix`."""
    before = func.lag(col(StreamNumber.n)).over(partition_by=col(StreamNumber.stream), order_by=col(StreamNumber.n))
    known = select(col(StreamNumber.stream), col(StreamNumber.n), before.label("before"))
    rows = known.where(col(StreamNumber.stream).startswith(prefix, autoescape=True)).subquery()
    query = select(rows.c.stream, rows.c.before, rows.c.n).where(
        rows.c.n > rows.c.before + 1, rows.c.n <= rows.c.before + LARGEST_GAP
    )
    found = session.connection().execute(query.order_by(rows.c.stream, rows.c.n))
    return [Gap(stream, before_n + 1, n - 1) for stream, before_n, n in found]
