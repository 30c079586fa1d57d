"""Who has what: the inquiries of each owner, how many, and what is due next. Times are aware UTC."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func
from sqlmodel import Session, col, select

from models.inquiry import ActorId, Area, Language
from models.sight import Eyes
from models.tables import FAR, CaseRow
from records.visibility import visible

_OWING = col(CaseRow.due_order) < FAR


class Load(NamedTuple):
    """What one owner has: the inquiries that owe something, those overdue, and the next one due."""

    owner: ActorId
    owing: int
    overdue: int
    next_due_at: datetime
    next_reference: str


class Owned(NamedTuple):
    """An inquiry of somebody's, and what its owner must be trained for."""

    reference: str
    area: Area
    language: Language


def loads(session: Session, owners: Collection[ActorId]) -> dict[ActorId, int]:
    """Return how many inquiries that owe something each of these has; who has none is left out."""
    query = select(CaseRow.owner, func.count()).where(col(CaseRow.owner).in_(owners), _OWING)
    return dict(session.exec(query.group_by(col(CaseRow.owner))).all())


def workload(session: Session, now: datetime, eyes: Eyes) -> list[Load]:
    """Return what every owner has of what `eyes` see, by id; owners of nothing that is owed are left out."""
    counts = select(
        CaseRow.owner,
        func.count(),
        func.count().filter(col(CaseRow.due_order) < now),
        func.min(CaseRow.due_order),
    ).where(_OWING, *visible(eyes))
    found = session.exec(counts.group_by(col(CaseRow.owner)).order_by(col(CaseRow.owner))).all()
    return [Load(owner, owing, late, due, _first(session, owner, eyes)) for owner, owing, late, due in found]


def _first(session: Session, owner: ActorId, eyes: Eyes) -> str:
    query = select(CaseRow.reference).where(col(CaseRow.owner) == owner, *visible(eyes))
    return session.exec(query.order_by(col(CaseRow.due_order), col(CaseRow.reference)).limit(1)).one()


def owned(session: Session, owner: ActorId) -> list[Owned]:
    """Return the open inquiries of an owner, the next due first; also those that owe nothing for now."""
    query = select(CaseRow.reference, CaseRow.area, CaseRow.language)
    query = query.where(col(CaseRow.owner) == owner, col(CaseRow.closed_at).is_(None))
    rows = session.exec(query.order_by(col(CaseRow.due_order), col(CaseRow.reference)))
    return [Owned(reference, area, Language(language)) for reference, area, language in rows]
