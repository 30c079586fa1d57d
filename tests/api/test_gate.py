"""The points of an inquiry and the gate of its final answer, over HTTP."""

from typing import Any

import pytest

from models.inquiry import Role
from tests.api.world import World
from tests.cases import CAUSE

TEXT = "Mi retiro no llegó. Exijo que me devuelvan la comisión. ¿Cuándo llega el dinero que pedí?"
WRITTEN = {"actions": ["Leímos el libro de movimientos."], "cause": CAUSE}


def answer(**more: Any) -> dict[str, Any]:
    return {"answer": "Lo revisamos con el área y se lo devolvemos.", **more}


@pytest.mark.rule("M3.8")
async def test_points_are_proposed_kept_and_answered(world: World) -> None:
    reference = await world.opened(TEXT)
    shown = (await world.get(f"/api/inquiries/{reference}/points")).json()
    proposed = shown["proposed"]
    assert [one["point"] for one in proposed] == [
        "Exijo que me devuelvan la comisión.",
        "¿Cuándo llega el dinero que pedí?",
    ]
    first, second = (one["id"] for one in proposed)
    points = [
        {"id": first, "point": "La comisión se cobró mal."},
        {"id": second, "dropped": "Ya llegó, dice él mismo."},
        {"point": "El chat no contesta.", "message": proposed[0]["message"]},
    ]
    kept = await world.command(reference, "set_points", {"points": points})
    assert kept.status_code == 200, kept.text
    view = await world.settled(reference, lambda view: view["state"]["version"] == 1)
    assert [event["type"] for event in view["timeline"]][-1] == "points.set"
    shown = (await world.get(f"/api/inquiries/{reference}/points")).json()
    assert [(one["point"], bool(one["dropped"])) for one in shown["points"]] == [
        ("La comisión se cobró mal.", False),
        ("¿Cuándo llega el dinero que pedí?", True),
        ("El chat no contesta.", False),
    ]
    assert shown["proposed"] == []

    own = shown["points"][2]["id"]
    body = {"outcome": "upheld", "points": [answer(point="el chat NO contesta")], **WRITTEN}
    refused = await world.command(reference, "resolve", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "gate.points")
    assert [one["detail"] for one in refused.json()["errors"]] == [f"the point {first} has no answer"]
    body["points"] = [answer(id=first), answer(id=own)]
    assert (await world.command(reference, "resolve", body)).status_code == 200
    await world.settled(reference, lambda view: view["state"]["status"] == "answered")
    letter = (await world.get(f"/api/inquiries/{reference}/letters/final_upheld/1")).json()
    assert "La comisión se cobró mal." in letter["full_text"]


@pytest.mark.rule("M3.9")
@pytest.mark.rule("M5.7")
async def test_all_that_an_answer_lacks_is_named_without_deciding(world: World) -> None:
    reference = await world.opened(TEXT)
    points = [answer(point="No llegó.", why="Sí llegó.")]
    body: dict[str, Any] = {"outcome": "unfounded", "points": points, "cause": CAUSE}
    looked = await world.http.post(f"/api/inquiries/{reference}/gate", json=body, headers=world.bearer(Role.AGENT))
    assert looked.status_code == 200, looked.text
    fields = ["actions", "reasons", "points.0.facts_verified", "points.0.source", "points.0.rule"]
    assert [one["field"] for one in looked.json()["missing"]] == fields
    assert not looked.json()["ready"]
    refused = await world.command(reference, "resolve", body)
    assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (409, "gate.empty", "M3.9")
    assert [one["field"] for one in refused.json()["errors"]] == fields
    grounds = {"facts_verified": "Se acreditó.", "source": "El libro.", "rule": "Términos, 4.2", "why": "Sí llegó."}
    whole = {**body, **WRITTEN, "reasons": "Se acreditó.", "points": [answer(point="No llegó.", **grounds)]}
    looked = await world.http.post(f"/api/inquiries/{reference}/gate", json=whole, headers=world.bearer(Role.AGENT))
    assert looked.json() == {"ready": True, "second_pair": True, "missing": [], "refused": None}
    await world.command(reference, "refer", {"area": "operations", "question": "¿Salió?"})
    looked = await world.http.post(f"/api/inquiries/{reference}/gate", json=whole, headers=world.bearer(Role.AGENT))
    assert looked.json()["second_pair"]


