"""Promises counted by the database: what became of those due in a period, what was open, what came and went."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, literal
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from models.obligations import A_SECOND
from models.tables import CaseRow, ObligationRow
from records.figures import Window, fate, final, open_at


class TermCount(NamedTuple):
    """So many promises of one kind with one fate. `month` counts from 0; the rest is how the inquiry stands now."""

    kind: str
    fate: str
    month: int
    channel: str
    area: str
    inquiry: str
    number: int


class Waiting(NamedTuple):
    """So many inquiries that wait for their final answer; `overdue` of them beyond its date."""

    channel: str
    area: str
    inquiry: str
    number: int
    overdue: int


class Flow(NamedTuple):
    """Inquiries that waited for an answer at the start, what came and what went, and those that wait at the end.

    `before` + `received` + `reopened` - `answered` - `withdrawn` - `merged` - `exhausted` - `other` = `after`.
    """

    before: int
    received: int
    reopened: int
    answered: int
    withdrawn: int
    merged: int
    exhausted: int
    other: int
    after: int


def terms(session: Session, window: Window) -> list[TermCount]:
    """Count the promises whose due date lies in the period, by kind, fate, month, channel, area and kind of inquiry."""
    row = ObligationRow
    groups: tuple[Any, ...] = (
        col(row.kind),
        fate(window.at).label("fate"),
        window.month(row.due).label("month"),
        col(CaseRow.channel),
        col(CaseRow.area),
        col(CaseRow.kind).label("inquiry"),
    )
    query = (
        select(*groups, func.count())  # type: ignore[call-overload]
        .join(CaseRow, col(CaseRow.reference) == col(row.reference))
        .where(window.holds(row.due))
    )
    # By place: a parameter in a group is another expression to PostgreSQL than the same one in the list.
    places = [literal(n, literal_execute=True) for n in range(1, len(groups) + 1)]
    return [TermCount(*found) for found in session.connection().execute(query.group_by(*places)).all()]


def waiting(session: Session, window: Window) -> list[Waiting]:
    """Count the inquiries that wait for their answer at the period's end, by channel, area and kind."""
    groups: tuple[Any, ...] = (col(CaseRow.channel), col(CaseRow.area), col(CaseRow.kind))
    overdue = case((col(ObligationRow.due) <= window.cut - A_SECOND, 1), else_=0)
    query = (
        select(*groups, func.count(), func.sum(overdue))  # type: ignore[call-overload]
        .join(ObligationRow, col(ObligationRow.reference) == col(CaseRow.reference))
        .where(final(), open_at(window.cut))
        .group_by(*groups)
    )
    return [Waiting(*found) for found in session.connection().execute(query).all()]


def flow(session: Session, window: Window) -> Flow:
    """Count what waited, came and went: promises of a final answer, a replaced one and its successor being the same."""
    row, former = ObligationRow, aliased(ObligationRow)
    replaces = exists().where(col(former.reference) == col(row.reference), col(former.superseded_by) == col(row.n))
    ended = and_(window.saw(row.superseded_at), col(row.superseded_by).is_(None))
    why = col(row.superseded_why)
    withdrawn, merged = why.startswith("withdrawn"), why.startswith("merged into")
    begun = and_(window.saw(row.created_at), ~replaces)
    counted = (
        open_at(window.start),
        and_(begun, col(row.why) != "reopened"),
        and_(begun, col(row.why) == "reopened"),
        window.saw(row.met_at),
        and_(ended, withdrawn),
        and_(ended, merged),
        window.saw(row.exhausted_at),
        and_(ended, ~withdrawn, ~merged),
        open_at(window.cut),
    )
    query = select(*map(_count, counted)).where(final())
    return Flow(*tuple(session.connection().execute(query).one()))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
