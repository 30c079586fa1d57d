"""Who is told: the first in the policy's order who is there today; who works at this hour comes first in an alarm."""

from datetime import UTC, datetime, time

import pytest

from models.inquiry import Role
from models.sight import Kept
from models.tables import ShiftRow, StaffRow
from records import colleagues, staff
from records.database import Database
from tests.cases import MONDAY, policy

NIGHT = datetime(2026, 2, 3, 5, tzinfo=UTC)
"""Monday, 23:00 in San Salvador."""


def hire(
    database: Database,
    one: str,
    *,
    areas: tuple[str, ...] = ("cx",),
    role: Role = Role.AGENT,
    email: str = "x@example.org",
) -> None:
    with database.write() as session:
        row = StaffRow(
            id=one, email=email, role=role, language="es", areas=list(areas), languages=["es"], joined_at=MONDAY
        )
        staff.add(session, row)


def found(
    database: Database,
    *order: str,
    area: str = "cx",
    owner: str = "ana",
    spared: tuple[str, ...] = (),
    kept: Kept | None = None,
) -> tuple[str, tuple[str, ...]]:
    with database.read() as session:
        answer = colleagues.find(session, policy(), order, area=area, owner=owner, spared=spared, now=NIGHT, kept=kept)  # type: ignore[arg-type]
    return answer.person.id if answer.person else "", answer.passed


def test_places_are_asked_in_turn_and_who_is_not_there_is_passed_over(database: Database) -> None:
    for one in ("cx-deputy", "cx-supervisor"):
        hire(database, one)
    hire(database, "cx-lead", email="")
    order = ("owner", "representative", "deputy", "supervisor")
    assert found(database, *order) == ("cx-deputy", ("ana", "cx-lead"))
    assert found(database, *order, spared=("cx-deputy", "ana")) == ("cx-supervisor", ("cx-lead",))
    assert found(database, "compliance") == ("", ("compliance-officer",))


def test_a_case_that_an_area_owns_is_its_representatives(database: Database) -> None:
    hire(database, "operations-lead")
    assert found(database, "owner", area="cx", owner="operations") == ("operations-lead", ())
    assert found(database, "owner", area="operations", owner="") == ("operations-lead", ())


@pytest.mark.parametrize("place", ["representative", "deputy", "owner"])
def test_an_area_that_the_policy_forgot_has_nobody(database: Database, place: str) -> None:
    assert found(database, place, area="forgotten", owner="") == ("", ())


def test_who_works_at_this_hour_is_alarmed_first_those_of_the_area_before_others(database: Database) -> None:
    hire(database, "ana", areas=("operations",))
    hire(database, "ben")
    hire(database, "cid")
    hire(database, "dee", role=Role.AUDITOR)
    with database.write() as session:
        for one, starts in (("ana", 20), ("ben", 22), ("cid", 8), ("dee", 20)):
            ends = time(6) if starts >= 20 else time(17)
            staff.set_shifts(session, one, [ShiftRow(staff=one, weekday=0, starts=time(starts), ends=ends)])
    assert found(database, "shift") == ("ben", ())
    assert found(database, "shift", spared=("ben",)) == ("ana", ())
    assert found(database, "shift", spared=("ben", "ana")) == ("", ())


def test_who_may_not_see_a_case_is_told_nothing_of_it(database: Database) -> None:
    for one in ("cx-lead", "cx-deputy", "ana"):
        hire(database, one)
    hire(database, "compliance-officer", role=Role.COMPLIANCE)
    assert found(database, "representative", kept=Kept("cx", None, ("cx-lead",))) == ("compliance-officer", ())
    assert found(database, "representative", "deputy", kept=Kept("cx", None, ("cx-lead",))) == ("cx-deputy", ())
    assert found(database, "representative", kept=Kept("cx", ("ana",))) == ("ana", ())
    assert found(database, "representative", kept=Kept("cx", ())) == ("compliance-officer", ())
    assert found(database, "representative", kept=Kept("legal")) == ("compliance-officer", ())
    assert found(database, "representative", kept=Kept("cx")) == ("cx-lead", ())