@pytest.mark.rule("M3.8")
async def test_an_answer_in_another_language_wants_a_reason(world: World) -> None:
    reference = await world.opened(TEXT)
    said = "We have looked at the account and the money is on its way to you."
    body = {"outcome": "upheld", "points": [{"point": "No llegó.", "answer": said}], "actions": ["It was released."]}
    refused = await world.command(reference, "resolve", body)
    assert (refused.json()["code"], refused.json()["field"]) == ("gate.language", "despite_language")
    allowed = await world.command(reference, "resolve", {**body, "despite_language": "The user asked for English."})
    assert allowed.status_code == 200
    view = await world.settled(reference, lambda view: view["state"]["status"] == "answered")
    resolved = next(event for event in view["timeline"] if event["type"] == "case.resolved")
    assert resolved["texts"]["despite_language"] == "The user asked for English."


async def test_what_else_forbids_an_answer_is_told_and_an_auditor_asks_nothing(world: World) -> None:
    reference = await world.opened(TEXT)
    body = {"outcome": "upheld", "points": [answer(point="No llegó.")], **WRITTEN}
    assert (await world.command(reference, "refer", {"area": "operations", "question": "¿Salió?"})).status_code == 200
    await world.settled(reference, lambda view: view["state"]["status"] == "referred")
    looked = await world.http.post(f"/api/inquiries/{reference}/gate", json=body, headers=world.bearer(Role.AGENT))
    assert looked.json()["refused"]["rule"] == "M5.3"
    assert not looked.json()["ready"]
    path = f"/api/inquiries/{reference}/gate"
    assert (await world.http.post(path, json=body, headers=world.bearer(Role.AUDITOR))).status_code == 403
    assert (await world.http.post(path, json={}, headers=world.bearer(Role.AGENT))).status_code == 422


async def test_points_that_are_not_there_are_refused(world: World) -> None:
    reference = await world.opened(TEXT)
    for point, field in (
        ({"id": "ms_nobody.1"}, "points.0.id"),
        ({"point": "Algo.", "message": "ms_nobody"}, "points.0.message"),
        ({"message": None}, "points.0.point"),
    ):
        refused = await world.command(reference, "set_points", {"points": [point]})
        assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (409, "points.unknown", field)
    neither = {"outcome": "upheld", "points": [{"answer": "Sí."}, {"point": "x"}], **WRITTEN}
    refused = await world.command(reference, "resolve", neither)
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json()["errors"]] == ["points.0", "points.1.answer"]


async def test_only_the_users_own_message_asks_for_an_erasure(world: World) -> None:
    reference, other = await world.opened(), await world.opened(email="otra@example.org")
    foreign = (await world.get(f"/api/inquiries/{other}")).json()["messages"][0]["id"]
    for message in (foreign, "ms_none"):
        refused = await world.command(reference, "request_erasure", {"message": message})
        assert (refused.status_code, refused.json()["code"]) == (409, "erasure.no-message")
    own = (await world.get(f"/api/inquiries/{reference}")).json()["messages"][0]["id"]
    assert (await world.command(reference, "request_erasure", {"message": own})).status_code == 200
    early = await world.command(reference, "propose", {"command": "erase", "order": {}})
    assert (early.status_code, early.json()["code"]) == (409, "erasure.open")
    text = {"text": "La ley nos obliga a conservarlo."}
    assert (await world.command(reference, "refuse_erasure", text)).status_code == 200
