"""The due dates that follow from a case's terms.

All functions are pure: they take and return aware UTC datetimes, a due date is the end of a local day, and a naive
datetime or a day outside the calendar raises CalendarError.
"""

from contextlib import suppress
from datetime import date, datetime, timedelta

from models.calendar import BusinessCalendar
from models.errors import CalendarError
from models.terms import Terms


def counting_starts(terms: Terms, received: datetime, submitted: datetime | None) -> datetime:
    """Return the moment from which both terms count: M3.2 speaks of reception, M3.4 of submission (reading 1)."""
    if submitted is None or terms.counted_from == "reception":
        return received
    return submitted if terms.counted_from == "submission" else min(received, submitted)


def acknowledgement_due(terms: Terms, calendar: BusinessCalendar, received: datetime) -> datetime:
    """Return the last moment for the acknowledgement (M3.2)."""
    return _term(terms, calendar, received, terms.acknowledgement_business_days)


def final_due(terms: Terms, calendar: BusinessCalendar, received: datetime) -> datetime:
    """Return the last moment for the final response (M3.4)."""
    return _term(terms, calendar, received, terms.final_business_days)


def extension_limit(terms: Terms, calendar: BusinessCalendar, running_due: datetime) -> datetime:
    """Return the latest date to which a running term may be extended (M3.5, reading 5)."""
    return calendar.due(running_due, terms.extension_max_business_days)


def external_notice_due(terms: Terms, calendar: BusinessCalendar, received: datetime, escalated: datetime) -> datetime:
    """Return the last moment to tell the institution and the new estimate (M3.6, reading 6).

    One business day after the escalation, and never after the 15th calendar day from reception (the business day
    before when that day is closed); when that has passed already, the one business day alone.
    """
    soon = calendar.due(escalated, terms.external_notice_business_days)
    fifteenth = calendar.days_after(calendar.local_date(received), terms.external_notice_calendar_days)
    limit = calendar.end_of(calendar.on_or_before(fifteenth))
    return min(soon, limit) if limit > escalated else soon


def institution_answered_due(terms: Terms, calendar: BusinessCalendar, answered: datetime) -> datetime:
    """Return by when the user is answered once the institution has answered."""
    return calendar.due(answered, terms.institution_answered_business_days)


def referral_notice_due(terms: Terms, calendar: BusinessCalendar, referred: datetime) -> datetime:
    """Return by when the user is told the area (M3.3)."""
    return calendar.due(referred, terms.referral_notice_business_days)


def channel_change_due(terms: Terms, calendar: BusinessCalendar, failed: datetime) -> datetime:
    """Return by when the user is told the new channel, counted from the old one's failure (M4.2, reading 8)."""
    return calendar.due(failed, terms.channel_change_business_days)


def missed_notice_due(terms: Terms, calendar: BusinessCalendar, missed_due: datetime) -> datetime:
    """Return by when a missed term is itself told (M3.11, reading 9)."""
    return calendar.due(missed_due, terms.missed_notice_business_days)


def missed_repeat_due(terms: Terms, calendar: BusinessCalendar, last_due: datetime) -> datetime:
    """Return by when a missed final answer is told again, counted from the notice before (reading 9)."""
    return calendar.due(last_due, terms.missed_repeat_business_days)


def missed_estimate(terms: Terms, calendar: BusinessCalendar, at: datetime) -> datetime:
    """Return the new estimate that a missed-term notice gives: an estimate, not a new term (reading 9)."""
    return calendar.due(at, terms.missed_estimate_business_days)


def resend_due(terms: Terms, calendar: BusinessCalendar, bounced: datetime) -> datetime:
    """Return by when a bounced letter is sent again elsewhere (M3.7, reading 10)."""
    return calendar.due(bounced, terms.resend_business_days)


def withdrawal_notice_due(terms: Terms, calendar: BusinessCalendar, confirmed: datetime) -> datetime:
    """Return by when a withdrawal is confirmed in writing (M5.7)."""
    return calendar.due(confirmed, terms.withdrawal_notice_business_days)


def authority_reply_due(terms: Terms, calendar: BusinessCalendar, notified: datetime, stated: date | None) -> datetime:
    """Return by when the authority is answered: the date it stated, else reading 11's business days (M3.10)."""
    if stated is not None:
        return calendar.end_of(stated)
    return calendar.due(notified, terms.authority_reply_business_days)


def erasure_due(terms: Terms, calendar: BusinessCalendar, begins: datetime) -> datetime:
    """Return by when a request for erasure is answered, counted from when it came or the case closed, the later."""
    return calendar.due(begins, terms.erasure_business_days)


def appeal_window_end(terms: Terms, calendar: BusinessCalendar, answered: datetime) -> datetime:
    """Return until when an answered case stays open here, never a limit for the user (reading 11); 0: at once."""
    if terms.appeal_window_days == 0:
        return answered
    return calendar.end_of(calendar.days_after(calendar.local_date(answered), terms.appeal_window_days))


def warnings(terms: Terms, calendar: BusinessCalendar, due: datetime, days: tuple[int, ...]) -> tuple[datetime, ...]:
    """Return the warnings before a due date, earliest first: the working hour of that many business days before it.

    Some may lie before the obligation began; whoever raises them leaves those out. Days before the snapshot begins
    lie before the case did and are left out here.
    """
    last = calendar.local_date(due)
    calendar.is_business_day(last)  # a due date that the snapshot does not know is refused, not left unwarned
    found: set[datetime] = set()
    for n in days:
        with suppress(CalendarError):
            found.add(calendar.at(calendar.before(last, n), terms.working_hour))
    return tuple(sorted(found))


def unknown_wait_until(terms: Terms, tried: datetime, due: datetime | None) -> datetime:
    """Return until when a sending whose end is unknown waits for the provider's event before it is tried again."""
    wait = tried + timedelta(seconds=terms.unknown_wait_seconds)
    if due is None:
        return wait
    return max(tried, min(wait, due - timedelta(seconds=terms.unknown_wait_margin_seconds)))


def _term(terms: Terms, calendar: BusinessCalendar, received: datetime, n: int) -> datetime:
    """Count a term; receipt on a closed day does not push the start unless the policy says so (reading 1)."""
    if terms.receipt_on_closed_day == "pushes_start" and not calendar.is_business_day(calendar.local_date(received)):
        n += 1
    return calendar.due(received, n)
