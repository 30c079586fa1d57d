"""The cause of a final answer over HTTP: proposed, wanted, listed by, corrected."""

from typing import Any

import pytest

from models.inquiry import Role
from tests.api.world import World
from tests.cases import CAUSE

ANSWER: dict[str, Any] = {
    "outcome": "upheld",
    "points": [{"point": "No llegó.", "answer": "Lo revisamos y ya salió."}],
    "actions": ["Leímos el libro de movimientos."],
}
LIMIT = {"cause": "withdrawal.limit", "reasons": "Lo retuvo el límite diario."}


@pytest.mark.rule("M3.11")
async def test_a_cause_is_proposed_named_listed_by_and_corrected(world: World) -> None:
    reference = await world.opened("Mi retiro no llegó, exijo respuesta.")
    shown = (await world.get(f"/api/inquiries/{reference}/causes")).json()
    assert shown["proposed"] == [{"code": CAUSE, "because": ["retiro no"]}]
    assert (shown["version"], len(shown["required"])) == ("1", 5)
    theme = next(one for one in shown["themes"] if one["code"] == "withdrawal")
    assert theme["causes"][0] == {"code": CAUSE, "es": "demorado o no recibido", "en": "delayed or not received"}

    lacking = await world.command(reference, "resolve", {**ANSWER, "cause": None})
    assert (lacking.status_code, lacking.json()["code"], lacking.json()["field"]) == (409, "gate.cause", "cause")
    unknown = await world.command(reference, "resolve", {**ANSWER, "cause": "withdrawal.none"})
    assert (unknown.status_code, unknown.json()["code"]) == (409, "cause.unknown")
    assert "withdrawal.limit" in unknown.json()["detail"]
    proposed = {"command": "resolve", "order": {**ANSWER, "cause": "withdrawal.none"}}
    assert (await world.command(reference, "propose", proposed)).json()["code"] == "cause.unknown"
    assert (await world.command(reference, "resolve", {**ANSWER, "cause": "No llegó"})).status_code == 422

    early = await world.command(reference, "correct_cause", LIMIT, Role.SUPERVISOR)
    assert (early.status_code, early.json()["code"]) == (409, "cause.no-answer")
    assert (await world.command(reference, "resolve", {**ANSWER, "cause": CAUSE})).status_code == 200
    await world.settled(reference, lambda view: view["state"]["status"] == "answered")
    assert await listed(world, CAUSE) == [reference]

    refused = await world.command(reference, "correct_cause", LIMIT)
    assert (refused.status_code, refused.json()["code"]) == (409, "cause.supervisor")
    wrong = {**LIMIT, "cause": "nothing.here"}
    assert (await world.command(reference, "correct_cause", wrong, Role.SUPERVISOR)).json()["code"] == "cause.unknown"
    same = {**LIMIT, "cause": CAUSE}
    assert (await world.command(reference, "correct_cause", same, Role.SUPERVISOR)).json()["code"] == "cause.same"
    assert (await world.command(reference, "correct_cause", LIMIT, Role.SUPERVISOR)).status_code == 200
    view = await world.settled(
        reference, lambda view: any(event["type"] == "cause.corrected" for event in view["timeline"])
    )
    assert view["state"]["final"]["cause"] == {"code": "withdrawal.limit", "taxonomy": "1"}
    assert await listed(world, CAUSE) == []
    assert await listed(world, "withdrawal.limit") == [reference]


async def listed(world: World, cause: str) -> list[str]:
    page = (await world.get("/api/inquiries", params={"cause": cause})).json()
    assert {line["cause"] for line in page["items"]} <= {cause}
    return [line["reference"] for line in page["items"]]


async def test_the_gate_says_what_is_wrong_with_a_cause(world: World) -> None:
    reference = await world.opened()
    path, key = f"/api/inquiries/{reference}/gate", world.bearer(Role.AGENT)
    lacking = (await world.http.post(path, json=ANSWER, headers=key)).json()
    assert [one["field"] for one in lacking["missing"]] == ["cause"]
    unknown = (await world.http.post(path, json={**ANSWER, "cause": "a_theme.a_cause"}, headers=key)).json()
    assert (unknown["ready"], unknown["refused"]["field"]) == (False, "cause")


async def test_points_that_are_kept_speak_for_the_cause(world: World) -> None:
    reference = await world.opened("Mi retiro no llegó.")
    await world.command(reference, "set_points", {"points": [{"point": "Me cobraron dos veces."}]})
    await world.settled(reference, lambda view: view["state"]["version"] == 1)
    shown = (await world.get(f"/api/inquiries/{reference}/causes")).json()
    assert [one["code"] for one in shown["proposed"]] == ["fees.too_much"]


async def test_a_kind_of_remedy_is_one_of_the_policys(world: World) -> None:
    reference = await world.opened()
    promise = {"what": "Le devolvemos la comisión.", "kind": "refund", "by": "2099-04-20"}
    refused = await world.command(reference, "promise_remedy", {**promise, "kind": "flowers"})
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
        409,
        "remedy.unknown-kind",
        "kind",
    )
    assert "fee_waived" in refused.json()["detail"]
