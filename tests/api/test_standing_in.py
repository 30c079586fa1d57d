"""Who speaks for an area while its two are away, and what the API shows of areas that were asked (M5.3, M5.4)."""

import pytest
from httpx2 import Response

from models.inquiry import Actor, Role
from records import keys
from starter.admin.standing_in import stands_in
from tests.api.crew import hire, send_away
from tests.api.world import World, now

COLLEAGUE = "security-3"
QUESTION = {"area": "security", "question": "¿Entró alguien?"}
FINDINGS = {"area": "security", "findings": "Nadie."}


async def answered_by(world: World, reference: str, actor: str, role: Role = Role.REPRESENTATIVE) -> Response:
    with world.desk.database.write() as session:
        secret = keys.create(session, actor, role, now())
    path = f"/api/inquiries/{reference}/answer_referral"
    return await world.http.post(path, json=FINDINGS, headers={"Authorization": f"Bearer {secret}"})


@pytest.mark.rule("M5.4")
async def test_a_representative_of_the_area_stands_in_while_both_are_away(world: World) -> None:
    records = world.desk.database
    for name in ("security-lead", "security-deputy", COLLEAGUE):
        hire(records, name, area="security", role=Role.REPRESENTATIVE)
    send_away(records, "security-lead")
    reference = await world.opened()
    assert (await world.command(reference, "refer", QUESTION)).status_code == 200
    refused = await answered_by(world, reference, COLLEAGUE)
    assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (409, "referral.not-theirs", "M5.4")
    send_away(records, "security-deputy")
    assert (await answered_by(world, reference, COLLEAGUE)).status_code == 200
    view = await world.settled(reference, lambda view: bool(view["state"]["verifications"]))
    [referral] = view["state"]["referrals"]
    assert referral["due"] <= view["state"]["resolution_due"]
    assert (referral["by"]["id"], referral["answered_at"] is not None) == ("agent-1", True)
    [verified] = view["state"]["verifications"]
    assert (verified["area"], verified["actor"]["id"], verified["how"]) == ("security", COLLEAGUE, "referral")


@pytest.mark.rule("M5.4")
def test_whom_the_policy_names_now_speaks_and_an_agent_never_stands_in(world: World) -> None:
    desk, today = world.desk, now().date()
    hire(desk.database, "an-agent", area="legal", role=Role.AGENT)
    hire(desk.database, "away", area="legal", role=Role.REPRESENTATIVE)
    hire(desk.database, "there", area="legal", role=Role.SUPERVISOR)
    hire(desk.database, "elsewhere", area="nowhere", role=Role.SUPERVISOR)
    send_away(desk.database, "away")
    with desk.database.read() as session:

        def areas(actor: str) -> tuple[str, ...]:
            return stands_in(session, desk.policy, Actor(id=actor, role=Role.AGENT), today)

        assert areas("finance-deputy") == ("finance",)
        assert areas("there") == ("legal",), "nobody has ever seen the two of legal"
        assert [areas(one) for one in ("an-agent", "away", "elsewhere", "a-stranger")] == [()] * 4
