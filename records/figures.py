"""What the figures of a report share: the window of time they count in, and what became of a promise within it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, literal, or_
from sqlmodel import col

from models.obligations import A_SECOND, ObligationKind
from models.tables import ObligationRow


class Window(NamedTuple):
    """A period and the moment of looking, aware UTC: `edges` are where its months begin, and where it ends.

    The first month begins with the period, so it may be a part of one. The end itself lies outside.
    """

    edges: tuple[datetime, ...]
    at: datetime

    @property
    def start(self) -> datetime:
        """The first moment."""
        return self.edges[0]

    @property
    def end(self) -> datetime:
        """The first moment that lies outside."""
        return self.edges[-1]

    @property
    def cut(self) -> datetime:
        """Up to where anything can have happened: the end, or the moment of looking while the period runs."""
        return min(self.end, self.at)

    def holds(self, column: Any) -> ColumnElement[bool]:
        """Whether a moment lies within the period."""
        return and_(col(column) >= self.start, col(column) < self.end)

    def saw(self, column: Any) -> ColumnElement[bool]:
        """Whether something happened within the period and before the moment of looking."""
        return and_(col(column) >= self.start, col(column) < self.cut)

    def month(self, column: Any) -> ColumnElement[int]:
        """The month of the period, counted from 0, that a moment within it lies in."""
        whens = [(col(column) < edge, literal(n)) for n, edge in enumerate(self.edges[1:])]
        return case(*whens, else_=literal(len(whens) - 1))


class Fate(StrEnum):
    """What became of a promise whose due date lies in the period, each promise exactly one."""

    KEPT = "kept"
    LATE = "late"
    """Missed, and met afterwards."""
    UNMET = "unmet"
    """Missed, and still owed."""
    LAPSED = "lapsed"
    """Missed, and fallen away or replaced afterwards."""
    MOVED = "moved"
    """Replaced by another date before it ended."""
    RELEASED = "released"
    """Fallen away before it ended: withdrawn, merged, answered."""
    EXHAUSTED = "exhausted"
    """Signed before it ended: no address works."""
    RUNNING = "running"
    """Neither met nor over."""


MISSED = (Fate.LATE, Fate.UNMET, Fate.LAPSED)


def fate(at: datetime) -> ColumnElement[str]:
    """What became of a promise as it stands at `at`. A miss that nobody has recorded yet is one (reading 10)."""
    row = ObligationRow
    ended_late = or_(col(row.superseded_at) > col(row.due), col(row.exhausted_at) > col(row.due))
    whens: list[tuple[ColumnElement[bool], Fate]] = [
        (col(row.state) == "met", Fate.KEPT),
        (col(row.state) == "late", Fate.LATE),
        (and_(col(row.state) == "open", col(row.due) <= at - A_SECOND), Fate.UNMET),
        (col(row.state) == "open", Fate.RUNNING),
        (ended_late, Fate.LAPSED),
        (col(row.state) == "exhausted", Fate.EXHAUSTED),
        (col(row.superseded_by).is_not(None), Fate.MOVED),
    ]
    return case(*((when, literal(one.value)) for when, one in whens), else_=literal(Fate.RELEASED.value))


def missed(at: datetime) -> ColumnElement[bool]:
    """Whether a promise was missed."""
    return fate(at).in_([one.value for one in MISSED])


def final() -> ColumnElement[bool]:
    """The promise of the final answer (M3.4): while one is open, an inquiry waits for its answer."""
    return col(ObligationRow.kind) == ObligationKind.FINAL.value


def open_at(at: datetime) -> ColumnElement[bool]:
    """Whether a promise was made before `at` and still owed then."""
    row = ObligationRow
    later = [or_(col(end).is_(None), col(end) >= at) for end in (row.met_at, row.superseded_at, row.exhausted_at)]
    return and_(col(row.created_at) < at, *later)
