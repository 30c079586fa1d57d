"""BusinessCalendar: which days count, and n business days after a moment, explained day by day.

Pure and safe to replay: a calendar is data (a versioned snapshot of closed days), and nothing here reads a clock, a
table or a library of holidays. A local date is a date in the calendar's own zone; every datetime taken or given is
aware UTC. What lies outside the snapshot is unknown and raises CalendarError, which names what is known. Readings 1
and 3 of the manual.
"""

import datetime as dt
from functools import cache, cached_property, lru_cache
from zoneinfo import ZoneInfo

from pydantic import field_validator

from models.errors import CalendarError
from models.inquiry import Wire

DEFAULT_ZONE = "America/El_Salvador"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BUSINESS_WEEKDAYS = 5
"""Monday to Friday (reading 3)."""

RECEIPT_DAY = "the day of receipt does not count"
END_OF_DAY = dt.time(23, 59, 59)


class ClosedDay(Wire):
    """A day on which no term runs: the reason in a few words, the kind (national, city or decree), its source."""

    date: dt.date
    reason: str
    kind: str
    source: str


class Step(Wire):
    """One day of a walk: `counted` is its number among the business days, or None and then `reason` says why not."""

    date: dt.date
    weekday: str
    counted: int | None
    reason: str | None


class Walk(Wire):
    """How a due date was found: the local date of receipt first, then every day to the last counted one."""

    received: dt.date
    n: int
    days: tuple[Step, ...]
    due: dt.date


@lru_cache(maxsize=1000)
def _shared(closed: tuple[ClosedDay, ...]) -> tuple[ClosedDay, ...]:
    """One copy of the days for the thousands of cases in memory that carry the same ones."""
    return closed


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise CalendarError(
            f"zone {name!r} is unknown: name one of the IANA time zones, such as {DEFAULT_ZONE}"
        ) from error


