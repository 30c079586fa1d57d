"""What a case is kept from goes with it: into what follows from it, to its owner, past every body that names it."""

from typing import Any

import pytest

from channels.message import Disposition
from models.assignment import Member
from models.inquiry import Language, Role
from models.sight import Kept
from records import keys
from records.database import Database
from starter.reception.crew import next_owner
from starter.reception.web_form import KeyedForm, WebForm, message_of
from tests.api.crew import hire
from tests.api.test_rights import lines, vanished
from tests.api.world import ROLES, World, now, until
from tests.cases import policy

SECRET: dict[str, Any] = {"people": [ROLES[Role.REPRESENTATIVE]], "reasons": "Reported."}
ABOUT = {"about": [ROLES[Role.AGENT]], "reasons": "The user complains about agent-1."}


async def closed(world: World, **more: str) -> str:
    """An inquiry in a compartment, gone for agents and supervisors."""
    reference = await world.opened(**more)
    assert (await world.command(reference, "compartment", SECRET, Role.COMPLIANCE)).status_code == 200
    await vanished(world, reference, Role.SUPERVISOR)
    return reference


@pytest.mark.parametrize(
    ("name", "order", "gone"), [("compartment", SECRET, Role.SUPERVISOR), ("declare_conflict", ABOUT, Role.AGENT)]
)
async def test_what_is_split_off_is_kept_from_the_same_people(
    world: World, records: Database, name: str, order: dict[str, Any], gone: Role
) -> None:
    reference = await world.opened()
    hire(records, ROLES[Role.AGENT])
    assert (await world.command(reference, name, order, Role.COMPLIANCE)).status_code == 200
    await vanished(world, reference, gone)
    parted = await world.command(reference, "split", {"points": ["The other matter."]}, Role.COMPLIANCE)
    assert parted.status_code == 200, parted.text

    async def parted_off() -> str | None:
        listed = (await world.get("/api/inquiries", Role.COMPLIANCE)).json()["items"]
        return next((one["reference"] for one in listed if one["reference"] != reference), None)

    child = await until(parted_off)
    assert (await world.get(f"/api/inquiries/{child}", gone)).status_code == 404
    state = (await world.get(f"/api/inquiries/{child}", Role.COMPLIANCE)).json()["state"]
    assert state["compartment"] == order.get("people")
    assert state["about"] == order.get("about", [])
    assert state["owner"] != ROLES[gone]


@pytest.mark.parametrize("name", ["link", "unlink", "merge"])
async def test_a_kept_inquiry_cannot_be_named_however_it_is_written(world: World, name: str) -> None:
    reference, other = await world.opened(), await closed(world, email="luis@example.org")
    more = {"leads": True} if name == "merge" else {"reasons": "The same outage."}
    answers = [
        await world.command(reference, name, {"other": written, **more})
        for written in ("RX-7KQ4-M2PD", other, other.lower())
    ]
    assert {(one.status_code, one.json()["code"], one.json()["detail"]) for one in answers} == {
        (409, f"{name}.unknown", answers[0].json()["detail"])
    }


@pytest.mark.parametrize("role", [Role.AGENT, Role.INTAKE])
async def test_nothing_is_registered_with_an_inquiry_that_one_does_not_see(world: World, role: Role) -> None:
    reference = await closed(world)
    given = {"place": "office", "received_at": "2026-01-05T10:00:00-06:00", "text": "More on it."}
    answers = [
        await world.http.post("/api/inquiries", json={**given, "reference": written}, headers=world.bearer(role))
        for written in ("RX-7KQ4-M2PD", reference, reference.lower())
    ]
    assert {(one.status_code, one.json()["code"], one.json()["detail"]) for one in answers} == {
        (404, "inquiry.unknown", answers[0].json()["detail"])
    }
    assert (ROLES[role], "inquiry.register", "denied", "rights.compartment") in lines(world)


