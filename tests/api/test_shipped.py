"""The gate and the seconds to take a letter back, with the policy as it is shipped."""

from typing import Any

import pytest

from models.inquiry import Role
from settings import Settings
from tests.api.world import World
from tests.cases import ROXOM

TEXT = "Mi retiro no llegó. Exijo que me devuelvan la comisión. ¿Cuándo llega el dinero que pedí?"
ACTIONS = {"actions": ["Leímos el libro de movimientos."], "cause": "withdrawal.limit"}
ANSWER = "Lo revisamos con el área y se lo devolvemos."
GROUNDS = {
    "facts_verified": "La comisión se cobró una sola vez.",
    "source": "El libro de movimientos.",
    "rule": "4.2",
    "why": "El cobro está en la tarifa.",
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"policy": ROXOM})


async def look(world: World, reference: str, body: dict[str, Any]) -> dict[str, Any]:
    path = f"/api/inquiries/{reference}/gate"
    shown: dict[str, Any] = (await world.http.post(path, json=body, headers=world.bearer(Role.REPRESENTATIVE))).json()
    return shown


async def proposed_points(world: World, reference: str) -> list[str]:
    return [one["id"] for one in (await world.get(f"/api/inquiries/{reference}/points")).json()["proposed"]]


@pytest.mark.rule("M3.8")
async def test_no_answer_leaves_before_each_point_of_the_messages_is_answered_or_put_aside(world: World) -> None:
    reference = await world.opened(TEXT)
    first, second = await proposed_points(world, reference)
    body: dict[str, Any] = {"outcome": "upheld", "points": [{"point": "Otra cosa.", "answer": ANSWER}], **ACTIONS}
    refused = await world.command(reference, "resolve", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "gate.unconsidered")
    assert [(one["field"], one["rule"]) for one in refused.json()["errors"]] == [("points", "M3.8")] * 2
    assert all(one in refused.text for one in (first, second))
    assert "comisión" not in refused.text
    in_words = {"point": "¿CUÁNDO llega el dinero que pedí?", "answer": ANSWER}
    body["points"] = [{"id": first, "answer": ANSWER}, in_words]
    assert (await look(world, reference, body))["ready"]
    body["points"] = [in_words]
    assert [one["detail"] for one in (await look(world, reference, body))["missing"]] == [
        f"a message raises the point {first}: answer it, or put it aside with set_points"
    ]
    aside = {"points": [{"id": first, "dropped": "Se refiere a otra cuenta."}]}
    assert (await world.command(reference, "set_points", aside)).status_code == 200
    await world.settled(reference, lambda view: view["state"]["version"] == 1)
    assert (await world.command(reference, "resolve", body)).status_code == 200
    assert world.post.letters[-1].kind == "acknowledgement"  # the answer waits for its seconds


@pytest.mark.rule("M3.1")
@pytest.mark.rule("M3.8")
async def test_no_answer_leaves_before_what_came_in_on_the_other_way_is_considered(world: World) -> None:
    first, second = await world.opened("Mi retiro no llegó."), await world.opened(TEXT)
    raised = await proposed_points(world, second)
    assert (await world.command(first, "merge", {"other": second, "leads": True})).status_code == 200
    await world.settled(second, lambda view: view["state"]["merged_into"] == first)
    (own,) = set(await proposed_points(world, first)) - set(raised)
    body: dict[str, Any] = {"outcome": "upheld", "points": [{"id": own, "answer": ANSWER}], **ACTIONS}
    refused = await world.command(first, "resolve", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "gate.unconsidered")
    assert all(one in refused.text for one in raised)
    body["points"] += [{"id": one, "answer": ANSWER} for one in raised]
    assert (await world.command(first, "resolve", body)).status_code == 200


@pytest.mark.rule("M3.9")
async def test_next_to_nothing_is_no_answer_no_fact_and_no_reason(world: World) -> None:
    reference = await world.opened(TEXT)
    first, second = await proposed_points(world, reference)
    letters = {"answer": "no", "facts_verified": "a", "source": "b", "rule": "c", "why": "d"}
    body: dict[str, Any] = {"outcome": "unfounded", "points": [{"id": first, **letters}], **ACTIONS, "reasons": "r"}
    refused = await world.command(reference, "propose", {"command": "resolve", "order": body})
    assert (refused.status_code, refused.json()["code"]) == (409, "gate.too-short")
    named = [one["field"] for one in refused.json()["errors"]]
    assert named == [f"points.0.{part}" for part in letters] + ["reasons", "points"]
    short = await world.command(reference, "set_points", {"points": [{"id": first}, {"id": second, "dropped": "x"}]})
    assert (short.status_code, short.json()["code"]) == (409, "gate.too-short")
    assert short.json()["field"] == "points.1.dropped"


@pytest.mark.rule("M5.3")
async def test_whoever_approves_sees_what_was_put_aside_and_why(world: World) -> None:
    reference = await world.opened(TEXT)
    first, second = await proposed_points(world, reference)
    why = "Se refiere a otra cuenta."
    aside = {"points": [{"id": first}, {"id": second, "dropped": why}]}
    assert (await world.command(reference, "set_points", aside)).status_code == 200
    view = await world.settled(reference, lambda view: view["state"]["version"] == 1)
    assert view["timeline"][-1]["texts"] == {"dropped_1": why}
    points = [{"id": first, "answer": ANSWER, **GROUNDS}]
    order = {"outcome": "unfounded", "points": points, **ACTIONS, "reasons": "La tarifa lo prevé."}
    proposed = await world.command(reference, "propose", {"command": "resolve", "order": order})
    assert proposed.status_code == 200, proposed.text
    await world.settled(reference, lambda view: view["state"]["proposal"] is not None)
    shown = (await world.get(f"/api/inquiries/{reference}/proposal", Role.SUPERVISOR)).json()
    assert [(one["id"], one["dropped"]) for one in shown["dropped"]] == [(second, why)]


@pytest.mark.rule("M5.7")
async def test_a_reply_waits_so_long_that_it_can_be_taken_back(world: World) -> None:
    reference = await world.opened(TEXT)
    assert (await world.command(reference, "reply", {"text": "Lo revisamos hoy."})).status_code == 200
    view = await world.settled(reference, lambda view: view["letters"][-1]["kind"] == "reply")
    assert view["letters"][-1]["not_before"]
    assert (await world.command(reference, "undo", {"reasons": "Falta la fecha."})).status_code == 200
    view = await world.settled(reference, lambda view: view["letters"][-1]["state"] == "void")
    assert [letter.kind for letter in world.post.letters] == ["acknowledgement"]
