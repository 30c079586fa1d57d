"""Business days counted for each inquiry by the calendar that it was opened under (readings 1, 3 and 13)."""

import json
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from models.calendar import BUSINESS_WEEKDAYS, BusinessCalendar
from models.due_dates import counting_starts
from models.obligations import ObligationKind
from models.tables import CaseRow, EventRow, ObligationRow
from models.terms import Terms
from records.figures import Window, final, open_at

Sort = tuple[str, str, int, int]
"""What inquiries share that count alike: versions of policy and calendar, year and month of reception."""

MARGIN = timedelta(days=400)
"""How far beyond a snapshot days are counted: there, as for the case itself, only weekends are known."""


class Taken(NamedTuple):
    """How many business days one promise took, from the day from which its term counts to that of its letter."""

    kind: str
    letter: str
    days: int


class Counting:
    """How one snapshot of closed days counts."""

    def __init__(self, calendar: BusinessCalendar, terms: Terms) -> None:
        """Number every day of the snapshot by the business days up to it."""
        self.terms, self._calendar = terms, calendar
        self._first = calendar.first - MARGIN
        last = calendar.last + MARGIN
        days = [self._first + timedelta(days=n) for n in range((last - self._first).days + 1)]
        self._numbers = list(accumulate(int(self._counts(day)) for day in days))

    def between(self, first: datetime, last: datetime) -> int:
        """Count the business days after the first moment's local day, up to and with the last one's; both aware."""
        return max(0, self._number(last) - self._number(first))

    def _number(self, at: datetime) -> int:
        place = (self._calendar.local_date(at) - self._first).days
        return self._numbers[min(max(place, 0), len(self._numbers) - 1)]

    def _counts(self, day: date) -> bool:
        if self._calendar.first <= day <= self._calendar.last:
            return self._calendar.is_business_day(day)
        return day.weekday() < BUSINESS_WEEKDAYS


class Clocks:
    """The clocks of all inquiries that a period concerns: when their terms began, and how their days count.

    Inquiries received in one month under the same policy and the same calendar share a snapshot, that of the earliest.
    """

    def __init__(self, session: Session, window: Window) -> None:
        """Read which inquiry was opened when and under what, and one snapshot of each sort."""
        self._sorts: dict[str, Sort] = {}
        self._received: dict[str, datetime] = {}
        self._submitted: dict[str, datetime] = {}
        earliest: dict[Sort, tuple[datetime, str]] = {}
        for reference, received, submitted, policy, calendar in _opened(session, window):
            sort = (policy or reference, calendar or "", received.year, received.month)
            self._sorts[reference], self._received[reference] = sort, received
            self._submitted[reference] = datetime.fromisoformat(submitted) if submitted else received
            earliest[sort] = min(earliest.get(sort, (received, reference)), (received, reference))
        self._counting = _snapshots(session, {reference: sort for sort, (_, reference) in earliest.items()})
        self._reopened = _reopened(session)

    @property
    def versions(self) -> tuple[Counter[str], Counter[str]]:
        """How many inquiries stand under each version of the policy, and of the calendar."""
        known = [sort for sort in self._sorts.values() if sort[1]]
        return Counter(sort[0] for sort in known), Counter(sort[1] for sort in known)

    def begun(self, reference: str, made: datetime) -> datetime:
        """From when a promise made at `made` counts: the reception, or that of the last reopening before it."""
        for at, received in reversed(self._reopened.get(reference, [])):
            if at <= made:
                return received
        terms = self._counting[self._sorts[reference]].terms
        return counting_starts(terms, self._received[reference], self._submitted[reference])

    def between(self, reference: str, first: datetime, last: datetime) -> int:
        """Count business days by the inquiry's own calendar; both aware UTC."""
        return self._counting[self._sorts[reference]].between(first, last)


def taken(session: Session, window: Window, clocks: Clocks) -> list[Taken]:
    """What each acknowledgement and final answer took whose term ended in the period and that was met."""
    row = ObligationRow
    kinds = [ObligationKind.ACKNOWLEDGEMENT.value, ObligationKind.FINAL.value]
    query = select(row.reference, row.kind, row.met_by, row.created_at, row.met_at).where(  # type: ignore[call-overload]
        window.holds(row.due), col(row.kind).in_(kinds), col(row.met_at).is_not(None)
    )
    return [
        Taken(kind, letter, clocks.between(reference, clocks.begun(reference, made), met))
        for reference, kind, letter, made, met in session.connection().execute(query).all()
    ]


def ages(session: Session, window: Window, clocks: Clocks) -> list[int]:
    """How many business days each inquiry had waited that waits for its answer at the period's end."""
    row = ObligationRow
    query = select(row.reference, row.created_at).where(final(), open_at(window.cut))
    return [
        clocks.between(reference, clocks.begun(reference, made), window.cut)
        for reference, made in session.connection().execute(query).all()
    ]


def _opened(session: Session, window: Window) -> list[tuple[str, datetime, str | None, str | None, str | None]]:
    due = select(ObligationRow.reference).where(window.holds(ObligationRow.due))
    alive = and_(
        col(CaseRow.opened_at) < window.end,
        or_(col(CaseRow.closed_at).is_(None), col(CaseRow.closed_at) >= window.start),
    )
    first = and_(col(EventRow.reference) == col(CaseRow.reference), col(EventRow.seq) == 1)
    said = [col(EventRow.data)[name].as_string() for name in ("submitted_at", "policy", "calendar")]
    query = (
        select(CaseRow.reference, CaseRow.received_at, *said)
        .outerjoin(EventRow, first)
        .where(or_(alive, col(CaseRow.reference).in_(due)))
    )
    return [tuple(found) for found in session.connection().execute(query).all()]


def _snapshots(session: Session, wanted: dict[str, Sort]) -> dict[Sort, Counting]:
    found = {}
    names = list(wanted)
    for begin in range(0, len(names), 500):
        query = select(CaseRow.reference, CaseRow.state).where(col(CaseRow.reference).in_(names[begin : begin + 500]))
        for reference, state in session.connection().execute(query).all():
            case = json.loads(state)
            calendar, terms = BusinessCalendar.model_validate(case["calendar"]), Terms.model_validate(case["terms"])
            found[wanted[reference]] = Counting(calendar, terms)
    return found


def _reopened(session: Session) -> dict[str, list[tuple[datetime, datetime]]]:
    """By inquiry: when it was reopened, and the reception from which its new terms count."""
    references = select(ObligationRow.reference).where(col(ObligationRow.why) == "reopened")
    query = (
        select(EventRow.reference, EventRow.at, EventRow.data)
        .where(col(EventRow.reference).in_(references), col(EventRow.type) == "case.reopened")
        .order_by(col(EventRow.reference), col(EventRow.seq))
    )
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    for reference, at, data in session.connection().execute(query).all():
        found.setdefault(reference, []).append((at, datetime.fromisoformat(data["received_at"])))
    return found