async def test_a_kept_case_is_neither_assigned_to_nor_asked_of_who_may_not_see_it(
    world: World, records: Database
) -> None:
    reference = await closed(world)
    hire(records, "ben")
    assigned = await world.command(reference, "assign", {"owner": "ben", "reasons": "Knows it."}, Role.COMPLIANCE)
    assert (assigned.status_code, assigned.json()["code"]) == (409, "assign.cannot-see")
    asked = await world.command(reference, "refer", {"area": "finance", "question": "Paid?"}, Role.COMPLIANCE)
    assert (asked.status_code, asked.json()["code"]) == (409, "referral.cannot-see")


async def test_a_handover_goes_on_past_what_whoever_asks_may_not_see(world: World, records: Database) -> None:
    hire(records, "ana")
    kept, other = await world.opened(), await world.opened(email="luis@example.org")
    hire(records, "bea")
    hire(records, ROLES[Role.REPRESENTATIVE])
    people = {**SECRET, "people": ["ana", *SECRET["people"]]}
    assert (await world.command(kept, "compartment", people, Role.COMPLIANCE)).status_code == 200
    await vanished(world, kept, Role.SUPERVISOR)
    why = {"reasons": "moves on"}
    left = await world.http.post("/api/staff/ana/leave", json=why, headers=world.bearer(Role.SUPERVISOR))
    assert left.status_code == 200, left.text
    assert left.json() == {
        "handed": [{"reference": other, "owner": "bea", "step": "area"}],
        "stays": [{"reference": "", "code": "handover.hidden"}],
        "remaining": 0,
    }
    again = await world.http.post("/api/staff/ana/leave", json=why, headers=world.bearer(Role.COMPLIANCE))
    (handed,) = (one for one in again.json()["handed"] if one["reference"] == kept)
    assert (handed["owner"], handed["step"]) == (ROLES[Role.REPRESENTATIVE], "named")


async def test_whoever_lets_a_message_out_is_not_told_of_an_inquiry_they_may_not_see(world: World) -> None:
    reference = await closed(world)
    form = message_of(KeyedForm.of(WebForm(email="ana@example.org", text="Me fui.", subject="Re"), None), now(), 1_000)
    answers = f"{reference}.acknowledgement.1@{world.desk.settings.mail_domain}"
    reply = {"disposition": Disposition.AUTO_REPLY, "disposition_reason": "automatic", "in_reply_to": answers}
    held = form.model_copy(update=reply)
    assert world.desk.intake.receive(held).reference is None
    [waiting] = (await world.get("/api/quarantine")).json()["items"]
    path = f"/api/quarantine/{waiting['id']}/promote"
    out = await world.http.post(path, headers=world.bearer(Role.AGENT))
    assert (out.status_code, out.json()) == (200, {"reference": None, "acknowledge_by": None, "answer_by": None})
    again = await world.http.post(path, headers=world.bearer(Role.AGENT))
    assert (again.status_code, again.json()["code"]) == (404, "message.unknown")
    seen = await world.http.post(path, headers=world.bearer(Role.COMPLIANCE))
    assert (seen.status_code, seen.json()["code"]) == (409, "message.placed")
    assert reference in seen.text


async def test_what_is_registered_with_an_inquiry_names_no_other_that_leads_it(world: World) -> None:
    reference, leading = await world.opened(), await world.opened(text="Otra vez lo mismo.")
    merged = await world.command(reference, "merge", {"other": leading, "leads": False})
    assert merged.status_code == 200, merged.text
    assert (await world.command(leading, "compartment", SECRET, Role.COMPLIANCE)).status_code == 200
    await vanished(world, leading, Role.AGENT)
    given = {"place": "office", "received_at": now().isoformat(), "text": "More.", "reference": reference}
    told = await world.http.post("/api/inquiries", json=given, headers=world.bearer(Role.AGENT))
    assert told.status_code == 201, told.text
    assert (told.json()["reference"], told.json()["answer_by"]) == (None, None)
    told = await world.http.post("/api/inquiries", json=given, headers=world.bearer(Role.COMPLIANCE))
    assert told.json()["reference"] == leading


