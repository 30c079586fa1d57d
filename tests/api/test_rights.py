"""Rights at the door: on every route, and on the inquiry; what is hidden does not exist, and every denial is noted."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.inquiry import Role
from models.rights import RIGHTS, may
from records import audit, keys
from settings import Settings
from starter.admin.rights import action_of
from starter.cli import build
from starter.web import create_app
from tests.api.crew import hire
from tests.api.world import ROLES, World, now, until

PAGE = Path(__file__).parents[2] / "docs" / "access.md"
MARKS = (Role.AGENT, Role.REPRESENTATIVE, Role.SUPERVISOR, Role.COMPLIANCE, Role.AUDITOR, Role.INTAKE)


def lines(world: World) -> list[tuple[str, str, str, str]]:
    with world.desk.database.read() as session:
        return [(line.actor, line.action, line.outcome, line.detail) for line in audit.page(session)]


async def test_every_route_is_in_the_table_and_asks_it(front: World, settings: Settings) -> None:
    paths = create_app(settings).openapi()["paths"]
    admin = [
        (method.upper(), path) for path, methods in paths.items() if path.startswith("/api/") for method in methods
    ]
    assert len(admin) > 30
    for method, path in admin:
        assert action_of(method, path) in RIGHTS, f"{method} {path} is missing in ROUTES"
        place = re.sub(r"{n}", "1", path)
        assert (await front.http.request(method, place, json={})).status_code == 401, path
        refused = await front.http.request(method, place, json={}, headers=front.bearer(Role.INTAKE))
        theirs = {"/api/me": 200, "/api/inquiries": 422 if method == "POST" else 403, "/api/bindings/confirm": 422}
        theirs["/api/bindings"] = 422
        assert refused.status_code == theirs.get(path, 403), path


def table() -> str:
    rows = ["| action | " + " | ".join(role.value for role in MARKS) + " |", "|---" * (len(MARKS) + 1) + "|"]
    for action in sorted(RIGHTS):
        marks = " | ".join("yes" if may(role, action) else "" for role in MARKS)
        rows += [f"| `{action}` | {marks} |"]
    return "\n".join(rows)


def test_the_table_of_roles_stands_in_the_documentation() -> None:
    written = re.search(r"^\| action \|.*?(?=\n\n)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert written, f"put this into docs/access.md:\n{table()}"
    assert written[0] == table(), f"it should read:\n{table()}"


@pytest.mark.parametrize(
    ("role", "method", "path", "code"),
    [
        (Role.AUDITOR, "POST", "/api/bindings", "actor.reads-only"),
        (Role.INTAKE, "GET", "/api/inquiries", "actor.hands-in"),
        (Role.INTAKE, "POST", "/api/break-glass", "actor.hands-in"),
        (Role.AGENT, "GET", "/api/reports/2026Q1", "report.role"),
        (Role.AGENT, "GET", "/api/audit", "audit.role"),
        (Role.AUDITOR, "POST", "/api/inquiries/RX-7KQ4-M2PD/resolve", "actor.reads-only"),
        (Role.SUPERVISOR, "POST", "/api/inquiries/RX-7KQ4-M2PD/compartment", "compartment.role"),
    ],
)
async def test_a_role_without_the_right_is_told_and_noted(
    front: World, role: Role, method: str, path: str, code: str
) -> None:
    answer = await front.http.request(method, path, headers=front.bearer(role), json=None if method == "GET" else {})
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    actor, _action, outcome, detail = lines(front)[0]
    assert (actor, outcome, detail) == (ROLES[role], "denied", code)


async def paths(world: World, reference: str, role: Role) -> dict[str, int]:
    """What each way to an inquiry answers."""
    found = {
        path: (await world.get(f"/api/inquiries/{reference}{path}", role)).status_code
        for path in ("", "/thread", "/letters/1")
    }
    found["note"] = (await world.command(reference, "note", {"text": "?"}, role)).status_code
    listed = (await world.get("/api/inquiries", role)).json()["items"]
    found["list"] = 200 if reference in {line["reference"] for line in listed} else 404
    board = await world.get("/api/incidents", role)
    found["board"] = 200 if board.json()["items"] else 404
    found["binding"] = (
        await world.http.post("/api/bindings", json={"reference": reference}, headers=world.bearer(role))
    ).status_code
    return found


async def vanished(world: World, reference: str, role: Role) -> None:
    """The records have caught up, and the inquiry is gone for that role."""

    async def hidden() -> bool | None:
        return (await world.get(f"/api/inquiries/{reference}", role)).status_code == 404 or None

    await until(hidden)


async def test_a_case_of_a_closed_area_does_not_exist_for_the_others(world: World) -> None:
    first, other = await world.opened(), await world.opened(email="luis@example.org")
    hire(world.desk.database, "lawyer", area="legal")
    incident = {"area": "operations", "matter": "withdrawal", "text": "Look."}
    assert (await world.command(first, "open_incident", incident)).status_code == 200

    async def told() -> bool | None:
        return (await world.get("/api/incidents")).json()["items"] != [] or None

    await until(told)
    moved = await world.command(first, "assign", {"owner": "lawyer", "area": "legal", "reasons": "Claims damages."})
    assert moved.status_code == 200, moved.text

    await vanished(world, first, Role.AGENT)
    assert set((await paths(world, first, Role.AGENT)).values()) == {404}
    assert 404 not in (await paths(world, first, Role.SUPERVISOR)).values()
    read = await paths(world, first, Role.AUDITOR)
    assert {name for name, status in read.items() if status == 403} == {"note", "binding"}
    assert 404 not in read.values()
    logged = {action for actor, action, outcome, _ in lines(world) if (actor, outcome) == ("auditor-1", "allowed")}
    assert logged == {"inquiry.read", "inquiry.list", "incident.read"}
    merged = await world.command(other, "merge", {"other": first, "leads": True})
    assert (merged.status_code, merged.json()["code"]) == (409, "merge.unknown")
    denied = {(action, detail) for actor, action, outcome, detail in lines(world) if outcome == "denied"}
    assert {("inquiry.read", "rights.area"), ("note", "rights.area"), ("merge", "rights.area")} <= denied
    hire(world.desk.database, ROLES[Role.AGENT], area="legal")
    assert 404 not in (await paths(world, first, Role.AGENT)).values()


async def test_a_compartment_is_seen_by_who_is_named_compliance_and_auditors(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await world.opened()
    secret = {"people": [ROLES[Role.REPRESENTATIVE]], "reasons": "Reported."}
    assert (await world.command(reference, "compartment", secret, Role.COMPLIANCE)).status_code == 200
    await vanished(world, reference, Role.AGENT)
    for role in (Role.AGENT, Role.SUPERVISOR):
        assert (await world.get(f"/api/inquiries/{reference}", role)).status_code == 404
        listed = (await world.get("/api/inquiries", role)).json()["items"]
        assert reference not in {line["reference"] for line in listed}
    for role in (Role.REPRESENTATIVE, Role.COMPLIANCE, Role.AUDITOR):
        view = (await world.get(f"/api/inquiries/{reference}", role)).json()
        assert view["state"]["compartment"] == [ROLES[Role.REPRESENTATIVE]]
        assert {letter["kind"] for letter in view["letters"]} == {"acknowledgement"}
    for role in (Role.COMPLIANCE, Role.AUDITOR):
        assert (ROLES[role], "inquiry.read", "allowed", "") in lines(world)
    assert reference not in (await world.get("/api/workload")).text
    assert reference in (await world.get("/api/workload", Role.COMPLIANCE)).text
    monkeypatch.setenv("PLAZO_RECORDS_URL", settings.records_url)
    run = CliRunner()
    assert reference not in run.invoke(build(["list"]), ["list"]).output
    for line in ("show", "timeline", "thread"):
        assert run.invoke(build([line]), [line, reference]).exit_code == 1
    shown = await world.desk.client.get_workflow_handle(f"inquiry/{reference}").describe()
    assert "compartment" not in f"{shown.typed_search_attributes} {await shown.memo()} {await shown.static_summary()}"
    status = await world.command(reference, "compartment", {"lift": True, "reasons": "Over."}, Role.COMPLIANCE)
    assert status.status_code == 200
    await world.settled(reference, lambda view: "state" in view)


async def test_whom_a_complaint_is_about_neither_sees_nor_decides_it(world: World) -> None:
    reference = await world.opened()
    hire(world.desk.database, ROLES[Role.AGENT])
    about = {"about": [ROLES[Role.AGENT]], "reasons": "The user complains about agent-1."}
    assert (await world.command(reference, "declare_conflict", about, Role.SUPERVISOR)).status_code == 200
    await vanished(world, reference, Role.AGENT)
    assert (await world.command(reference, "note", {"text": "?"}, Role.AGENT)).status_code == 404
    broken = {"reference": reference, "reasons": "I want to know."}
    headers = world.bearer(Role.AGENT)
    assert (await world.http.post("/api/break-glass", json=broken, headers=headers)).status_code == 403
    back = {"owner": ROLES[Role.AGENT], "reasons": "Knows it."}
    refused = await world.command(reference, "assign", back, Role.SUPERVISOR)
    assert (refused.status_code, refused.json()["code"]) == (409, "assign.cannot-see")
    assert (await world.get(f"/api/inquiries/{reference}", Role.SUPERVISOR)).status_code == 200


async def test_broken_glass_opens_one_case_to_read_and_alarms(world: World) -> None:
    reference = await world.opened()
    assert (await world.command(reference, "compartment", {"reasons": "Reported."}, Role.COMPLIANCE)).status_code == 200
    await vanished(world, reference, Role.SUPERVISOR)
    headers, wanted = world.bearer(Role.SUPERVISOR), {"reference": reference, "reasons": "A judge asks at this hour."}
    opened = await world.http.post("/api/break-glass", json=wanted, headers=headers)
    assert opened.status_code == 201, opened.text
    assert (await world.get(f"/api/inquiries/{reference}", Role.SUPERVISOR)).status_code == 200
    assert (await world.command(reference, "note", {"text": "?"}, Role.SUPERVISOR)).status_code == 404
    assert (await world.get(f"/api/inquiries/{reference}", Role.AGENT)).status_code == 404

    async def told() -> bool | None:
        view = (await world.get(f"/api/inquiries/{reference}", Role.COMPLIANCE)).json()
        found = [one for one in view["timeline"] if one["type"] == "access.break-glass"]
        return bool(found and found[0]["actor"]["id"] == ROLES[Role.SUPERVISOR]) or None

    await until(told)
    assert any(line[:3] == (ROLES[Role.SUPERVISOR], "access.break-glass", "allowed") for line in lines(world))
    nothing = {"reference": "RX-7KQ4-M2PD", "reasons": "To see."}
    assert (await world.http.post("/api/break-glass", json=nothing, headers=headers)).status_code == 404
    officer = world.desk.policy.rights.break_glass.alarms[0]
    with world.desk.database.write() as session:
        key = keys.create(session, officer, Role.COMPLIANCE, now())
    inbox = (await world.http.get("/api/inbox", headers={"Authorization": f"Bearer {key}"})).json()
    assert any(alarm.startswith(f"{reference}: ") for alarm in inbox["alarms"])
    assert not any(reference in alarm for alarm in (await world.get("/api/inbox", Role.SUPERVISOR)).json()["alarms"])


async def test_a_supervisor_whom_it_is_about_breaks_no_glass(world: World) -> None:
    reference = await world.opened()
    compliance = [*world.desk.policy.staff.compliance, ROLES[Role.COMPLIANCE]]
    everybody = {"about": compliance, "reasons": "It is about them."}
    for about, code in (
        (everybody, "conflict.all-compliance"),
        ({"about": ["eva"], "reasons": "It is about her."}, "conflict.unknown-person"),
    ):
        refused = await world.command(reference, "declare_conflict", about)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    hire(world.desk.database, ROLES[Role.SUPERVISOR], role=Role.SUPERVISOR)
    about = {"about": [ROLES[Role.SUPERVISOR]], "reasons": "It is about them."}
    assert (await world.command(reference, "declare_conflict", about)).status_code == 200
    await vanished(world, reference, Role.SUPERVISOR)
    wanted = {"reference": reference, "reasons": "I want to know."}
    answer = await world.http.post("/api/break-glass", json=wanted, headers=world.bearer(Role.SUPERVISOR))
    assert answer.status_code == 404
    assert lines(world)[0] == (ROLES[Role.SUPERVISOR], "access.break-glass", "denied", "rights.concerned")
