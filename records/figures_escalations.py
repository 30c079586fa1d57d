"""External institutions within a period: which took part, how long it took, how often the estimate moved (M3.6)."""

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from models.obligations import ObligationKind
from models.tables import CaseRow, EventRow, EventText, ObligationRow
from records.figures import Window, final
from records.figures_days import Clocks
from records.figures_events import Happened

ENDINGS = ("institution.answered", "case.answered", "case.withdrawn", "case.merged")
"""The facts with which an institution's part ends, besides a signature that no address works."""

FEWEST_PERSONS = 3
"""So many persons' inquiries must name an institution before a report does: what is typed once may be a person."""


class Escalations(NamedTuple):
    """Escalations begun within the period. `days` are the business days of those that ended before the cut.

    `institutions` counts those whose name enough persons' inquiries give; `unnamed` are the others.
    """

    begun: int
    estimates_moved: int
    open: int
    days: tuple[int, ...]
    institutions: dict[str, int]
    unnamed: int


def escalations(session: Session, window: Window, clocks: Clocks, facts: Happened) -> Escalations:
    """Count what began within the period, and how it ended."""
    name = and_(
        col(EventText.reference) == col(EventRow.reference),
        col(EventText.seq) == col(EventRow.seq),
        col(EventText.field) == "institution",
    )
    query = (
        select(EventRow.reference, EventRow.seq, EventRow.at, CaseRow.contact, EventText.text)  # type: ignore[call-overload]
        .join(CaseRow, col(CaseRow.reference) == col(EventRow.reference))
        .outerjoin(EventText, name)
        .where(
            col(EventRow.reference).in_(_escalated(window)),
            col(EventRow.type) == "case.escalated",
            window.saw(EventRow.at),
        )
    )
    found = session.connection().execute(query).all()
    ends = _ends(session, window)
    days, named = [], defaultdict(list)
    for reference, seq, at, contact, institution in found:
        end = min((ended for number, ended in ends.get(reference, []) if number > seq), default=None)
        if end is not None:
            days.append(clocks.between(reference, at, end))
        named[" ".join((institution or "").split()).casefold()].append((contact, institution))
    told = {
        " ".join(uses[0][1].split()): len(uses)
        for key, uses in named.items()
        if key and len({contact for contact, _ in uses}) >= FEWEST_PERSONS
    }
    return Escalations(
        begun=len(found),
        estimates_moved=facts.count("estimate.changed"),
        open=len(found) - len(days),
        days=tuple(sorted(days)),
        institutions=dict(sorted(told.items(), key=lambda use: (-use[1], use[0]))),
        unnamed=len(found) - sum(told.values()),
    )


def _escalated(window: Window) -> SelectOfScalar[str]:
    """The inquiries with an escalation within the period: by the word owed about it, found without the whole ledger."""
    row = ObligationRow
    return select(row.reference).where(
        col(row.kind) == ObligationKind.EXTERNAL.value, col(row.why) == "escalated", window.saw(row.created_at)
    )


def _ends(session: Session, window: Window) -> dict[str, list[tuple[int, datetime]]]:
    """By inquiry escalated within the period: what may have ended it, with its number in the chain."""
    escalated = _escalated(window)
    facts = select(EventRow.reference, EventRow.seq, EventRow.type, EventRow.at, EventRow.data).where(  # type: ignore[call-overload]
        col(EventRow.reference).in_(escalated),
        col(EventRow.type).in_((*ENDINGS, "attempts.exhausted")),
        col(EventRow.at) < window.cut,
    )
    signed = select(ObligationRow.reference, ObligationRow.exhausted_at).where(
        final(), col(ObligationRow.exhausted_at).is_not(None), col(ObligationRow.reference).in_(escalated)
    )
    without_address = {tuple(row) for row in session.connection().execute(signed).all()}
    found: dict[str, list[tuple[int, datetime]]] = {}
    for reference, seq, what, at, data in session.connection().execute(facts).all():
        leads = what == "case.merged" and data["leads"]
        if not leads and (what in ENDINGS or (reference, at) in without_address):
            found.setdefault(reference, []).append((seq, at))
    return found