@pytest.mark.rule("M3.3")
async def test_a_case_is_never_owned_by_somebody_who_may_not_see_it(world: World, records: Database) -> None:
    hire(records, "ana")
    reference = await world.opened()
    hire(records, "bea")
    hire(records, "carl", role=Role.COMPLIANCE)

    async def owner_after(name: str, order: dict[str, Any]) -> tuple[str, str, str]:
        before = (await world.get(f"/api/inquiries/{reference}", Role.COMPLIANCE)).json()["state"]["version"]
        told = await world.command(reference, name, {**order, "reasons": "Kept."}, Role.COMPLIANCE)
        assert told.status_code == 200, told.text

        async def moved() -> Any:
            view = (await world.get(f"/api/inquiries/{reference}", Role.COMPLIANCE)).json()
            return view if view["state"]["version"] > before else None

        view = await until(moved)
        last = next(one for one in reversed(view["timeline"]) if one["type"] == "case.assigned")
        return view["state"]["owner"], last["data"]["assignment"]["rule"], last["data"]["assignment"]["step"]

    loads = (await world.get("/api/workload")).json()["items"]
    assert [one["owner"] for one in loads if one["owing"]] == ["ana"]
    assert await owner_after("declare_conflict", {"about": ["ana"]}) == ("bea", "conflict", "area")
    assert await owner_after("compartment", {"people": ["carl"]}) == ("carl", "compartment", "named")
    assert await owner_after("compartment", {"people": ["bea", "carl"]}) == ("carl", "compartment", "named")
    assert await owner_after("declare_conflict", {"about": ["carl"]}) == ("bea", "conflict", "named")


@pytest.mark.rule("M3.3")
def test_whoever_may_not_see_a_closed_area_does_not_stand_in_for_it() -> None:
    shipped = policy()
    rights = shipped.rights.model_copy(update={"open_to": (Role.COMPLIANCE,)})
    strict = shipped.model_copy(update={"rights": rights})
    crew = [Member("cx-supervisor", Role.SUPERVISOR, in_area=False)]
    found = [next_owner(one, Kept("legal"), Language.ES, "handover", crew).owner for one in (shipped, strict)]
    assert found == ["cx-supervisor", "compliance-officer"]


@pytest.mark.rule("M5.4")
async def test_the_area_that_a_closed_area_asks_sees_the_case_and_answers(world: World, records: Database) -> None:
    reference = await world.opened()
    hire(records, "legal-lead", area="legal", role=Role.REPRESENTATIVE)
    moved = {"owner": "legal-lead", "area": "legal", "reasons": "A law suit."}
    assert (await world.command(reference, "assign", moved)).status_code == 200
    await vanished(world, reference, Role.AGENT)
    with records.write() as session:
        secret = keys.create(session, "finance-deputy", Role.REPRESENTATIVE, now())
    bearer, path = {"Authorization": f"Bearer {secret}"}, f"/api/inquiries/{reference}"

    async def status(name: str = "", **body: str) -> int:
        if not name:
            return (await world.http.get(path, headers=bearer)).status_code
        return (await world.http.post(f"{path}/{name}", json=body, headers=bearer)).status_code

    async def reached(wanted: int) -> bool | None:
        return True if await status() == wanted else None

    assert await status() == 404
    question = {"area": "finance", "question": "Was it paid?"}
    asked = await world.command(reference, "refer", question, Role.SUPERVISOR)
    assert asked.status_code == 200, asked.text
    await until(lambda: reached(200))
    listed = (await world.http.get("/api/inquiries", headers=bearer)).json()["items"]
    assert [one["reference"] for one in listed] == [reference]
    assert await status("reply", text="Hello.") == 404
    assert await status("refer", area="operations", question="And you?") == 404
    assert await status("note", text="I look into it.") == 200
    assert await status("answer_referral", area="finance", findings="It was.") == 200
    await until(lambda: reached(404))


@pytest.mark.rule("M3.3")
def test_of_a_compartment_no_auditor_who_is_named_gets_the_case() -> None:
    crew = [Member("a", Role.AUDITOR), Member("b", Role.AGENT)]
    assert next_owner(policy(), Kept("cx", ("a", "b")), Language.ES, "compartment", crew).owner == "b"
