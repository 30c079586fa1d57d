"""Incidents over the API: opened, moved on the board, refused where they must be."""

from typing import Any

import pytest
from httpx2 import Response

from models.inquiry import Role
from records import audit, keys
from records.database import Database
from starter.admin.catalogue import EXAMPLES
from tests.api.crew import hire
from tests.api.world import World, now, until

MATTER = {"area": "operations", "matter": "withdrawal", "text": "Broadcast at 14:02; Ana Pérez waits."}
POINT = {"point": "No llegó.", "answer": "Se retuvo por error y ya salió."}
FINAL = {"outcome": "upheld", "points": [POINT], "actions": ["Se liberó."]}


def linked(view: Any) -> bool:
    return bool(view["state"]["incidents"]) and bool(view["state"]["incidents"][-1]["linked_at"])


def over(view: Any) -> bool:
    return bool(view["state"]["incidents"][-1]["state"] in {"resolved", "rejected"})


async def post(world: World, path: str, body: Any = None, role: Role = Role.AGENT, **headers: str) -> Response:
    named = {header.replace("_", "-"): value for header, value in headers.items()}
    return await world.http.post(path, json=body or {}, headers={**world.bearer(role), **named})


async def opened(world: World, **more: Any) -> str:
    reference = await world.opened()
    (await world.command(reference, "open_incident", {**MATTER, **more})).raise_for_status()
    await world.settled(reference, linked)
    return reference


@pytest.mark.rule("M5.6")
async def test_a_specialist_moves_it_on_the_board_and_the_case_has_the_evidence(world: World) -> None:
    reference = await opened(world)
    (line,) = (await world.get("/api/incidents", params={"open": True})).json()["items"]
    assert (line["title"], line["tracker"]) == (f"{reference} incident 1: withdrawal not completed", "builtin")
    shown = (await world.get(f"/api/incidents/{reference.lower()}/1")).json()
    assert (shown["description"], shown["state"]) == (MATTER["text"], "open")
    refused = await world.command(reference, "resolve", FINAL)
    assert (refused.status_code, refused.json()["code"]) == (409, "resolve.incident-open")
    here = f"/api/incidents/{reference}/1"
    assert (await post(world, f"{here}/move", {"state": "in_progress"})).json()["state"] == "in_progress"
    for _ in range(2):
        said = await post(world, f"{here}/comments", {"text": "The bank is asked."}, Idempotency_Key="one")
        assert said.status_code == 201
    unproved = await post(world, f"{here}/move", {"state": "resolved"})
    assert (unproved.status_code, unproved.json()["code"]) == (422, "incident.no-evidence")
    done = await post(world, f"{here}/move", {"state": "resolved", "words": "Confirmed at 18:31."}, Role.SUPERVISOR)
    assert [one["text"] for one in done.json()["comments"]] == ["The bank is asked."]
    view = await world.settled(reference, over)
    story = [one for one in view["timeline"] if one["type"].startswith("incident.")]
    assert [(one["type"], one["actor"]["id"], one["texts"]) for one in story][2:] == [
        ("incident.changed", "agent-1", {}),
        ("incident.noted", "agent-1", {"words": "The bank is asked."}),
        ("incident.closed", "supervisor-1", {"words": "Confirmed at 18:31."}),
    ]
    (await world.command(reference, "resolve", FINAL)).raise_for_status()
    assert (await world.get("/api/incidents", params={"open": True, "reference": reference})).json()["items"] == []


