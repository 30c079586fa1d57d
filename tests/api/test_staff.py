"""The staff over HTTP: kept by supervisors and compliance; who leaves hands everything over."""

import asyncio
import json
from typing import Any

import pytest
from httpx2 import AsyncClient
from typer.testing import CliRunner

from models.inquiry import Actor, Role
from models.sight import Eyes
from records import audit, keys, staff
from records.database import Database
from starter.admin import handover
from starter.cli import build
from starter.commands import handing_over
from tests.api.crew import hire, send_away
from tests.api.test_refusals import is_problem
from tests.api.test_rights import vanished
from tests.api.world import ROLES, World, now

ANA = {"id": "ana", "email": "ana@example.org", "role": "agent", "areas": ["cx"], "languages": ["es", "en"]}
WHY = {"reasons": "leaves the house"}


async def tell(world: World, path: str, body: Any, role: Role = Role.SUPERVISOR) -> Any:
    return await world.http.post(f"/api/{path}", json=body, headers=world.bearer(role))


@pytest.fixture
async def hers(world: World, records: Database) -> str:
    """A case of Ana's; Bea, who may take it over, came after it."""
    hire(records, "ana")
    reference = await world.opened()
    hire(records, "bea")
    return reference


async def test_the_staff_are_kept_by_supervisors_and_compliance(front: World, records: Database) -> None:
    made = await tell(front, "staff", ANA)
    assert made.status_code == 200
    assert made.json()["person"] == {**ANA, "language": "es", "email": "ana@example.org", "present": True} | {
        "represents": [],
        "stands_in_for": [],
    }
    joined = made.json()["joined_at"]
    assert (await tell(front, "staff", {**ANA, "areas": ["cx", "finance"]}, Role.COMPLIANCE)).json()[
        "joined_at"
    ] == joined
    for role in (Role.AGENT, Role.REPRESENTATIVE, Role.AUDITOR, Role.INTAKE):
        assert (await tell(front, "staff", ANA, role)).status_code == 403
    with records.read() as session:
        lines = {(line.actor, line.outcome, line.detail) for line in audit.page(session, of="staff")}
        assert ("agent-1", "denied", "staff.role") in lines
        assert {line.action for line in audit.page(session, of="ana")} == {"staff.set"}


async def test_who_changes_role_needs_new_keys(front: World, records: Database) -> None:
    who = ROLES[Role.SUPERVISOR]
    as_before = {"id": who, "email": "s@example.org", "role": "supervisor", "areas": ["cx"], "languages": ["es"]}
    assert (await tell(front, "staff", as_before, Role.COMPLIANCE)).status_code == 200
    assert (await front.get("/api/staff", Role.SUPERVISOR)).status_code == 200
    assert (await tell(front, "staff", {**as_before, "role": "agent"}, Role.COMPLIANCE)).status_code == 200
    assert (await front.get("/api/staff", Role.SUPERVISOR)).status_code == 401
    with records.read() as session:
        (line,) = audit.page(session, action="key.revoke")
    assert (line.object, line.detail) == (who, "agent from now on")


async def test_keys_made_before_somebody_was_of_the_staff_keep_no_other_role(front: World, records: Database) -> None:
    with records.write() as session:
        boss, own = (keys.create(session, "ana", role, now()) for role in (Role.SUPERVISOR, Role.AGENT))
    assert (await tell(front, "staff", ANA)).status_code == 200
    seen = {
        secret: (await front.http.get("/api/staff", headers={"Authorization": f"Bearer {secret}"})).status_code
        for secret in (boss, own)
    }
    assert seen == {boss: 401, own: 200}


async def test_all_may_read_who_represents_which_area(front: World) -> None:
    await tell(front, "staff", {**ANA, "id": "cx-lead", "role": "representative"})
    await tell(front, "staff", {**ANA, "id": "cx-deputy", "role": "representative"})
    people = (await front.get("/api/staff")).json()["items"]
    speaking = [one for one in people if one["represents"] or one["stands_in_for"]]
    assert [(one["id"], one["represents"], one["stands_in_for"]) for one in speaking] == [
        ("cx-deputy", [], ["cx"]),
        ("cx-lead", ["cx"], []),
    ]
    assert {one["email"] for one in people} == {""}, "an address is nobody else's business"
    assert "ana@example.org" in (await front.get("/api/staff", Role.COMPLIANCE)).text
    assert (await front.get("/api/staff", Role.INTAKE)).status_code == 403


