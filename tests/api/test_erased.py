"""An inquiry that goes on after all that was written in it was erased, over HTTP."""

from typing import Any

from models.inquiry import Role
from tests.api.test_commands import UPHELD, withdrawn
from tests.api.world import World


async def erased(world: World, reference: str, message: str) -> None:
    """Asked for by the user, proposed by one colleague, approved by another, and done."""
    assert (await world.command(reference, "request_erasure", {"message": message})).status_code == 200
    assert (await world.command(reference, "propose", {"command": "erase", "order": {}})).status_code == 200
    assert (await world.command(reference, "approve", role=Role.SUPERVISOR)).status_code == 200
    await world.settled(reference, lambda view: "erased" in view["state"]["flags"])


async def test_a_case_whose_points_were_erased_is_reopened_and_answered(world: World) -> None:
    reference = await world.opened()
    message = (await world.get(f"/api/inquiries/{reference}")).json()["messages"][0]["id"]
    points = [{"point": "El retiro no llegó."}]
    assert (await world.command(reference, "set_points", {"points": points})).status_code == 200
    await withdrawn(world, reference, message)
    await erased(world, reference, message)
    assert (await world.command(reference, "reopen", {"reasons": "Hay documentos nuevos."})).status_code == 200
    await world.settled(reference, lambda view: view["state"]["status"] != "closed")
    shown = (await world.get(f"/api/inquiries/{reference}/points")).json()
    assert shown == {"points": [], "proposed": []}
    body: dict[str, Any] = {**UPHELD, "points": [{"point": "El retiro.", "answer": "Ya salió."}]}
    gate = await world.http.post(f"/api/inquiries/{reference}/gate", json=body, headers=world.bearer(Role.AGENT))
    assert gate.json()["missing"] == []
    answered = await world.command(reference, "resolve", body)
    assert answered.status_code == 200, answered.text
    again = await world.command(reference, "request_erasure", {"message": message})
    assert (again.status_code, again.json()["code"], again.json()["field"]) == (409, "erasure.asked", "message")
    assert "is erased" in again.json()["detail"], "whatever the case counts"
