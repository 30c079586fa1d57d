"""A promised remedy over HTTP: told by the final answer, and kept by a letter of its own."""

import pytest

from models.inquiry import Role
from tests.api.world import World

PROMISE = {"what": "Le devolvemos la comisión.", "amount": "2.50", "currency": "USD", "by": "2099-04-20"}


@pytest.mark.rule("M3.8")
async def test_a_promise_is_told_by_the_answer_and_kept_by_its_letter(world: World) -> None:
    reference = await world.opened()
    by = (await world.get(f"/api/inquiries/{reference}")).json()["state"]["resolution_due"][:10]
    promised = await world.command(reference, "promise_remedy", {**PROMISE, "by": by})
    assert promised.status_code == 200, promised.text
    above = await world.command(reference, "promise_remedy", {**PROMISE, "by": by, "amount": "900"})
    assert (above.status_code, above.json()["code"]) == (409, "approval.missing")
    await world.settled(reference, lambda view: view["state"]["remedies"])
    point = {"point": "No llegó.", "answer": "Lo revisamos y se lo devolvemos."}
    body = {"outcome": "upheld", "points": [point], "actions": ["Leímos el libro de movimientos."]}
    answered = await world.command(reference, "resolve", body)
    assert answered.status_code == 200, answered.text
    await world.settled(reference, lambda view: view["state"]["status"] == "answered")
    final = (await world.get(f"/api/inquiries/{reference}/letters/final_upheld/1")).json()
    assert "Le devolvemos la comisión." in final["full_text"]
    assert "USD 2.50" in final["full_text"]

    done = {"remedy": 1, "evidence": "Transferencia 4411."}
    refused = await world.command(reference, "remedy_done", done)
    assert (refused.status_code, refused.json()["code"]) == (409, "remedy.not-theirs")
    assert (await world.command(reference, "remedy_done", done, Role.SUPERVISOR)).status_code == 200
    view = await world.settled(
        reference,
        lambda view: any(one["kind"] == "promised remedy" and one["met_at"] for one in view["obligations"]),
    )
    assert view["state"]["remedies"][0]["done_at"]
    kept = (await world.get(f"/api/inquiries/{reference}/letters/remedy_done/1")).json()
    assert "USD 2.50" in kept["full_text"]
