"""What single figures say: days by the calendar of each inquiry, extensions, institutions, percentiles, windows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from models.calendar import ClosedDay
from models.case import Case
from models.inquiry import Address
from records import cases
from records.database import Database
from records.figures_days import Clocks, Counting
from records.statistics import Statistics, percentile, statistics
from starter.reporting.periods import read_period
from tests.cases import BANK, DAY, MONDAY, back, new_case, policy
from tests.reporting import past
from tests.reporting.conftest import LATER


def counted(database: Database, name: str, *made: Case, now: datetime = LATER) -> Statistics:
    past.store(database, *made)
    with database.read() as session:
        return statistics(session, read_period(name).window(policy().whole_calendar(), now))


@pytest.mark.rule("M3.2")
def test_days_are_those_of_the_calendar_that_the_inquiry_was_opened_under(database: Database) -> None:
    plain = past.on_time(MONDAY)
    calendar = plain.calendar
    closed = ClosedDay(date=date(2026, 2, 5), reason="a decree", kind="decree", source="x")
    other = calendar.model_copy(update={"version": "another", "closed": (*calendar.closed, closed)})
    strange = past.on_time(MONDAY, reference="RX-2222-2222").model_copy(update={"calendar": other})
    strange.pending[0] = strange.pending[0].model_copy(
        update={"data": {**strange.pending[0].data, "calendar": "another"}}
    )
    found = counted(database, "2026Q1", plain, strange)
    assert found.answered == (6, 7)
    assert found.basis.calendars == {calendar.version: 1, "another": 1}


def test_the_day_of_receipt_does_not_count_and_a_day_before_it_is_no_day(database: Database) -> None:
    counting = Counting(policy().snapshot(MONDAY), policy().terms())
    assert counting.between(MONDAY, MONDAY + timedelta(hours=2)) == 0
    assert counting.between(MONDAY, MONDAY + DAY) == 1
    assert counting.between(MONDAY, MONDAY + 7 * DAY) == 5
    assert counting.between(MONDAY, MONDAY - 7 * DAY) == 0
    beyond = MONDAY + 5000 * DAY
    assert counting.between(beyond, beyond + 7 * DAY) == 0  # nothing is counted that far beyond what is known


@pytest.mark.rule("M3.4")
def test_a_reopened_inquiry_counts_anew_from_its_new_reception(database: Database) -> None:
    found = counted(database, "2026-02-01..2026-06-30", past.reopened(MONDAY))
    assert found.answered == (7, 8)
    assert (found.flow.received, found.flow.reopened, found.flow.answered) == (1, 1, 2)


@pytest.mark.rule("M3.5")
def test_an_extension_is_counted_with_its_days_and_what_it_was_for(database: Database) -> None:
    beside: dict[str, Any] = {**BANK, "estimate": "2026-03-20", "until": "2026-03-24"}
    both = past.order(new_case(reference="RX-2222-2222"), "escalate", 5, **beside)
    found = counted(database, "2026Q1", past.extended(MONDAY), past.extension_void(MONDAY, reference="RX-3"), both)
    assert found.extensions._replace(days=()) == (3, 1, 0, 1, ())
    assert found.extensions.days == (6, 12)  # from 16 to 24 March, and to 3 April, with two days of Holy Week
    assert sum(one.number for one in found.terms if one.kind == "final response" and one.fate == "moved") == 2


@pytest.mark.rule("M3.6")
def test_an_institution_is_named_once_three_persons_inquiries_name_it(database: Database) -> None:
    def with_one(n: int, name: str, contact: str) -> Case:
        case = past.order(new_case(reference=f"RX-{n}"), "escalate", 2, **{**BANK, "institution": name})
        return case.model_copy(update={"contact": contact})

    found = counted(
        database,
        "2026Q1",
        *(with_one(n, name, f"ct_{n}") for n, name in enumerate(("A Bank", "a  bank", "A BANK"))),
        *(with_one(n, "Lic. Somebody", "ct_9") for n in range(3, 7)),
    )
    assert found.escalations.institutions == {"A Bank": 3}
    assert (found.escalations.begun, found.escalations.unnamed, found.escalations.open) == (7, 4, 7)


@pytest.mark.rule("M3.6")
def test_what_an_institution_took_ends_with_its_answer_or_ours(database: Database) -> None:
    found = counted(database, "2026Q1", past.escalated(MONDAY), past.with_an_institution(MONDAY, reference="RX-2"))
    assert found.escalations.days == (12,)
    assert found.escalations.open == 1


@pytest.mark.rule("M3.10")
def test_reviews_are_counted_by_who_asked_and_how_they_ended(database: Database) -> None:
    found = counted(database, "2026Q1", past.reviewed(MONDAY), past.in_review(MONDAY, reference="RX-2"))
    assert found.reviews == ({"authority": 1, "user": 1}, {"overturned": 1}, 1)


@pytest.mark.rule("M4.2")
def test_letters_are_counted_by_their_channel_and_changes_by_what_brought_them_about(database: Database) -> None:
    found = counted(database, "2026Q1", past.elsewhere(MONDAY), past.moved_by_a_person(MONDAY, reference="RX-2"))
    by_channel = {one.channel: one for one in found.letters}
    assert by_channel["email"].returned == 1
    assert by_channel["telegram"].refused == 1
    assert by_channel["telegram"].accepted >= 2
    assert found.channels.decided == {"telegram": 1}
    assert found.channels.owed > 1


def test_a_letter_is_counted_where_it_happened_and_not_where_the_term_ends(database: Database) -> None:
    case = new_case(addresses=(Address(id="ad_1", channel="email"),))
    past.stay(case, 1)
    back(case, case.letters[0].key, MONDAY + 40 * DAY)
    past.store(database, case)
    assert [one.returned for one in counted(database, "2026-02").letters] == [0]
    assert [one.returned for one in counted(database, "2026-03").letters if one.channel == "email"] == [1]


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [((), 50, None), ((7,), 99, 7), ((1, 2, 3, 4), 50, 2), ((1, 2, 3, 4), 51, 3), (tuple(range(1, 101)), 99, 99)],
)
def test_percentiles_are_those_of_the_nearest_rank(values: tuple[int, ...], percent: int, expected: int | None) -> None:
    assert percentile(values, percent) == expected


def test_an_inquiry_whose_first_event_is_not_written_yet_counts_by_its_own_state(database: Database) -> None:
    case = new_case()
    with database.write() as session:
        cases.add(session, case, subject="", excerpt="", status_token="t")
    window = read_period("2026-02").window(policy().whole_calendar(), MONDAY + 3 * DAY)
    with database.read() as session:
        clocks = Clocks(session, window)
        assert clocks.begun(case.reference, MONDAY) == MONDAY
        assert clocks.versions == ({}, {})
        assert statistics(session, window).ages == (3,)


def test_months_begin_where_they_begin_in_the_operators_zone(database: Database) -> None:
    window = read_period("2026-01-15..2026-03-02").window(policy().whole_calendar(), LATER)
    assert window.edges == tuple(datetime(2026, *day, 6, tzinfo=UTC) for day in ((1, 15), (2, 1), (3, 1), (3, 3)))
    last = datetime(2026, 2, 1, 5, 59, 59, tzinfo=UTC)
    received = last - timedelta(days=300)
    case = new_case(received)
    moved = case.obligations[0].model_copy(update={"due": last})
    case.obligations[0] = moved
    assert [one.month for one in counted(database, "2026Q1", case).terms] == [0]
