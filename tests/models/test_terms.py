"""What is owed by when: the readings of the manual as dates."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import due_dates
from models.calendar import BusinessCalendar
from models.errors import CalendarError
from models.policy_reading import load_policy
from models.terms import Terms

POLICY = load_policy(Path("policies/roxom"))
CALENDAR = POLICY.whole_calendar(city_days=False)
TERMS = POLICY.terms()

FIRST, LAST = datetime.fromisoformat("2024-06-01"), datetime.fromisoformat("2028-12-31")
moments = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


def local(text: str) -> datetime:
    return CALENDAR.from_local(datetime.fromisoformat(text))


def end(text: str) -> datetime:
    return CALENDAR.end_of(date.fromisoformat(text))


@pytest.mark.rule("M3.2")
@pytest.mark.rule("M3.4")
def test_both_terms_count_business_days_from_the_reception() -> None:
    received = local("2026-03-27T09:00")
    assert due_dates.acknowledgement_due(TERMS, CALENDAR, received) == end("2026-04-07")
    assert due_dates.final_due(TERMS, CALENDAR, received) == end("2026-05-13")


@pytest.mark.rule("M3.2")
def test_receipt_on_a_closed_day_pushes_the_start_only_if_the_policy_says_so() -> None:
    pushing = Terms(receipt_on_closed_day="pushes_start")
    for received in ("2026-04-03T11:00", "2026-02-07T12:00"):
        kept = due_dates.acknowledgement_due(TERMS, CALENDAR, local(received))
        pushed = due_dates.acknowledgement_due(pushing, CALENDAR, local(received))
        assert CALENDAR.local_date(pushed) == CALENDAR.after(CALENDAR.local_date(kept), 1)
    monday = local("2026-02-02T10:30")
    assert due_dates.final_due(pushing, CALENDAR, monday) == due_dates.final_due(TERMS, CALENDAR, monday)


@pytest.mark.rule("M3.4")
def test_both_terms_count_from_the_earlier_of_reception_and_submission() -> None:
    received, submitted = local("2026-02-03T10:00"), local("2026-02-02T10:00")
    assert due_dates.counting_starts(TERMS, received, submitted) == submitted
    assert due_dates.counting_starts(TERMS, submitted, received) == submitted
    assert due_dates.counting_starts(TERMS, received, None) == received
    assert due_dates.counting_starts(Terms(counted_from="reception"), received, submitted) == received
    assert due_dates.counting_starts(Terms(counted_from="submission"), submitted, received) == received


@pytest.mark.rule("M3.5")
def test_an_extension_reaches_thirty_business_days_beyond_the_running_date() -> None:
    running = due_dates.final_due(TERMS, CALENDAR, local("2026-02-02T10:30"))
    assert due_dates.extension_limit(TERMS, CALENDAR, running) == end("2026-04-29")
    assert due_dates.extension_limit(Terms(extension_max_business_days=10), CALENDAR, running) == end("2026-03-30")


@pytest.mark.rule("M3.6")
@pytest.mark.parametrize(
    ("received", "escalated", "expected"),
    [
        ("2026-02-02T10:30", "2026-02-04T10:00", "2026-02-05"),  # one business day after the escalation
        ("2026-02-02T10:30", "2026-02-06T10:00", "2026-02-09"),  # the weekend does not count
        ("2026-02-02T10:30", "2026-02-17T10:00", "2026-02-17"),  # the 15th calendar day itself
        ("2026-02-02T10:30", "2026-02-18T10:00", "2026-02-19"),  # it has passed
        ("2026-02-06T10:30", "2026-02-20T10:00", "2026-02-20"),  # the 15th is a Saturday: the Friday before
        ("2026-02-06T10:30", "2026-02-21T10:00", "2026-02-23"),  # that Friday has passed
        ("2026-03-19T10:00", "2026-04-01T10:00", "2026-04-01"),  # the 15th is Good Friday: Wednesday of Holy Week
        ("2026-03-19T10:00", "2026-04-02T10:00", "2026-04-06"),  # that Wednesday has passed
    ],
)
def test_the_external_estimate_is_told_in_time(received: str, escalated: str, expected: str) -> None:
    assert due_dates.external_notice_due(TERMS, CALENDAR, local(received), local(escalated)) == end(expected)


@pytest.mark.rule("M3.6")
@given(moments, st.integers(0, 60 * 24 * 60))
def test_the_external_estimate_is_never_owed_before_it_is_known(received: datetime, minutes: int) -> None:
    escalated = received + timedelta(minutes=minutes)
    owed = due_dates.external_notice_due(TERMS, CALENDAR, received, escalated)
    assert escalated < owed <= CALENDAR.due(escalated, 1)
    fifteenth = CALENDAR.local_date(received) + timedelta(days=15)
    if escalated < CALENDAR.end_of(CALENDAR.on_or_before(fifteenth)):
        assert CALENDAR.local_date(owed) <= fifteenth


@pytest.mark.rule("M3.11")
def test_a_missed_term_is_told_the_next_business_day_and_every_five_after() -> None:
    missed = end("2026-04-01")
    told = due_dates.missed_notice_due(TERMS, CALENDAR, missed)
    assert told == end("2026-04-06")
    assert due_dates.missed_repeat_due(TERMS, CALENDAR, told) == end("2026-04-13")
    assert due_dates.missed_estimate(TERMS, CALENDAR, missed) == end("2026-04-10")


@pytest.mark.parametrize(
    ("owed", "expected"),
    [
        (due_dates.referral_notice_due, "2026-04-06"),
        (due_dates.channel_change_due, "2026-04-06"),
        (due_dates.resend_due, "2026-04-06"),
        (due_dates.withdrawal_notice_due, "2026-04-06"),
        (due_dates.institution_answered_due, "2026-04-10"),
    ],
)
def test_short_notices_are_owed_in_business_days(owed: object, expected: str) -> None:
    assert callable(owed)
    assert owed(TERMS, CALENDAR, local("2026-04-01T10:00")) == end(expected)


@pytest.mark.rule("M3.10")
def test_the_authority_is_answered_by_its_own_date_or_in_five_business_days() -> None:
    notified = local("2026-04-01T10:00")
    assert due_dates.authority_reply_due(TERMS, CALENDAR, notified, date(2026, 4, 18)) == end("2026-04-18")
    assert due_dates.authority_reply_due(TERMS, CALENDAR, notified, None) == end("2026-04-10")


@pytest.mark.rule("M3.10")
def test_the_appeal_window_is_ninety_calendar_days_or_none() -> None:
    answered = local("2026-02-02T10:00")
    assert due_dates.appeal_window_end(TERMS, CALENDAR, answered) == end("2026-05-03")
    assert due_dates.appeal_window_end(Terms(appeal_window_days=0), CALENDAR, answered) == answered


def test_the_appeal_window_may_end_beyond_what_the_snapshot_knows() -> None:
    answered = local("2030-12-30T10:00")
    assert due_dates.appeal_window_end(TERMS, CALENDAR, answered) == end("2031-03-30")


def test_warnings_go_out_at_the_working_hour_of_business_days_before() -> None:
    owed = end("2026-04-07")
    assert due_dates.warnings(TERMS, CALENDAR, owed, TERMS.acknowledgement_warnings) == (
        local("2026-04-01T09:00"),
        local("2026-04-06T09:00"),
    )
    assert due_dates.warnings(TERMS, CALENDAR, owed, ()) == ()
    early = Terms(working_hour=7)
    assert due_dates.warnings(early, CALENDAR, owed, (1, 1)) == (local("2026-04-06T07:00"),)


def test_warnings_before_the_snapshot_are_left_out_and_an_unknown_due_date_is_refused() -> None:
    snapshot = CALENDAR.between(date(2026, 2, 2), date(2026, 12, 31))
    assert due_dates.warnings(TERMS, snapshot, end("2026-02-04"), (10, 5, 2, 1)) == (
        local("2026-02-02T09:00"),
        local("2026-02-03T09:00"),
    )
    with pytest.raises(CalendarError, match="is unknown"):
        due_dates.warnings(TERMS, snapshot, end("2027-02-04"), (1,))


@given(moments)
def test_warnings_lie_before_the_due_date_in_order(received: datetime) -> None:
    owed = due_dates.final_due(TERMS, CALENDAR, received)
    found = due_dates.warnings(TERMS, CALENDAR, owed, TERMS.final_warnings)
    assert len(found) == len(TERMS.final_warnings)
    assert list(found) == sorted(found)
    assert all(received - timedelta(days=1) < warning < owed for warning in found)


def test_an_unknown_sending_waits_but_never_past_the_due_date_minus_the_margin() -> None:
    tried = local("2026-02-02T10:00")
    assert due_dates.unknown_wait_until(TERMS, tried, None) == tried + timedelta(minutes=5)
    assert due_dates.unknown_wait_until(TERMS, tried, end("2026-02-09")) == tried + timedelta(minutes=5)
    assert due_dates.unknown_wait_until(TERMS, tried, tried + timedelta(minutes=62)) == tried + timedelta(minutes=2)
    assert due_dates.unknown_wait_until(TERMS, tried, tried + timedelta(minutes=1)) == tried
    assert due_dates.unknown_wait_until(TERMS, tried, tried - timedelta(days=1)) == tried


def test_naive_receptions_are_refused() -> None:
    with pytest.raises(CalendarError, match="no UTC offset"):
        due_dates.final_due(TERMS, CALENDAR, datetime.fromisoformat("2026-02-02T10:30"))


def test_terms_travel_as_data_and_an_older_reader_ignores_what_is_new() -> None:
    text = TERMS.model_dump_json().replace("{", '{"invented_later": 1, ', 1)
    assert Terms.model_validate_json(text) == TERMS
    assert Terms.model_validate_json("{}") == Terms()


def test_another_operators_calendar_serves_the_same_terms() -> None:
    plain = BusinessCalendar(version="x", zone="Europe/Berlin", first=date(2026, 1, 1), last=date(2026, 12, 31))
    received = datetime(2026, 2, 2, 23, 30, tzinfo=UTC)
    assert due_dates.acknowledgement_due(TERMS, plain, received) == datetime(2026, 2, 10, 22, 59, 59, tzinfo=UTC)
