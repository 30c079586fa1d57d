"""Readings 1 and 3 of the manual: which days count, and how they are counted."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calendar import RECEIPT_DAY, BusinessCalendar, ClosedDay
from models.calendar_data import CalendarData
from models.errors import CalendarError
from models.policy_reading import load_policy
from starter.commands.calendar_seed import seed

POLICY = load_policy(Path("policies/roxom"))
CALENDAR = POLICY.whole_calendar(city_days=False)
CITY = POLICY.whole_calendar(city_days=True)
UNDECREED = BusinessCalendar(
    version="law alone",
    first=CALENDAR.first,
    last=CALENDAR.last,
    closed=tuple(day for day in CALENDAR.closed if day.kind != "decree"),
)
EVERY = BusinessCalendar(version="eternity", first=dt.date.min, last=dt.date.max)

known_days = st.dates(dt.date(2024, 6, 1), dt.date(2028, 12, 31))
FIRST, LAST = dt.datetime.fromisoformat("2024-06-01"), dt.datetime.fromisoformat("2028-12-31")
moments = st.datetimes(FIRST, LAST, timezones=st.just(dt.UTC))
counts = st.integers(1, 90)


def local(text: str) -> dt.datetime:
    return CALENDAR.from_local(dt.datetime.fromisoformat(text))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.rule("M3.2")
@pytest.mark.parametrize(
    ("calendar", "received", "due"),
    [
        (CALENDAR, "2026-02-02T10:30", "2026-02-09"),
        (CALENDAR, "2026-02-02T06:00", "2026-02-09"),
        (CALENDAR, "2026-02-07T12:00", "2026-02-13"),
        (CALENDAR, "2026-02-08T23:59", "2026-02-13"),
        (CALENDAR, "2026-03-27T09:00", "2026-04-07"),
        (CALENDAR, "2026-03-30T11:00", "2026-04-08"),
        (CALENDAR, "2026-04-03T11:00", "2026-04-10"),
        (CALENDAR, "2026-07-31T16:00", "2026-08-10"),
        (CITY, "2026-07-31T16:00", "2026-08-12"),
        (CALENDAR, "2026-12-18T10:00", "2026-12-28"),
        (CALENDAR, "2024-06-12T10:00", "2024-06-21"),
        (UNDECREED, "2024-06-12T10:00", "2024-06-20"),
    ],
)
def test_golden_dates_of_five_business_days(calendar: BusinessCalendar, received: str, due: str) -> None:
    assert calendar.due(local(received), 5) == calendar.end_of(day(due))


@pytest.mark.rule("M3.4")
@pytest.mark.parametrize(
    ("calendar", "received", "due"),
    [
        (CALENDAR, "2026-02-02T10:30", "2026-03-16"),
        (CALENDAR, "2026-02-02T06:00", "2026-03-16"),
        (CALENDAR, "2026-02-07T12:00", "2026-03-20"),
        (CALENDAR, "2026-02-08T23:59", "2026-03-20"),
        (CALENDAR, "2026-03-27T09:00", "2026-05-13"),
        (CALENDAR, "2026-03-30T11:00", "2026-05-14"),
        (CALENDAR, "2026-04-03T11:00", "2026-05-18"),
        (CALENDAR, "2026-07-31T16:00", "2026-09-14"),
        (CITY, "2026-07-31T16:00", "2026-09-17"),
        (CALENDAR, "2026-12-18T10:00", "2027-02-02"),
    ],
)
def test_golden_dates_of_thirty_business_days(calendar: BusinessCalendar, received: str, due: str) -> None:
    assert calendar.due(local(received), 30) == calendar.end_of(day(due))


def test_a_holiday_decreed_two_days_before_moves_the_term(tmp_path: Path) -> None:
    (tmp_path / "calendar.toml").write_text(seed(2022, 2023), encoding="utf-8")
    decrees = Path("policies/roxom/decrees.toml").read_text(encoding="utf-8")
    (tmp_path / "decrees.toml").write_text(decrees, encoding="utf-8")
    decreed = CalendarData.read(tmp_path).calendar("national", city_days=False)
    (tmp_path / "decrees.toml").write_text("decree = []", encoding="utf-8")
    law_alone = CalendarData.read(tmp_path).calendar("national", city_days=False)

    assert decreed.after(day("2022-09-12"), 5) == day("2022-09-21")
    assert law_alone.after(day("2022-09-12"), 5) == day("2022-09-20")
    assert decreed.after(day("2022-12-23"), 5) == day("2023-01-03")
    assert decreed.version != law_alone.version


def test_a_day_ends_at_its_last_second_in_el_salvador() -> None:
    assert CALENDAR.end_of(day("2026-02-09")) == dt.datetime(2026, 2, 10, 5, 59, 59, tzinfo=dt.UTC)
    assert CALENDAR.end_of(day("2026-02-09")).tzinfo is dt.UTC


def test_the_local_date_is_the_operators_whatever_the_offset() -> None:
    assert CALENDAR.local_date(dt.datetime(2026, 2, 3, 5, 59, 59, tzinfo=dt.UTC)) == day("2026-02-02")
    assert CALENDAR.local_date(dt.datetime(2026, 2, 3, 6, tzinfo=dt.UTC)) == day("2026-02-03")
    tokyo = dt.timezone(dt.timedelta(hours=9))
    assert CALENDAR.local_date(dt.datetime(2026, 2, 3, 14, tzinfo=tokyo)) == day("2026-02-02")


def test_the_offset_is_the_zones_at_that_moment() -> None:
    winter, summer = dt.datetime(2026, 1, 5, tzinfo=dt.UTC), dt.datetime(2026, 7, 5, tzinfo=dt.UTC)
    assert CALENDAR.utc_offset(winter) == CALENDAR.utc_offset(summer) == dt.timedelta(hours=-6)
    berlin = BusinessCalendar(version="x", zone="Europe/Berlin", first=day("2026-01-01"), last=day("2026-12-31"))
    assert (berlin.utc_offset(winter), berlin.utc_offset(summer)) == (dt.timedelta(hours=1), dt.timedelta(hours=2))


def test_an_hour_of_a_local_day_is_a_moment_in_utc() -> None:
    assert CALENDAR.at(day("2026-02-09"), 9) == dt.datetime(2026, 2, 9, 15, tzinfo=dt.UTC)
    assert local("2026-02-09T09:30") == dt.datetime(2026, 2, 9, 15, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-04-01", None),
        ("2026-04-02", "Maundy Thursday"),
        ("2026-04-04", "Holy Saturday"),
        ("2026-04-05", "Sunday"),
        ("2026-04-11", "Saturday"),
        ("2026-08-05", None),
        ("2024-06-18", "Decreed holiday: rain emergency"),
        ("2026-12-24", None),
        ("2026-12-31", None),
    ],
)
def test_each_closed_day_has_its_reason(text: str, reason: str | None) -> None:
    assert CALENDAR.why_closed(day(text)) == reason
    assert CALENDAR.is_business_day(day(text)) is (reason is None)


def test_the_citys_days_close_only_where_they_are_wanted() -> None:
    assert CITY.why_closed(day("2026-08-05")) == "Feast of San Salvador"
    assert CALENDAR.version != CITY.version


def test_the_walk_tells_every_day_and_why_it_was_skipped() -> None:
    walk = CALENDAR.explain(local("2026-03-27T09:00"), 5)

    assert [(step.date.day, step.weekday, step.counted, step.reason) for step in walk.days] == [
        (27, "Friday", None, RECEIPT_DAY),
        (28, "Saturday", None, "Saturday"),
        (29, "Sunday", None, "Sunday"),
        (30, "Monday", 1, None),
        (31, "Tuesday", 2, None),
        (1, "Wednesday", 3, None),
        (2, "Thursday", None, "Maundy Thursday"),
        (3, "Friday", None, "Good Friday"),
        (4, "Saturday", None, "Holy Saturday"),
        (5, "Sunday", None, "Sunday"),
        (6, "Monday", 4, None),
        (7, "Tuesday", 5, None),
    ]
    assert (walk.received, walk.n, walk.due) == (day("2026-03-27"), 5, day("2026-04-07"))


@given(moments, counts)
def test_explain_agrees_with_due(at: dt.datetime, n: int) -> None:
    walk = CALENDAR.explain(at, n)
    assert CALENDAR.end_of(walk.due) == CALENDAR.due(at, n)
    assert [step.counted for step in walk.days if step.counted] == list(range(1, n + 1))
    assert all((step.counted is None) is (step.reason is not None) for step in walk.days)
    assert [step.date for step in walk.days] == [walk.received + dt.timedelta(days=i) for i in range(len(walk.days))]


@given(known_days, known_days, counts)
def test_after_is_monotonic(one: dt.date, other: dt.date, n: int) -> None:
    early, late = sorted((one, other))
    assert CALENDAR.after(early, n) <= CALENDAR.after(late, n)
    assert CALENDAR.after(early, n) < CALENDAR.after(early, n + 1)


@given(known_days, counts)
def test_before_undoes_after(start: dt.date, n: int) -> None:
    due = CALENDAR.after(start, n)
    assert CALENDAR.is_business_day(due)
    assert CALENDAR.before(due, n) == CALENDAR.on_or_before(start)


@given(known_days, st.integers(1, 40), st.integers(1, 40))
def test_terms_add_up(start: dt.date, n: int, m: int) -> None:
    assert CALENDAR.after(CALENDAR.after(start, n), m) == CALENDAR.after(start, n + m)


@given(known_days)
def test_on_or_before_is_the_last_business_day(start: dt.date) -> None:
    found = CALENDAR.on_or_before(start)
    assert found <= start
    assert CALENDAR.after(found, 1) > start


@given(moments, counts)
def test_another_closed_day_never_shortens_a_term(at: dt.datetime, n: int) -> None:
    assert CITY.due(at, n) >= CALENDAR.due(at, n) >= UNDECREED.due(at, n)


@given(moments, counts)
def test_a_snapshot_counts_as_the_whole_does(at: dt.datetime, n: int) -> None:
    snapshot = POLICY.snapshot(at)
    assert snapshot.version == CALENDAR.version
    assert snapshot.due(at, n) == CALENDAR.due(at, n)


def test_a_snapshot_survives_the_wire_with_its_look_up_in_use() -> None:
    snapshot = CALENDAR.between(day("2026-01-01"), day("2026-12-31"))
    assert not snapshot.is_business_day(day("2026-05-01"))
    again = BusinessCalendar.model_validate_json(snapshot.model_dump_json())
    assert again == snapshot
    assert again.after(day("2026-04-30"), 1) == day("2026-05-04")
    assert set(snapshot.model_dump()) == set(BusinessCalendar.model_fields)


def test_a_snapshot_holds_what_is_known_of_a_span_and_no_more() -> None:
    snapshot = CALENDAR.between(day("2030-10-01"), day("2032-10-01"))
    assert (snapshot.first, snapshot.last) == (day("2030-10-01"), CALENDAR.last)
    assert [closed.date for closed in snapshot.closed] == [day("2030-11-02"), day("2030-12-25")]
    with pytest.raises(CalendarError, match="knows 2024-01-01 to 2030-12-31"):
        CALENDAR.between(day("2031-01-01"), day("2031-12-31"))


def test_what_lies_outside_the_snapshot_is_refused_and_the_known_range_named() -> None:
    known = "knows 2024-01-01 to 2030-12-31"
    with pytest.raises(CalendarError, match=known):
        CALENDAR.after(day("2030-12-20"), 30)
    with pytest.raises(CalendarError, match=known):
        CALENDAR.after(day("2023-12-31"), 1)
    with pytest.raises(CalendarError, match=known):
        CALENDAR.before(day("2024-01-10"), 30)
    with pytest.raises(CalendarError, match=known):
        CALENDAR.is_business_day(day("2031-01-01"))
    with pytest.raises(CalendarError, match=known):
        CALENDAR.due(local("2026-01-01T00:00"), 1_000_000_000)


@pytest.mark.parametrize("n", [0, -1])
def test_fewer_than_one_business_day_is_refused(n: int) -> None:
    with pytest.raises(CalendarError, match="give 1 or more"):
        CALENDAR.after(day("2026-02-02"), n)
    with pytest.raises(CalendarError, match="give 1 or more"):
        CALENDAR.before(day("2026-02-02"), n)


def test_naive_datetimes_are_refused() -> None:
    naive = dt.datetime.fromisoformat("2026-02-02T10:30")
    with pytest.raises(CalendarError, match="no UTC offset"):
        CALENDAR.due(naive, 5)
    with pytest.raises(CalendarError, match="has a UTC offset already"):
        CALENDAR.from_local(naive.replace(tzinfo=dt.UTC))


def test_the_ends_of_time_are_refused_not_overflowed() -> None:
    with pytest.raises(CalendarError, match="is no moment in UTC"):
        EVERY.end_of(dt.date.max)
    with pytest.raises(CalendarError, match="no local date"):
        EVERY.local_date(dt.datetime.min.replace(tzinfo=dt.UTC))
    with pytest.raises(CalendarError, match="no date any more"):
        EVERY.after(dt.date(9999, 12, 30), 5)
    with pytest.raises(CalendarError, match="no date any more"):
        EVERY.before(dt.date.min, 1)


def test_an_hour_that_no_day_has_and_a_zone_that_no_map_has_are_refused() -> None:
    with pytest.raises(CalendarError, match="no hour of a day"):
        CALENDAR.at(day("2026-02-02"), 24)
    for zone in ("Mars/Olympus", "../etc", "America", ""):
        with pytest.raises(CalendarError, match="zone"):
            BusinessCalendar(version="x", zone=zone, first=day("2026-01-01"), last=day("2026-12-31")).end_of(
                day("2026-02-02")
            )


def test_a_zone_with_summer_time_keeps_its_own_midnight() -> None:
    berlin = BusinessCalendar(version="x", zone="Europe/Berlin", first=day("2026-01-01"), last=day("2026-12-31"))
    assert berlin.end_of(day("2026-03-28")) == dt.datetime(2026, 3, 28, 22, 59, 59, tzinfo=dt.UTC)
    assert berlin.end_of(day("2026-03-29")) == dt.datetime(2026, 3, 29, 21, 59, 59, tzinfo=dt.UTC)


def test_a_closed_day_carries_kind_and_source() -> None:
    good_friday = next(closed for closed in CALENDAR.closed if closed.date == day("2026-04-03"))
    assert good_friday == ClosedDay(
        date=day("2026-04-03"),
        reason="Good Friday",
        kind="national",
        source="Labour Code of El Salvador, art. 190",
    )
