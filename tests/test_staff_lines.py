"""`plazo staff` and `plazo workload`; the staff that `make run` brings along."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from models.assignment import choose
from models.inquiry import Language
from records import audit, cases, ledger, sign_ins, staff
from records.database import Database
from starter.house.staff import development_staff
from starter.reception.crew import crew
from tests.cases import MONDAY, new_case, policy
from tests.test_cli import Plazo

ISSUER = "http://127.0.0.1:8025/issuer"
BY = ("--by", "cx-supervisor")
ANA = ("staff", "add", "ana", "ana@example.org", "agent", "--area", "cx", "--language", "es", *BY)


@pytest.fixture
def plazo(tmp_path: Path, records_url: str) -> Plazo:
    return Plazo(tmp_path, records_url)


def test_the_staff_are_kept_from_the_command_line(plazo: Plazo, database: Database) -> None:
    assert plazo.run(*ANA) == "ana is known\n"
    plazo.run("staff", "add", "cx-lead", "lead@example.org", "representative", "--area", "cx", *BY)
    plazo.run("staff", "trained", "ana", "cx", "es", "--until", "2030-01-31", *BY)
    plazo.run("staff", "absent", "ana", "--from", "2020-01-01", "--to", "2199-12-31", "--why", "leave", *BY)
    people = plazo.data("staff", "list")
    assert [(one["id"], one["present"], one["represents"]) for one in people] == [
        ("ana", False, []),
        ("cx-lead", True, ["cx"]),
    ]
    assert "ana\tagent\tcx\t-\t-\taway" in plazo.run("staff", "list")
    plazo.run("staff", "leave", "ana", "--why", "moves on", *BY)
    assert [one["id"] for one in plazo.data("staff", "list")] == ["cx-lead"]
    with database.read() as session:
        assert staff.trained_for(session, "cx", date(2030, 1, 31)) == {"ana": {Language.ES}}
        lines = audit.page(session, of="ana")
        assert [line.action for line in lines] == ["staff.leave", "staff.absence", "staff.training", "staff.set"]
        assert {line.actor for line in lines} == {"cx-supervisor"}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (("staff", "add", "a b", "ana@example.org", "agent", *BY), 2),
        (("staff", "add", "ana", "nowhere", "agent", *BY), 2),
        (("staff", "add", "ana", "ana@example.org", "agent", "--area", "moon", *BY), 2),
        (("staff", "add", "ana", "ana@example.org", "system", *BY), 2),
        (("staff", "trained", "ana", "moon", "es", "--until", "2030-01-31", *BY), 2),
        (("staff", "trained", "ana", "cx", "es", "--until", "soon", *BY), 2),
        (("staff", "trained", "bea", "cx", "es", "--until", "2030-01-31", *BY), 1),
        (("staff", "absent", "ana", "--from", "2026-03-02", "--to", "2026-03-01", "--why", "x", *BY), 2),
        (("staff", "absent", "bea", "--from", "2026-03-02", "--to", "2026-03-03", "--why", "x", *BY), 1),
        (("staff", "leave", "bea", "--why", "x", *BY), 1),
        (("staff", "leave", "ana", "--why", "x", "--by", "ana"), 2),
        ((*ANA[:-1], "ana"), 2),
        (("staff", "trained", "ana", "cx", "es", "--until", "2030-01-31", "--by", "ana"), 2),
        (("staff", "return", "ana", "--by", "compliance-1"), 1),
        (("staff", "return", "bea", *BY), 1),
    ],
)
def test_what_cannot_be_is_refused(plazo: Plazo, line: tuple[str, ...], code: int) -> None:
    plazo.run(*ANA)
    plazo.run(*line, code=code)


def test_a_sub_is_named_for_one_of_the_staff_by_another(plazo: Plazo, database: Database) -> None:
    plazo.run(*ANA)
    assert plazo.run("staff", "sign-in", "ana", "00u1", *BY) == "ana signs in with the provider\n"
    plazo.run("staff", "add", "bea", "bea@example.org", "agent", *BY)
    plazo.run("staff", "sign-in", "bea", "00u1", *BY, code=1)
    plazo.run("staff", "sign-in", "bea", "00u2", "--by", "bea", code=2)
    with database.read() as session:
        assert (sign_ins.subjects_of(session, "ana"), sign_ins.subjects_of(session, "bea")) == (("00u1",), ())
        assert audit.page(session, of="ana")[0].action == "staff.sign-in"


def test_who_has_left_comes_back_by_compliance_alone(plazo: Plazo, database: Database) -> None:
    plazo.run(*ANA)
    for who, role in (("cx-supervisor", "supervisor"), ("compliance-1", "compliance")):
        plazo.run("staff", "add", who, f"{who}@example.org", role, "--by", "another")
    plazo.run("staff", "leave", "ana", "--why", "moves on", *BY)
    plazo.run(*ANA, code=1)
    plazo.run("staff", "return", "ana", *BY, code=1)
    assert plazo.run("staff", "return", "ana", "--by", "compliance-1") == "ana is back\n"
    plazo.run(*ANA)
    with database.read() as session:
        assert [line.action for line in audit.page(session, of="ana")][:2] == ["staff.set", "staff.return"]


def test_who_has_what(plazo: Plazo, database: Database) -> None:
    plazo.run(*ANA)
    case = new_case()
    case.owner = "ana"
    with database.write() as session:
        cases.add(session, case, subject="", excerpt="", status_token="t")
        ledger.append(session, case.seal())
        cases.project(session, case)
    assert f"ana\tthere\t1\t1\t2026-02-09 23:59\t{case.reference}" in plazo.run("workload")
    found = plazo.data("workload")
    assert [(one["owner"], one["owing"], one["overdue"]) for one in found] == [("ana", 1, 1)]


@pytest.mark.rule("M5.4")
def test_development_has_staff_for_every_area(database: Database) -> None:
    development_staff(policy(), database, MONDAY, ISSUER)
    with database.write() as session:
        staff.leave(session, "second-agent", MONDAY)
    development_staff(policy(), database, MONDAY + timedelta(days=1), ISSUER)
    with database.read() as session:
        assert sign_ins.whose(session, ISSUER, "dev-supervisor") == "dev-supervisor"
        for area in policy().areas:
            found = choose(policy().call(area, Language.BOTH, "any"), crew(session, policy(), area, MONDAY))
            assert found.owner == ("dev-agent" if area == "cx" else f"{area}-lead")
