"""The quality review of a month over HTTP and at a terminal: who sees what, who judges, what is refused."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from sqlmodel import select
from typer.testing import CliRunner

from models.case import Case
from models.inquiry import Actor, Role
from models.reference import new_reference
from models.tables import VerdictRow
from records import audit, statistics
from records.database import Database
from starter.cli import build
from starter.reporting.quality import Month
from tests.api.world import World
from tests.cases import CX_LEAD, FULL, new_case, policy
from tests.reporting.past import order, store

MONTH = "2026-03"
MARCH = datetime(2026, 3, 2, 16, tzinfo=UTC)
WELL: dict[str, Any] = {name: {"good": True} for name in policy().quality.criteria}
SUPERVISOR = Actor(id="supervisor-1", role=Role.SUPERVISOR)
UNFOUNDED: dict[str, Any] = {"command": "resolve", "order": {"outcome": "unfounded", "draft": FULL}}


CHOOSER = random.Random(5)
REFERENCES = sorted(new_reference("RX", CHOOSER) for _ in range(40))


def reference(n: int) -> str:
    return REFERENCES[n]


def answered(n: int, actor: Actor = CX_LEAD, **more: Any) -> Case:
    return order(
        new_case(MARCH, reference=reference(n), **more), "resolve", 3, actor=actor, outcome="upheld", draft=FULL
    )


def approved(n: int) -> Case:
    """Proposed by the one, approved by the other."""
    case = order(new_case(MARCH, reference=reference(n)), "propose", 3, actor=CX_LEAD, **UNFOUNDED)
    return order(case, "approve", 4, actor=SUPERVISOR)


def secret(n: int) -> Case:
    compliance = Actor(id="compliance-1", role=Role.COMPLIANCE)
    case = new_case(MARCH, reference=reference(n))
    case = order(case, "compartment", 1, actor=compliance, people=["cx-lead"], reasons="x")
    return order(case, "resolve", 3, actor=CX_LEAD, outcome="upheld", draft=FULL)


async def sampled(front: World, role: Role = Role.SUPERVISOR, month: str = MONTH) -> Response:
    return await front.get(f"/api/quality/{month}", role)


async def judge(
    front: World, of: str, verdicts: Any = None, role: Role = Role.SUPERVISOR, month: str = MONTH
) -> Response:
    body = {"verdicts": WELL if verdicts is None else verdicts}
    return await front.http.post(f"/api/quality/{month}/{of}", json=body, headers=front.bearer(role))


@pytest.mark.rule("M3.11")
async def test_a_sample_is_judged_and_counted_by_area(front: World, records: Database) -> None:
    store(records, answered(1), answered(2))
    view = (await sampled(front)).json()
    assert [one["reference"] for one in view["sample"]] == [reference(1), reference(2)]
    assert view["sample"][0]["letter"] == "final_upheld/1"
    assert [one["code"] for one in view["criteria"]] == ["clear", "complete", "right", "in_time", "language"]
    poor = {**WELL, "clear": {"good": False, "remark": "Nobody understands it."}}
    assert (await judge(front, reference(1), poor)).status_code == 200
    again = await judge(front, reference(1).lower(), role=Role.COMPLIANCE)
    assert [one["judged_by"] for one in again.json()["verdicts"]] == ["supervisor-1", "compliance-1"]
    assert again.json()["verdicts"][0]["criteria"]["clear"] == {"good": False, "remark": "Nobody understands it."}
    assert (await judge(front, reference(2), poor)).status_code == 200
    (area,) = (await sampled(front, Role.AUDITOR)).json()["areas"]
    assert {**area, "good": area["good"]["clear"]} == {"area": "cx", "answers": 2, "sampled": 2, "judged": 2, "good": 1}
    with records.read() as session:
        window = Month.read(MONTH, policy(), datetime.now(UTC)).window
        counted = statistics.statistics(session, window).judged
        assert ("cx", "clear", 2, 1) in [tuple(one)[1:] for one in counted]
        lines = audit.page(session, action="quality.judge")
        assert {line.object for line in lines} == {reference(1), reference(2)}
        assert len(session.exec(select(VerdictRow)).all()) == 3
    report = (await front.get(f"/api/reports/{MONTH}", Role.SUPERVISOR)).json()["quality"]
    assert report[0] == {"month": MONTH, "area": "cx", "criterion": "clear", "judged": 2, "good": 1, "percent": 50.0}


async def test_nobody_judges_what_they_gave_or_approved(front: World, records: Database) -> None:
    store(records, answered(1, Actor(id="compliance-1", role=Role.COMPLIANCE), verified_outcomes=()), approved(2))
    own = await judge(front, reference(1), role=Role.COMPLIANCE)
    assert (own.status_code, own.json()["code"]) == (409, "quality.own")
    theirs = await judge(front, reference(2))
    assert (theirs.status_code, theirs.json()["code"]) == (409, "quality.own")
    assert (await judge(front, reference(1))).status_code == 200
    with records.read() as session:
        denied = audit.page(session, action="quality.judge", outcome="denied")
        assert [line.detail for line in denied] == ["quality.own", "quality.own"]


async def test_only_those_who_answer_for_the_whole_see_and_judge(front: World, records: Database) -> None:
    store(records, answered(1))
    for role in (Role.AGENT, Role.REPRESENTATIVE):
        for refused in (await sampled(front, role), await judge(front, reference(1), role=role)):
            assert (refused.status_code, refused.json()["code"]) == (403, "quality.role")
    reads = await judge(front, reference(1), role=Role.AUDITOR)
    assert reads.status_code == 403


async def test_what_is_hidden_is_in_no_sample_of_theirs(front: World, records: Database) -> None:
    store(records, answered(1), secret(2))
    assert [one["reference"] for one in (await sampled(front)).json()["sample"]] == [reference(1)]
    assert (await judge(front, reference(2))).status_code == 404
    whole = (await sampled(front, Role.COMPLIANCE)).json()
    assert [one["reference"] for one in whole["sample"]] == [reference(1), reference(2)]
    assert (await judge(front, reference(2), role=Role.COMPLIANCE)).status_code == 200


async def test_the_sample_is_a_part_and_the_rest_is_not_judged(front: World, records: Database) -> None:
    store(records, *(answered(n) for n in range(30)))
    view = (await sampled(front)).json()
    inside = {one["reference"] for one in view["sample"]}
    assert len(inside) == 3
    assert (await sampled(front)).json() == view
    outside = next(reference(n) for n in range(30) if reference(n) not in inside)
    refused = await judge(front, outside)
    assert (refused.status_code, refused.json()["code"]) == (404, "quality.not-sampled")
    assert (await judge(front, reference(39))).status_code == 404


async def test_a_verdict_that_is_not_whole_is_told_what_it_lacks(front: World, records: Database) -> None:
    store(records, answered(1))
    for verdicts, field in (
        ({}, "verdicts.clear"),
        ({**WELL, "clear": {"good": False}}, "verdicts.clear.remark"),
        ({**WELL, "kindness": {"good": True}}, "verdicts.kindness"),
    ):
        refused = await judge(front, reference(1), verdicts)
        assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
            422,
            "quality.verdicts",
            field,
        )
    assert (await judge(front, reference(1), {"clear": "yes"})).status_code == 422


@pytest.mark.parametrize(
    ("month", "code"),
    [
        ("2026-13", "quality.month"),
        ("2026Q1", "quality.month"),
        ("march", "quality.month"),
        (f"{datetime.now(UTC):%Y-%m}", "quality.running"),
        ("2150-01", "quality.running"),
    ],
)
async def test_a_month_is_one_that_is_over(front: World, month: str, code: str) -> None:
    for refused in (await sampled(front, month=month), await judge(front, reference(1), month=month)):
        assert refused.status_code in {404, 422}
    assert (await sampled(front, month=month)).json()["code"] == code


def test_the_terminal_shows_the_month(database: Database, tmp_path: Path) -> None:
    store(database, answered(1), secret(2))
    url = database.engine.url.render_as_string(hide_password=False)
    environment: dict[str, str | None] = {"PLAZO_VAR": str(tmp_path), "PLAZO_RECORDS_URL": url}

    def plazo(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(build(["quality"]), ["quality", *arguments], env=environment)
        return done.exit_code, done.stdout

    code, shown = plazo(MONTH)
    assert code == 0
    assert reference(1) in shown
    assert "SAMPLED" in shown
    assert reference(2) not in shown
    assert json.loads(plazo(MONTH, "--json")[1])["areas"][0]["sampled"] == 1
    assert plazo("2026Q1")[0] == 1
