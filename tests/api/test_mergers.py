"""The same complaint on two ways in, over HTTP: what the letters say, what is asked for, and where the answer goes."""

from typing import Any

import pytest

from models.inquiry import EMAIL, Role
from records import cases, contacts, messages
from starter.reception.placing import leading
from tests.api.world import World, until
from tests.cases import CAUSE

FIRST = "Mi retiro no llegó. Exijo que me devuelvan la comisión cobrada."
SECOND = "Sigo esperando mi dinero. ¿Por qué bloquearon mi tarjeta de débito?"
ANA, HOME, WORK = "ana@example.org", "ana@home.example.org", "ana@work.example.org"
WRITTEN: dict[str, Any] = {"outcome": "upheld", "actions": ["Leímos el libro de movimientos."], "cause": CAUSE}


async def ways(world: World, *texts: str) -> list[str]:
    """One inquiry a way in, all of the same person."""
    opened = [await world.opened(texts[0], ANA)]
    for text, email in zip(texts[1:], (HOME, WORK), strict=False):
        with world.desk.database.write() as session:
            contact = contacts.known(session, EMAIL, ANA)
            contacts.find_or_add(session, EMAIL, email, contact=contact, now=world.desk.clock())
        opened.append(await world.opened(text, email))
    return opened


async def merge(world: World, leading: str, ending: str) -> None:
    merged = await world.command(leading, "merge", {"other": ending, "leads": True})
    assert merged.status_code == 200, merged.text
    await world.settled(leading, lambda view: any(one["type"] == "case.merged" for one in view["timeline"]))
    await world.settled(ending, lambda view: view["state"]["status"] == "closed")


async def proposed(world: World, reference: str) -> dict[str, str]:
    """The points that wait to be considered: their words, and their ids."""
    shown = (await world.get(f"/api/inquiries/{reference}/points")).json()["proposed"]
    return {one["point"]: one["id"] for one in shown}


def to(world: World, kind: str) -> list[str]:
    return [one.to for one in world.post.letters if one.kind == kind]


@pytest.mark.rule("M3.1")
@pytest.mark.rule("M3.8")
async def test_every_way_in_is_answered_for_and_answered(world: World) -> None:
    first, second, third = await ways(world, FIRST, SECOND, "Ayúdenme con la verificación de mi identidad, por favor.")
    question = "¿Por qué bloquearon mi tarjeta de débito?"
    own = {"points": [{"point": "El asesor no devolvió la llamada."}]}
    assert (await world.command(first, "set_points", own)).status_code == 200
    await merge(world, second, first)
    await merge(world, third, second)
    raised = await proposed(world, third)
    assert question in raised
    assert "Exijo que me devuelvan la comisión cobrada." in raised, "what came first of all"
    assert own["points"][0]["point"] in raised, "what people kept there"
    with world.desk.database.read() as session:
        of_first = messages.of_case(session, first)[0].id
        assert leading(session, cases.load(session, first)).reference == third
    kept = {"points": [{"id": raised[question]}, {"point": "La comisión.", "message": of_first}]}
    assert (await world.command(third, "set_points", kept)).status_code == 200
    await world.settled(third, lambda view: any(one["type"] == "points.set" for one in view["timeline"]))
    assert question not in await proposed(world, third)
    points = (await world.get(f"/api/inquiries/{third}/points")).json()["points"]
    body = {**WRITTEN, "points": [{"id": one["id"], "answer": "Lo revisamos con el área."} for one in points]}
    assert (await world.command(third, "resolve", body)).status_code == 200

    async def answered() -> bool | None:
        return len(to(world, "final_upheld")) == len([WORK, HOME, ANA]) or None

    await until(answered)
    assert to(world, "final_upheld") == [WORK, HOME, ANA]
    assert to(world, "merged").count(ANA) == 2, "once for each merger"


@pytest.mark.rule("M3.1")
async def test_the_letter_of_the_ending_one_names_the_leading_one(world: World) -> None:
    first, second = await ways(world, FIRST, SECOND)
    await merge(world, first, second)
    (letter,) = [one for one in world.post.letters if (one.kind, one.to) == ("merged", HOME)]
    assert letter.notice == f"{second}/merged/1"
    assert f"Caso que continúa: {first}\nEl otro caso: {second}" in letter.text


@pytest.mark.rule("M3.8")
async def test_the_causes_a_split_and_a_power_of_attorney_look_at_every_way_in(world: World) -> None:
    first, second = await ways(world, "Hola, tengo una pregunta.", "El retiro demora: mi retiro no llega.")
    alone = (await world.get(f"/api/inquiries/{second}/causes")).json()["proposed"]
    assert alone
    await merge(world, first, second)
    assert (await world.get(f"/api/inquiries/{first}/causes")).json()["proposed"] == alone
    with world.desk.database.read() as session:
        message = messages.of_case(session, second)[0].id
    split = {"points": ["La tarjeta."], "message": message}
    assert (await world.command(first, "split", split)).status_code == 200


@pytest.mark.rule("M3.1")
async def test_what_is_kept_from_more_people_leads_or_is_not_merged(world: World) -> None:
    first, second = await ways(world, FIRST, SECOND)
    secret = {"people": ["cx-lead"], "reasons": "Reported."}
    assert (await world.command(second, "compartment", secret, Role.COMPLIANCE)).status_code == 200

    async def vanished() -> bool | None:
        return (await world.get(f"/api/inquiries/{second}")).status_code == 404 or None

    await until(vanished)
    refused = await world.command(first, "merge", {"other": second, "leads": True}, Role.COMPLIANCE)
    assert (refused.status_code, refused.json()["code"]) == (409, "merge.kept")
    allowed = await world.command(first, "merge", {"other": second, "leads": False}, Role.COMPLIANCE)
    assert allowed.status_code == 200, allowed.text
