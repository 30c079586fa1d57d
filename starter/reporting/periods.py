"""The periods of reports: `2026-03`, `2026Q1`, or any two days, `2026-01-15..2026-02-10`, the last one included.

Days are the operator's; what is counted with are moments in UTC.
"""

import re
from datetime import date, datetime, timedelta
from typing import NamedTuple

from models.calendar import BusinessCalendar
from models.errors import CalendarError, Malformed
from records.figures import Window

YEAR = r"2[01]\d\d"
MONTH = re.compile(rf"({YEAR})-(\d\d)", re.ASCII)
QUARTER = re.compile(rf"({YEAR})-?[Qq]([1-4])", re.ASCII)
DAYS = re.compile(rf"({YEAR}-\d\d-\d\d)\.\.({YEAR}-\d\d-\d\d)", re.ASCII)
MOST_MONTHS = 60
A_DAY = timedelta(days=1)


class Period(NamedTuple):
    """From one local day to another, both included."""

    name: str
    first: date
    last: date

    @property
    def months(self) -> tuple[str, ...]:
        """The months that it touches, such as `2026-03`."""
        return tuple(f"{one:%Y-%m}" for one in self._beginnings())

    def window(self, calendar: BusinessCalendar, now: datetime) -> Window:
        """The moments to count between, in the calendar's zone. Malformed for what has not begun, or no calendar knows.

        `now` is aware UTC.
        """
        days = (*self._beginnings(), self.last + A_DAY)
        try:
            edges = tuple(calendar.from_local(datetime(day.year, day.month, day.day)) for day in days)  # noqa: DTZ001  made aware by the calendar
        except CalendarError:
            raise _unreadable() from None
        if edges[0] >= now:
            raise Malformed("report.future", "the period has not begun; there is nothing to report", field="period")
        return Window(edges, now)

    def _beginnings(self) -> list[date]:
        days = [self.first]
        while (following := _next_month(days[-1])) <= self.last:
            days.append(following)
        return days


def read_period(text: str) -> Period:
    """Read a month, a quarter or two days. Raises Malformed."""
    try:
        if match := MONTH.fullmatch(text):
            year, month = map(int, match.groups())
            return _until(f"{year:04}-{month:02}", date(year, month, 1), 1)
        if match := QUARTER.fullmatch(text):
            year, quarter = map(int, match.groups())
            return _until(f"{year:04}Q{quarter}", date(year, 3 * quarter - 2, 1), 3)
        if match := DAYS.fullmatch(text):
            first, last = map(date.fromisoformat, match.groups())
            return _two_days(first, last)
    except ValueError:  # there is no such day
        raise _unreadable() from None
    raise _unreadable()


def _two_days(first: date, last: date) -> Period:
    if last < first:
        raise Malformed("report.period", "the last day lies before the first", field="period")
    if 12 * (last.year - first.year) + last.month - first.month >= MOST_MONTHS:
        raise Malformed("report.period", f"a report covers at most {MOST_MONTHS} months", field="period")
    return Period(f"{first}..{last}", first, last)


def _until(name: str, first: date, months: int) -> Period:
    end = first
    for _ in range(months):
        end = _next_month(end)
    return Period(name, first, end - A_DAY)


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _unreadable() -> Malformed:
    return Malformed("report.period", "write 2026-03, 2026Q1 or 2026-01-15..2026-02-10", field="period")
