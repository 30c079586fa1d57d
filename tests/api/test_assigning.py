"""Owners: found by rule, changed by name, taken by a claim."""

import pytest

from models.inquiry import Role
from models.tables import TrainingRow
from records import keys, staff
from records.database import Database
from tests.api.crew import hire, send_away
from tests.api.world import World, now

OTHER = {"owner": "bea", "reasons": "speaks with the bank"}


@pytest.mark.rule("M3.3")
async def test_only_who_is_there_and_trained_is_assigned_by_name(world: World, records: Database) -> None:
    hire(records, "agent-1")
    for name, languages in (("bea", "es en"), ("carl", ""), ("dora", "es en"), ("eva", "es en")):
        hire(records, name, languages=languages)
    send_away(records, "dora")
    with records.write() as session:
        staff.leave(session, "eva", now())
    reference = await world.opened()
    for owner, code in {"carl": "untrained", "dora": "absent", "eva": "left", "nobody": "unknown-person"}.items():
        refused = await world.command(reference, "assign", {**OTHER, "owner": owner})
        assert (refused.status_code, refused.json()["code"]) == (409, f"assign.{code}")
        assert refused.json()["field"] == "owner"
    refused = await world.command(reference, "assign", {**OTHER, "area": "finance"})
    assert refused.json()["code"] == "assign.untrained"
    assert (await world.command(reference, "assign", OTHER)).status_code == 200
    view = await world.settled(reference, lambda view: view["state"]["owner"] == "bea")
    opened = next(event for event in view["timeline"] if event["type"] == "case.opened")
    found = opened["data"]["assignment"]
    assert (found["owner"], found["rule"], found["step"]) == ("agent-1", "customer-experience", "area")
    assert {(one["staff"], one["why"]) for one in found["passed_over"]} == {
        ("bea", "same-load"),
        ("carl", "untrained"),
        ("dora", "absent"),
    }


async def test_the_next_inquiry_goes_to_whoever_has_less(world: World, records: Database) -> None:
    hire(records, "ana")
    hire(records, "bea")
    references = [await world.opened(email=f"user-{n}@example.org") for n in range(4)]
    owners = [(await world.get(f"/api/inquiries/{one}")).json()["state"]["owner"] for one in references]
    assert owners == ["ana", "bea", "ana", "bea"]
    found = (await world.get("/api/inquiries?owner=bea")).json()["items"]
    assert {line["reference"] for line in found} == {references[1], references[3]}


async def test_a_case_is_claimed_while_its_owner_is_away(world: World, records: Database) -> None:
    hire(records, "ana")
    reference = await world.opened()
    with records.write() as session:
        secret = keys.create(session, "a-stranger", Role.AGENT, now())
    path, bearer = f"/api/inquiries/{reference}/claim", {"Authorization": f"Bearer {secret}"}
    stranger = await world.http.post(path, json={}, headers=bearer)
    assert stranger.json()["code"] == "assign.unknown-person"
    hire(records, "agent-1", area="finance")
    with records.write() as session:
        for language in ("es", "en"):
            staff.train(session, TrainingRow(staff="agent-1", area="cx", language=language, until=now().date()))
    assert (await world.command(reference, "claim")).json()["code"] == "claim.other-area"
    hire(records, "agent-1")
    assert (await world.command(reference, "claim")).json()["code"] == "claim.attended"
    send_away(records, "ana")
    assert (await world.command(reference, "claim", Idempotency_Key="one")).status_code == 200
    assert (await world.command(reference, "claim", Idempotency_Key="one")).status_code == 200
    view = await world.settled(reference, lambda view: view["state"]["owner"] == "agent-1")
    assert view["timeline"][-1]["data"]["claimed_from"] == "ana"
    assert (await world.command(reference, "claim")).json()["code"] == "claim.own"
    assert (await world.command(reference, "claim", role=Role.AUDITOR)).status_code == 403
    proposed = await world.command(reference, "propose", {"command": "claim", "order": {}})
    assert proposed.json()["code"] == "proposal.unknown"
