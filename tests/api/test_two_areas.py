"""A complaint that takes the whole house: two areas, an incident, two pairs of eyes, over the API alone."""

from typing import Any

import pytest

from models.inquiry import Role
from records import keys
from tests.api.crew import hire
from tests.api.test_commands import UNFOUNDED
from tests.api.test_incidents import linked
from tests.api.world import World, now, until

STORY = (
    "case.opened",
    "case.referred",
    "case.referred",
    "incident.opened",
    "incident.linked",
    "referral.answered",
    "incident.closed",
    "referral.answered",
    "command.proposed",
    "command.approved",
    "case.resolved",
)
"""What must stand in the timeline, in this order, whatever stands between."""


class Desk:
    """Somebody at the API with a key of their own."""

    def __init__(self, world: World, name: str, role: Role) -> None:
        self.world = world
        with world.desk.database.write() as session:
            self.secret = keys.create(session, name, role, now())

    async def post(self, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.secret}"}
        return await self.world.http.post(f"/api/{path}", json=body, headers=headers)

    async def command(self, reference: str, name: str, **body: Any) -> Any:
        return await self.post(f"inquiries/{reference}/{name}", body)


@pytest.mark.rule("M3.3")
@pytest.mark.rule("M5.3")
@pytest.mark.rule("M5.6")
async def test_two_areas_an_incident_and_two_pairs_of_eyes(world: World) -> None:
    reference = await world.opened("Pedí un retiro el 3 de marzo y no ha llegado. Exijo que me lo devuelvan.")
    for name in ("ana", "berta"):
        hire(world.desk.database, name)
    agent, other = Desk(world, "ana", Role.AGENT), Desk(world, "berta", Role.AGENT)
    operations = Desk(world, "operations-lead", Role.REPRESENTATIVE)
    finance = Desk(world, "finance-lead", Role.REPRESENTATIVE)

    for area in ("operations", "finance"):
        (await agent.command(reference, "refer", area=area, question="¿Salió el retiro?")).raise_for_status()
    incident = {"area": "operations", "matter": "withdrawal", "text": "It left at 14:02; who has it?"}
    (await agent.command(reference, "open_incident", **incident)).raise_for_status()
    await world.settled(reference, linked)

    async def told() -> bool | None:
        said = " ".join(letter.text for letter in world.post.letters if letter.kind == "referral")
        return True if "Operaciones" in said and "Finanzas" in said else None

    await until(told)
    wanting = await agent.command(reference, "propose", command="resolve", order=UNFOUNDED)
    assert wanting.json()["code"] == "resolve.referral-open"
    assert (await finance.command(reference, "answer_referral", area="operations", findings="It did.")).json()[
        "code"
    ] == "referral.not-theirs"
    (await operations.command(reference, "answer_referral", area="operations", findings="It left.")).raise_for_status()
    moved = {"state": "resolved", "words": "The chain shows it at 14:02."}
    (await operations.post(f"incidents/{reference}/1/move", moved)).raise_for_status()
    await world.settled(reference, lambda view: view["state"]["incidents"][0]["state"] == "resolved")
    (await finance.command(reference, "answer_referral", area="finance", findings="It is booked.")).raise_for_status()

    alone = await agent.command(reference, "resolve", **UNFOUNDED)
    assert alone.json()["code"] == "approval.missing"
    (await agent.command(reference, "propose", command="resolve", order=UNFOUNDED)).raise_for_status()
    yes = await world.approval(reference)
    assert (await agent.command(reference, "approve", **yes)).json()["code"] == "approval.same-person"
    (await other.command(reference, "approve", **yes)).raise_for_status()

    view = await world.settled(reference, lambda view: view["state"]["status"] == "answered")
    assert {(one["area"], one["actor"]["id"]) for one in view["state"]["verifications"]} == {
        ("operations", "operations-lead"),
        ("finance", "finance-lead"),
    }
    happened = [one["type"] for one in view["timeline"] if one["type"] in STORY]
    assert tuple(happened) == STORY
    final = next(one for one in view["timeline"] if one["type"] == "case.resolved")
    approved = next(one for one in view["timeline"] if one["type"] == "command.approved")
    assert (final["actor"]["id"], approved["actor"]["id"]) == ("ana", "berta")
