"""A proposal as its approver sees it, and that it takes another person, whatever key they use."""

import pytest

from models.inquiry import Role
from records import audit, keys
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
    refused = await world.http.post(
        f"/api/inquiries/{reference}/approve", json={}, headers={"Authorization": f"Bearer {second}"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "approval.same-person")
    with world.desk.database.read() as session:
        last, *_ = audit.page(session, action="approve")
    assert (last.actor, last.object, last.outcome, last.detail) == (
        "agent-1",
        reference,
        "denied",
        refused.json()["code"],
    )
