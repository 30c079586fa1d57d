"""The staff: known, present, trained, on shift; and what is no longer so."""

from datetime import date, datetime, time, timedelta

import pytest

from models.inquiry import Language
from models.tables import AbsenceRow, ShiftRow, StaffRow, TrainingRow
from records import staff
from records.database import Database
from tests.records.mail import NOW

MONDAY = date(2026, 3, 2)


def someone(name: str, areas: tuple[str, ...] = ("cx",)) -> StaffRow:
    return StaffRow(
        id=name,
        email=f"{name}@example.org",
        role="agent",
        language="es",
        areas=list(areas),
        languages=["es"],
        joined_at=NOW,
    )


@pytest.fixture
def crew(database: Database) -> Database:
    with database.write() as session:
        for name in ("ana", "bea", "eva"):
            staff.add(session, someone(name))
    return database


def test_everybody_is_there_until_they_leave(crew: Database) -> None:
    with crew.write() as session:
        assert staff.leave(session, "bea", NOW)
        assert staff.leave(session, "bea", NOW + timedelta(days=1))
        assert not staff.leave(session, "nobody", NOW)
    with crew.read() as session:
        assert [one.id for one in staff.everybody(session)] == ["ana", "eva"]
        gone = staff.person(session, "bea")
        assert gone is not None
        assert gone.left_at == NOW
        assert not staff.present(session, "bea", MONDAY)
        assert not staff.present(session, "nobody", MONDAY)
        assert staff.present(session, "ana", MONDAY)
    with crew.write() as session:
        staff.add(session, someone("bea", areas=("cx", "finance")))
    with crew.read() as session:
        back = staff.person(session, "bea")
        assert back is not None
        assert (back.areas, back.left_at) == (["cx", "finance"], None)


def test_an_absence_has_a_first_and_a_last_day(crew: Database) -> None:
    away = AbsenceRow(staff="ana", first=MONDAY, last=MONDAY + timedelta(days=4), by="cx-lead", reasons="leave")
    with crew.write() as session:
        staff.set_absence(session, away)
    with crew.read() as session:
        days = [n for n in range(-1, 6) if not staff.present(session, "ana", MONDAY + timedelta(days=n))]
        assert days == [0, 1, 2, 3, 4]
        assert staff.absent(session, MONDAY) == {"ana"}
    shorter = AbsenceRow(staff="ana", first=MONDAY, last=MONDAY, by="cx-lead", reasons="back early")
    with crew.write() as session:
        staff.set_absence(session, shorter)
        assert [(one.last, one.reasons) for one in staff.absences_of(session, "ana")] == [(MONDAY, "back early")]
        assert staff.end_absence(session, "ana", MONDAY)
        assert not staff.end_absence(session, "ana", MONDAY)
        assert staff.present(session, "ana", MONDAY)


def test_training_holds_for_an_area_and_a_language_until_a_day(crew: Database) -> None:
    with crew.write() as session:
        staff.train(session, TrainingRow(staff="ana", area="cx", language="es", until=MONDAY))

        assert staff.trained_for(session, "cx", MONDAY) == {"ana": {Language.ES}}
        assert staff.trained_for(session, "cx", MONDAY + timedelta(days=1)) == {}
        assert staff.trained_for(session, "finance", MONDAY) == {}
        staff.train(session, TrainingRow(staff="ana", area="cx", language="en", until=MONDAY))
        assert staff.trained_for(session, "cx", MONDAY) == {"ana": {Language.ES, Language.EN}}
        staff.train(session, TrainingRow(staff="ana", area="cx", language="es", until=MONDAY + timedelta(days=365)))
        assert staff.trained_for(session, "cx", MONDAY + timedelta(days=1)) == {"ana": {Language.ES}}


def test_a_shift_may_end_on_the_next_day(crew: Database) -> None:
    def shift(name: str, weekday: int, starts: int, ends: int) -> ShiftRow:
        return ShiftRow(staff=name, weekday=weekday, starts=time(starts), ends=time(ends))

    with crew.write() as session:
        staff.set_shifts(session, "ana", [shift("ana", 0, 8, 16)])
        staff.set_shifts(session, "bea", [shift("bea", 0, 9, 10)])
        staff.set_shifts(session, "bea", [shift("bea", 0, 16, 0), shift("bea", 6, 22, 6)])

        def works(day: int, hour: int, minute: int = 0) -> set[str]:
            return staff.on_shift(session, datetime(2026, 3, day, hour, minute))  # noqa: DTZ001  local on purpose

        assert works(2, 7, 59) == set()
        assert works(2, 8) == {"ana"}
        assert works(2, 15, 59) == {"ana"}
        assert works(2, 16) == {"bea"}
        assert works(2, 23, 59) == {"bea"}
        assert works(3, 0) == set()
        assert works(1, 22) == works(2, 5, 59) == {"bea"}
        assert works(2, 6) == set()
        assert [(one.weekday, one.starts.hour) for one in staff.shifts_of(session, "bea")] == [(0, 16), (6, 22)]
        away = AbsenceRow(staff="ana", first=MONDAY, last=MONDAY, by="cx-lead", reasons="ill")
        staff.set_absence(session, away)
        assert works(2, 9) == set()