async def test_absences_trainings_and_shifts(front: World) -> None:
    await tell(front, "staff", ANA)
    today = now().date()
    days = {"first": f"{today.replace(day=1)}", "last": "2199-12-31", "reasons": "parental leave"}
    assert (await tell(front, "staff/ana/absences", days)).json()["person"]["present"] is False
    await tell(front, "staff/ana/trainings", {"area": "cx", "language": "es", "until": "2030-01-31"})
    week = {"shifts": [{"weekday": 0, "starts": "08:00", "ends": "16:30"}]}
    await tell(front, "staff/ana/shifts", {"shifts": [{"weekday": 6, "starts": "22:00", "ends": "06:00"}]})
    whole = (await tell(front, "staff/ana/shifts", week)).json()
    assert whole["trainings"] == [{"area": "cx", "language": "es", "until": "2030-01-31"}]
    assert whole["shifts"] == [{"weekday": 0, "starts": "08:00:00", "ends": "16:30:00"}]
    assert whole["absences"] == [{**days, "by": "supervisor-1"}]
    seen = (await front.get("/api/staff/ana")).json()
    assert seen["absences"] == [{**days, "by": "", "reasons": ""}]
    back = await front.http.delete(f"/api/staff/ana/absences/{days['first']}", headers=front.bearer(Role.SUPERVISOR))
    assert (back.status_code, back.json()["person"]["present"]) == (200, True)
    again = await front.http.delete(f"/api/staff/ana/absences/{days['first']}", headers=front.bearer(Role.SUPERVISOR))
    assert (again.status_code, again.json()["code"]) == (404, "absence.unknown")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("staff", {**ANA, "areas": ["nowhere"]}, 422, "staff.unknown-area"),
        ("staff", {**ANA, "id": "a/b"}, 422, "request.malformed"),
        ("staff", {**ANA, "email": "nobody"}, 422, "request.malformed"),
        ("staff", {**ANA, "email": ""}, 422, "request.malformed"),
        ("staff", {**ANA, "role": "system"}, 422, "request.malformed"),
        (
            "staff/ana/absences",
            {"first": "2026-03-02", "last": "2026-03-01", "reasons": "x"},
            422,
            "absence.backwards",
        ),
        ("staff/ana/absences", {"first": "2026-03-02", "last": "9999-03-01", "reasons": "x"}, 422, "request.malformed"),
        (
            "staff/ana/trainings",
            {"area": "moon", "language": "es", "until": "2030-01-31"},
            422,
            "staff.unknown-area",
        ),
        ("staff/ana/trainings", {"area": "cx", "language": "fr", "until": "2030-01-31"}, 422, "request.malformed"),
        (
            "staff/ana/shifts",
            {"shifts": [{"weekday": 7, "starts": "08:00", "ends": "09:00"}]},
            422,
            "request.malformed",
        ),
        (
            "staff/ana/shifts",
            {"shifts": [{"weekday": 0, "starts": "08:00+02:00", "ends": "09:00"}]},
            422,
            "request.malformed",
        ),
        ("staff/ana/handover", {**WHY, "areas": ["cx", "moon"]}, 422, "staff.unknown-area"),
        ("staff/bea/shifts", {"shifts": []}, 404, "staff.unknown"),
        ("staff/bea/leave", WHY, 404, "staff.unknown"),
        ("staff/supervisor-1/leave", WHY, 409, "staff.oneself"),
    ],
)
async def test_what_cannot_be_is_refused(front: World, path: str, body: Any, status: int, code: str) -> None:
    await tell(front, "staff", ANA)
    refused = await tell(front, path, body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


@pytest.mark.rule("M3.3")
async def test_who_leaves_hands_every_case_over_with_its_reasons(
    world: World, records: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hire(records, "ana")
    references = [await world.opened(email=f"user-{n}@example.org") for n in range(3)]
    hire(records, "bea")
    hire(records, "carl")
    hire(records, "dora")
    send_away(records, "dora")
    monkeypatch.setattr(handover, "AT_ONCE", 2)
    first = (await tell(world, "staff/ana/leave", WHY)).json()
    assert (len(first["handed"]), first["remaining"]) == (2, 1)
    assert {one["owner"] for one in first["handed"]} == {"bea", "carl"}, "what is given out counts at once"
    for one in first["handed"]:
        await world.settled(one["reference"], lambda view: view["state"]["owner"] != "ana")
    second = (await tell(world, "staff/ana/leave", WHY)).json()
    assert (len(second["handed"]), second["remaining"]) == (1, 0)
    for reference in references:
        view = await world.settled(reference, lambda view: view["state"]["owner"] != "ana")
        event = next(one for one in view["timeline"] if one["type"] == "case.assigned")
        assert event["texts"]["reasons"] == WHY["reasons"]
        assert event["actor"]["id"] == "supervisor-1"
        told = event["data"]["assignment"]
        assert (told["rule"], told["step"]) == ("handover", "area")
        assert {"staff": "dora", "why": "absent"} in told["passed_over"]
    assert (await tell(world, "staff/ana/leave", WHY)).json() == {"handed": [], "stays": [], "remaining": 0}
    with records.read() as session:
        assert not staff.present(session, "ana", now().date())


async def test_a_case_that_moved_on_meanwhile_stays_where_it_is(world: World, hers: str) -> None:
    ask = handover.Ask("ana", Actor(id="supervisor-1", role=Role.SUPERVISOR), "x", Eyes("supervisor-1"))
    plan = handover._plan(world.desk, ask)
    moved = await world.command(hers, "assign", {"owner": "bea", "reasons": "x"})
    assert moved.status_code == 200
    await world.settled(hers, lambda view: view["state"]["owner"] == "bea")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handover, "_plan", lambda *_: plan)
        answer = (await tell(world, "staff/ana/handover", WHY)).json()
    assert answer == {"handed": [], "stays": [], "remaining": 0}


async def test_before_a_long_absence_cases_are_given_to_others(world: World, records: Database) -> None:
    hire(records, "ana")
    reference = await world.opened()
    answer = (await tell(world, "staff/ana/handover", WHY)).json()
    assert answer["handed"] == [{"reference": reference, "owner": "cx-supervisor", "step": "nobody-there"}]
    view = await world.settled(reference, lambda view: view["state"]["owner"] == "cx-supervisor")
    told = view["timeline"][-1]["data"]["assignment"]["passed_over"]
    assert {"staff": "ana", "why": "absent"} in told


async def timeline_of(world: World, reference: str, owner: str) -> Any:
    """How a case came to somebody."""
    view = await world.settled(reference, lambda view: view["state"]["owner"] == owner)
    return next(one for one in reversed(view["timeline"]) if one["type"] == "case.assigned")


@pytest.mark.rule("M3.3")
async def test_who_loses_an_area_loses_its_cases_and_keeps_the_others(world: World, records: Database) -> None:
    hire(records, "ana")
    hers = await world.opened()
    other = await world.opened(email="luis@example.org")
    moved = await world.command(other, "assign", {"owner": "ana", "area": "finance", "reasons": "x"}, Role.SUPERVISOR)
    assert is_problem(moved, 409)["code"] == "assign.untrained"
    hire(records, "bea")
    edit = {**ANA, "areas": ["finance"]}
    told = (await tell(world, "staff", {**edit, "areas": ["cx", "finance"]})).json()
    assert told["handover"] is None, "nothing was taken away"
    until = {"area": "finance", "language": "es", "until": "2199-12-31"}
    assert (await tell(world, "staff/ana/trainings", until)).json()["handover"] is None
    moved = await world.command(other, "assign", {"owner": "ana", "area": "finance", "reasons": "x"}, Role.SUPERVISOR)
    assert moved.status_code == 200, moved.text
    await world.settled(other, lambda view: view["state"]["area"] == "finance")
    told = (await tell(world, "staff", edit)).json()["handover"]
    assert told == {"handed": [{"reference": hers, "owner": "bea", "step": "area"}], "stays": [], "remaining": 0}
    event = await timeline_of(world, hers, "bea")
    assert event["texts"]["reasons"] == "no longer works for cx"
    assert event["actor"]["id"] == "supervisor-1"
    reads = {**edit, "role": "auditor", "reasons": "reads from now on"}
    told = (await tell(world, "staff", reads, Role.COMPLIANCE)).json()["handover"]
    assert [one["reference"] for one in told["handed"]] == [other]


@pytest.mark.rule("M3.3")
async def test_whose_training_is_taken_away_loses_what_they_may_answer_no_longer(
    world: World, hers: str, http_without_engine: AsyncClient
) -> None:
    over = {"area": "cx", "until": "2026-01-01"}
    english = (await tell(world, "staff/ana/trainings", {**over, "language": "en"})).json()
    assert english["handover"] == {"handed": [], "stays": [], "remaining": 0}, "the inquiry is in Spanish"
    body = {**over, "language": "es", "reasons": "the course was not passed"}
    away = await http_without_engine.post("/api/staff/ana/trainings", json=body, headers=world.bearer(Role.SUPERVISOR))
    assert (away.status_code, away.json()["handover"]) == (200, {"handed": [], "stays": [], "remaining": 1})
    rest = {"reasons": "the course was not passed", "areas": ["cx"], "untrained": True}
    told = (await tell(world, "staff/ana/handover", rest)).json()
    assert [(one["reference"], one["owner"]) for one in told["handed"]] == [(hers, "bea")]
    assert (await timeline_of(world, hers, "bea"))["texts"]["reasons"] == rest["reasons"]
    again = (await tell(world, "staff/bea/handover", rest)).json()
    assert again == {"handed": [], "stays": [], "remaining": 0}, "she is trained"


async def test_the_command_line_passes_on_what_somebody_loses(
    world: World, hers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = world.desk.settings
    for name in ("records_url", "temporal", "task_queue", "var"):
        monkeypatch.setenv(f"PLAZO_{name.upper()}", str(getattr(settings, name)))
    line = ["staff", "trained", "ana", "cx", "es", "--until", "2026-01-01", "--by", "supervisor-1", "--why", "lapsed"]
    told = await asyncio.to_thread(CliRunner().invoke, build(line), line)
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines()[1:] == ["REFERENCE\tNOW WITH\tHOW", f"{hers}\tbea\tarea"]
    assert (await timeline_of(world, hers, "bea"))["texts"]["reasons"] == "lapsed"
    line = ["staff", "add", "ana", "ana@example.org", "agent", "--area", "finance", "--by", "supervisor-1"]
    await world.settled(hers, lambda view: view["state"]["owner"] == "bea")
    told = await asyncio.to_thread(CliRunner().invoke, build(line), line)
    assert told.stdout.splitlines() == ["ana is known"]


async def test_who_has_what(world: World, hers: str, records: Database) -> None:
    send_away(records, "bea")
    items = (await world.get("/api/workload")).json()["items"]
    assert len(items) == len(ROLES) + 1, "all but the intake service, and two more"
    loads = [one for one in items if one["owner"] in {"ana", "bea"}]
    assert [(one["owner"], one["present"], one["owing"], one["overdue"]) for one in loads] == [
        ("ana", True, 1, 0),
        ("bea", False, 0, 0),
    ]
    assert (loads[0]["next_reference"], loads[1]["next_due_at"]) == (hers, None)


async def test_the_command_line_hands_over_all_at_once(
    world: World, records: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hire(records, "ana")
    references = {await world.opened(email=f"user-{n}@example.org") for n in range(3)}
    hire(records, "bea")
    monkeypatch.setattr(handover, "AT_ONCE", 2)
    boss = Actor(id="supervisor-1", role=Role.SUPERVISOR)
    told = await handing_over.hand_over_all(world.desk.settings, records, "ana", boss, "moves on")
    assert {one.reference for one in told.handed} == references
    assert (told.stays, told.remaining) == ((), 0)
    for reference in references:
        await world.settled(reference, lambda view: view["state"]["owner"] == "bea")


async def test_the_command_line_says_what_went_to_whom_and_what_stays(
    world: World, records: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hire(records, "ana")
    kept, other = await world.opened(), await world.opened(email="luis@example.org")
    hire(records, "bea")
    closed = await world.command(kept, "compartment", {"people": ["ana"], "reasons": "Reported."}, Role.COMPLIANCE)
    assert closed.status_code == 200
    await vanished(world, kept, Role.SUPERVISOR)
    settings = world.desk.settings
    for name in ("records_url", "temporal", "task_queue", "var"):
        monkeypatch.setenv(f"PLAZO_{name.upper()}", str(getattr(settings, name)))
    line = ["staff", "leave", "ana", "--why", "moves on", "--by", "supervisor-1"]
    told = await asyncio.to_thread(CliRunner().invoke, build(line), line)
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines() == [
        "REFERENCE\tNOW WITH\tHOW",
        f"{other}\tbea\tarea",
        "(hidden)\tana, still\thandover.hidden",
    ]
    again = await asyncio.to_thread(CliRunner().invoke, build(line), [*line, "--json"])
    assert json.loads(again.stdout) == {
        "handed": [],
        "stays": [{"reference": "", "code": "handover.hidden"}],
        "remaining": 0,
    }


async def test_a_handover_that_was_broken_off_goes_on(
    world: World, hers: str, http_without_engine: AsyncClient
) -> None:
    away = await http_without_engine.post("/api/staff/ana/leave", json=WHY, headers=world.bearer(Role.SUPERVISOR))
    assert away.status_code == 503
    again = (await tell(world, "staff/ana/leave", WHY)).json()
    assert again["handed"] == [{"reference": hers, "owner": "bea", "step": "area"}]


async def test_who_has_left_is_taken_in_again_by_compliance_alone_and_with_a_new_key(front: World) -> None:
    await tell(front, "staff", ANA)
    with front.desk.database.write() as session:
        secret = keys.create(session, "ana", Role.AGENT, now())
        staff.leave(session, "ana", now())
    for role in (Role.SUPERVISOR, Role.COMPLIANCE):
        refused = await tell(front, "staff", {**ANA, "email": "evil@example.org"}, role)
        assert (refused.status_code, refused.json()["code"]) == (409, "staff.left")
    refused = await tell(front, "staff/ana/return", None)
    assert (refused.status_code, refused.json()["code"]) == (403, "staff.role")
    back = await tell(front, "staff/ana/return", None, Role.COMPLIANCE)
    assert (back.status_code, back.json()["person"]["email"], back.json()["left_at"]) == (200, ANA["email"], None)
    again = await tell(front, "staff/ana/return", None, Role.COMPLIANCE)
    assert (again.status_code, again.json()["code"]) == (409, "staff.there")
    with front.desk.database.read() as session:
        assert keys.verify(session, secret) is None
        assert "staff.return" in {line.action for line in audit.page(session, of="ana")}


async def test_nobody_changes_their_own_entry(front: World) -> None:
    own = {**ANA, "id": "supervisor-1", "role": "supervisor"}
    assert (await tell(front, "staff", own, Role.COMPLIANCE)).status_code == 200
    training = {"area": "cx", "language": "es", "until": "2030-01-31"}
    for path, body in (
        ("staff", {**own, "role": "compliance"}),
        ("staff", {**own, "email": "evil@example.org"}),
        ("staff/supervisor-1/trainings", training),
    ):
        refused = await tell(front, path, body)
        assert (refused.status_code, refused.json()["code"]) == (409, "staff.oneself")
    assert (await tell(front, "staff/supervisor-1/trainings", training, Role.COMPLIANCE)).status_code == 200