class BusinessCalendar(Wire):
    """A versioned snapshot of closed days from `first` to `last` (local dates), and the arithmetic over it.

    Other closed days make another calendar: build a new one, since a changed copy would keep the look-up of this one.
    """

    version: str
    zone: str = DEFAULT_ZONE
    first: dt.date
    last: dt.date
    closed: tuple[ClosedDay, ...] = ()

    @field_validator("closed")
    @classmethod
    def _kept_once(cls, closed: tuple[ClosedDay, ...]) -> tuple[ClosedDay, ...]:
        return _shared(closed)

    @cached_property
    def _reasons(self) -> dict[dt.date, str]:
        return {day.date: day.reason for day in self.closed}

    def local_date(self, at: dt.datetime) -> dt.date:
        """Return the local date of an aware moment; a naive one raises CalendarError."""
        if at.utcoffset() is None:
            raise CalendarError(f"{at.isoformat()} has no UTC offset: give an aware datetime")
        try:
            return at.astimezone(_zone(self.zone)).date()
        except OverflowError as error:
            raise CalendarError(f"{at.isoformat()} has no local date in {self.zone}") from error

    def utc_offset(self, at: dt.datetime) -> dt.timedelta:
        """Return the zone's offset from UTC at an aware moment."""
        return at.astimezone(_zone(self.zone)).utcoffset() or dt.timedelta()

    def end_of(self, day: dt.date) -> dt.datetime:
        """Return 23:59:59 local of the day as aware UTC (reading 1)."""
        return self._utc(day, END_OF_DAY)

    def at(self, day: dt.date, hour: int) -> dt.datetime:
        """Return the local full hour (0 to 23) of the day as aware UTC."""
        try:
            time = dt.time(hour)
        except ValueError as error:
            raise CalendarError(f"{hour} is no hour of a day: give 0 to 23") from error
        return self._utc(day, time)

    def from_local(self, wall: dt.datetime) -> dt.datetime:
        """Return the moment, aware UTC, of a local time without offset; one with an offset raises CalendarError."""
        if wall.tzinfo is not None:
            raise CalendarError(f"{wall.isoformat()} is no local time: it has a UTC offset already")
        return self._utc(wall.date(), wall.time())

    def why_closed(self, day: dt.date) -> str | None:
        """Say why a day does not count: the closed day's reason, else Saturday or Sunday; None for a business day."""
        self._known(day)
        reason = self._reasons.get(day)
        if reason is None and day.weekday() >= BUSINESS_WEEKDAYS:
            return WEEKDAYS[day.weekday()]
        return reason

    def is_business_day(self, day: dt.date) -> bool:
        """Say whether the day counts (reading 3)."""
        return self.why_closed(day) is None

    def after(self, start: dt.date, n: int) -> dt.date:
        """Return the nth business day after `start`, which itself does not count; n is at least 1 (reading 1)."""
        return self._walk(start, n)[-1][0]

    def due(self, at: dt.datetime, n: int) -> dt.datetime:
        """Return the end of the nth business day after the moment's local date."""
        return self.end_of(self.after(self.local_date(at), n))

    def before(self, day: dt.date, n: int) -> dt.date:
        """Return the nth business day before `day`, which itself does not count; n is at least 1."""
        _at_least_one(n)
        for _ in range(n):
            day = self.on_or_before(self.days_after(day, -1))
        return day

    def on_or_before(self, day: dt.date) -> dt.date:
        """Return the day itself when it counts, else the last business day before it."""
        while not self.is_business_day(day):
            day = self.days_after(day, -1)
        return day

    def days_after(self, day: dt.date, n: int) -> dt.date:
        """Return the date n calendar days later (earlier when negative), whether the snapshot knows it or not."""
        try:
            return day + dt.timedelta(days=n)
        except OverflowError as error:
            raise CalendarError(f"{n} days from {day} is no date any more") from error

    def explain(self, at: dt.datetime, n: int) -> Walk:
        """Tell the walk behind `due`, day by day, each skipped day with its reason."""
        received = self.local_date(at)
        walk = self._walk(received, n)
        steps = [_step(received, None, RECEIPT_DAY), *(_step(*each) for each in walk)]
        return Walk(received=received, n=n, days=tuple(steps), due=walk[-1][0])

    def between(self, first: dt.date, last: dt.date) -> "BusinessCalendar":
        """Return what this calendar knows of that span, under the same version: a case's snapshot."""
        first, last = max(first, self.first), min(last, self.last)
        if first > last:
            raise CalendarError(f"nothing is known of that span: {self._knowledge()}")
        closed = tuple(day for day in self.closed if first <= day.date <= last)
        return BusinessCalendar(version=self.version, zone=self.zone, first=first, last=last, closed=closed)

    def _walk(self, start: dt.date, n: int) -> list[tuple[dt.date, int | None, str | None]]:
        """Every day after `start` to the nth business day: date, its number or None, the reason it does not count."""
        _at_least_one(n)
        self._known(start)
        days: list[tuple[dt.date, int | None, str | None]] = []
        day, counted = start, 0
        while counted < n:
            day = self.days_after(day, 1)
            reason = self.why_closed(day)
            counted += reason is None
            days.append((day, None if reason else counted, reason))
        return days

    def _utc(self, day: dt.date, at: dt.time) -> dt.datetime:
        try:
            return dt.datetime.combine(day, at, tzinfo=_zone(self.zone)).astimezone(dt.UTC)
        except OverflowError as error:
            raise CalendarError(f"{day} {at} in {self.zone} is no moment in UTC") from error

    def _known(self, day: dt.date) -> None:
        if not self.first <= day <= self.last:
            raise CalendarError(f"{day} is unknown: {self._knowledge()}")

    def _knowledge(self) -> str:
        return f"calendar {self.version} knows {self.first} to {self.last}; extend it with `plazo calendar seed`"


def _step(day: dt.date, counted: int | None, reason: str | None) -> Step:
    return Step(date=day, weekday=WEEKDAYS[day.weekday()], counted=counted, reason=reason)


def _at_least_one(n: int) -> None:
    if n < 1:
        raise CalendarError(f"{n} business days cannot be counted: give 1 or more")
