"""A day or a time that somebody asks about, as a moment."""

from datetime import UTC, date, datetime

from models.calendar import BusinessCalendar
from models.errors import CalendarError, Malformed


def beginning(when: date | datetime, calendar: BusinessCalendar, field: str) -> datetime:
    """Return a time as it is, and a day as its beginning in the operator's zone; both as aware UTC.

    Raises Malformed, naming `field`, for one that lies outside what can be counted.
    """
    try:
        if isinstance(when, datetime):
            return when.astimezone(UTC)
        return calendar.from_local(datetime(when.year, when.month, when.day))  # noqa: DTZ001  made aware by the calendar
    except (CalendarError, OverflowError):
        raise Malformed("date.absurd", "no calendar knows this date", field=field) from None