@pytest.mark.rule("M5.4")
async def test_the_end_of_an_incident_is_its_areas_to_say(world: World, records: Database) -> None:
    hire(records, "agent-1")
    reference = await opened(world)
    here, end = f"/api/incidents/{reference}/1/move", {"state": "resolved", "words": "Confirmed at 18:31."}
    closing = {"incident": 1, "outcome": "resolved", "evidence": "Confirmed at 18:31."}
    for refused in (
        await post(world, here, end),
        await world.command(reference, "close_incident", closing, Role.AGENT),
        await world.command(reference, "close_incident", closing, Role.REPRESENTATIVE),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "incident.not-theirs")
    with records.read() as session:
        assert [(one.action, one.detail) for one in audit.page(session)[1:3]] == [
            ("close_incident", "incident.not-theirs"),
            ("incident.change", "incident.not-theirs"),
        ]
    assert (await post(world, here, {"state": "blocked"})).status_code == 200
    hire(records, "operations-2", area="operations")
    with records.write() as session:
        theirs = {"Authorization": f"Bearer {keys.create(session, 'operations-2', Role.AGENT, now())}"}
    assert (await world.http.post(here, json=end, headers=theirs)).status_code == 200
    await world.settled(reference, over)
    (await world.command(reference, "open_incident", MATTER)).raise_for_status()
    await world.settled(reference, linked)
    path, second = f"/api/inquiries/{reference}/close_incident", {**closing, "incident": 2}
    assert (await world.http.post(path, json=second, headers=theirs)).status_code == 200


@pytest.mark.rule("M5.6")
async def test_answered_all_the_same_with_a_reason_that_is_no_part_of_the_letter(world: World) -> None:
    reference = await opened(world)
    despite = {"despite_incident": "The refund does not hang on it."}
    (await world.command(reference, "resolve", FINAL | despite)).raise_for_status()
    view = await world.settled(reference, lambda view: view["state"]["status"] == "answered")
    (told,) = [one for one in view["timeline"] if one["type"] == "case.resolved"]
    assert told["texts"] == despite
    assert despite["despite_incident"] not in world.post.letters[-1].text


async def test_the_board_is_read_in_pages(world: World) -> None:
    reference = await opened(world)
    (await world.command(reference, "open_incident", {**MATTER, "area": "security"})).raise_for_status()
    await world.settled(reference, lambda view: len(view["state"]["incidents"]) == 2 and linked(view))

    async def both() -> Any:
        page = (await world.get("/api/incidents", params={"limit": 1})).json()
        return page if page["before"] else None

    first = await until(both)
    assert first["items"][0]["n"] == 2
    rest = (await world.get("/api/incidents", params={"limit": 1, "before": first["before"]})).json()
    assert [one["n"] for one in rest["items"]] == [1]
    assert rest["before"] is None
    area = (await world.get("/api/incidents", params={"area": "security", "state": "open"})).json()
    assert [one["n"] for one in area["items"]] == [2]
    assert (await world.get("/api/incidents", params={"open": False})).json()["items"] == []


async def test_what_is_refused_says_which_field(world: World) -> None:
    reference = await opened(world)
    here = f"/api/incidents/{reference}/1"
    unknown = await world.command(reference, "open_incident", {**MATTER, "matter": "ana_perez"})
    assert (unknown.status_code, unknown.json()["code"]) == (409, "incident.unknown-matter")
    for answer, status, code in (
        (await post(world, f"{here}/move", {"state": "done"}), 422, "request.malformed"),
        (await post(world, f"{here}/comments", {"text": " "}), 422, "request.malformed"),
        (await post(world, f"{here}/move", {"state": "blocked"}, Role.AUDITOR), 403, "actor.reads-only"),
        (await post(world, f"/api/incidents/{reference}/2/move", {"state": "blocked"}), 404, "incident.unknown"),
        (await post(world, f"/api/incidents/{reference}/0/move", {"state": "blocked"}), 422, "request.malformed"),
        (await post(world, "/api/incidents/RX-0000-0000/1/move", {"state": "blocked"}), 404, "inquiry.unknown"),
        (await post(world, f"{here}/refresh"), 200, ""),
        (await world.http.get("/api/incidents"), 401, "key.missing"),
        (await world.http.post("/trackers/builtin/events", content=b"{}"), 404, "tracker.no-door"),
        (await world.http.post("/trackers/jira/events", content=b"{}"), 404, "tracker.no-door"),
    ):
        assert (answer.status_code, answer.json().get("code", "")) == (status, code)
    assert (await world.get("/api/incidents", Role.AUDITOR)).status_code == 200


def test_the_examples_of_the_documentation_name_what_the_policy_has() -> None:
    assert set(EXAMPLES["open_incident"]) == set(MATTER)
