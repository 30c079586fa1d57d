"""A proposal as its approver sees it, and that it takes another person, whatever key they use."""

from typing import Any

import pytest

from models.inquiry import Role
from records import audit, keys
from tests.api.crew import hire, send_away
from tests.api.test_commands import UNFOUNDED
from tests.api.world import World, now


@pytest.mark.rule("M5.3")
async def test_the_approver_reads_the_very_letter_that_will_leave(world: World) -> None:
    reference = await world.opened()
    path = f"/api/inquiries/{reference}/proposal"
    nothing = await world.get(path)
    assert (nothing.status_code, nothing.json()["code"]) == (404, "proposal.none")
    proposed = await world.command(reference, "propose", {"command": "resolve", "order": UNFOUNDED})
    assert proposed.json()["proposal_due"] == proposed.json()["resolution_due"]
    view = await world.settled(reference, lambda view: view["state"]["proposal"] is not None)
    assert view["state"]["proposal_due"] == view["state"]["resolution_due"]
    shown = (await world.get(path, Role.SUPERVISOR)).json()
    assert (shown["proposer"], shown["due"], shown["stale"]) == ("agent-1", view["state"]["resolution_due"], False)
    assert shown["draft"]["reasons"] == UNFOUNDED["reasons"]
    (letter,) = shown["letters"]
    assert letter["kind"] == "final_unfounded"
    assert "El monto acreditado es el solicitado." in letter["full_text"]
    assert all("solicitado" not in sent.text for sent in world.post.letters)

    assert (await world.command(reference, "refer", {"area": "operations", "question": "¿Salió?"})).status_code == 200
    await world.settled(reference, lambda view: view["state"]["status"] == "referred")
    waiting = (await world.get(path)).json()
    assert (waiting["refused"]["rule"], waiting["letters"]) == ("M5.3", [])


@pytest.mark.rule("M5.3")
async def test_a_second_key_is_no_second_person(world: World) -> None:
    reference = await world.opened()
    with world.desk.database.write() as session:
        second = keys.create(session, "agent-1", Role.SUPERVISOR, now())
    await world.command(reference, "propose", {"command": "resolve", "order": UNFOUNDED})
    bearer, yes = {"Authorization": f"Bearer {second}"}, await world.approval(reference)
    refused = await world.http.post(f"/api/inquiries/{reference}/approve", json=yes, headers=bearer)
    assert (refused.status_code, refused.json()["code"]) == (409, "approval.same-person")
    with world.desk.database.read() as session:
        last, *_ = audit.page(session, action="approve")
    assert (last.actor, last.object, last.outcome, last.detail) == (
        "agent-1",
        reference,
        "denied",
        refused.json()["code"],
    )


@pytest.mark.rule("M5.3")
async def test_only_the_staff_decide_and_only_who_is_trained_approves(world: World) -> None:
    records = world.desk.database
    hire(records, "bookkeeper", area="finance")
    hire(records, "speaks-english", languages="en")
    reference = await world.opened()

    async def as_one(who: str, name: str, body: Any) -> tuple[int, str]:
        with records.write() as session:
            secret = keys.create(session, who, Role.SUPERVISOR, now())
        path, bearer = f"/api/inquiries/{reference}/{name}", {"Authorization": f"Bearer {secret}"}
        answer = await world.http.post(path, json=body, headers=bearer)
        return answer.status_code, answer.json()["code"]

    order = {"command": "resolve", "order": UNFOUNDED}
    assert await as_one("a-stranger", "resolve", UNFOUNDED) == (409, "actor.not-staff")
    assert await as_one("a-stranger", "propose", order) == (409, "actor.not-staff")
    assert (await world.command(reference, "propose", order)).status_code == 200
    yes = await world.approval(reference)
    assert await as_one("a-stranger", "approve", yes) == (409, "actor.not-staff")
    assert await as_one("bookkeeper", "approve", yes) == (409, "approval.untrained")
    assert await as_one("speaks-english", "approve", yes) == (409, "approval.untrained")
    with records.read() as session:
        denied = {(one.actor, one.outcome, one.detail) for one in audit.page(session, action="approve")}
    assert ("bookkeeper", "denied", "approval.untrained") in denied
    assert ("a-stranger", "denied", "actor.not-staff") in denied


@pytest.mark.rule("M5.3")
async def test_a_yes_names_what_was_read_and_is_no_yes_to_what_was_proposed_since(world: World) -> None:
    reference = await world.opened()
    proposal = {"command": "resolve", "order": UNFOUNDED}
    first = (await world.command(reference, "propose", proposal)).json()["proposed_at"]
    read = await world.approval(reference)
    assert read == {"proposed_at": first}
    second = (await world.command(reference, "propose", proposal)).json()["proposed_at"]
    assert second > first
    replaced = await world.command(reference, "approve", read, Role.SUPERVISOR)
    assert (replaced.status_code, replaced.json()["code"]) == (409, "approval.replaced")
    unread = await world.command(reference, "approve", {}, Role.SUPERVISOR)
    assert (unread.status_code, unread.json()["errors"][0]["field"]) == (422, "proposed_at")


@pytest.mark.rule("M3.3")
async def test_a_proposed_owner_is_looked_at_again_when_it_is_approved(world: World) -> None:
    hire(world.desk.database, "ana")
    reference = await world.opened()
    order = {"command": "assign", "order": {"owner": "ana", "reasons": "Knows it."}}
    assert (await world.command(reference, "propose", order)).status_code == 200
    send_away(world.desk.database, "ana")
    refused = await world.command(reference, "approve", role=Role.SUPERVISOR)
    assert (refused.status_code, refused.json()["code"]) == (409, "assign.absent")
