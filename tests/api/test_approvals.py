"""Letters' words approved over HTTP: by compliance alone, each text by its hash, and the audit log proves it."""

from typing import Any

import pytest

from models.inquiry import Role
from records import audit
from starter.checkup import records as checkup
from tests.api.test_refusals import is_problem
from tests.api.world import World

REPLY = "reply.es"


async def read(front: World, role: Role = Role.COMPLIANCE) -> dict[str, dict[str, Any]]:
    answer = await front.get("/api/letters", role)
    assert answer.status_code == 200, answer.text
    return {one["template"]: one for one in answer.json()["items"]}


async def approve(front: World, texts: list[dict[str, str]], role: Role = Role.COMPLIANCE) -> Any:
    return await front.http.post("/api/letters/approvals", json={"texts": texts}, headers=front.bearer(role))


@pytest.mark.rule("M5.7")
async def test_compliance_approves_each_text_once_and_the_log_proves_it(front: World) -> None:
    before = await read(front)
    assert (before[REPLY]["standing"], before[REPLY]["by"], before[REPLY]["proved_by"]) == (
        "approved",
        "compliance-officer",
        "",
    )
    texts = [{"template": REPLY, "sha256": before[REPLY]["sha256"]}]
    for _ in range(2):
        assert (await approve(front, texts)).status_code == 200
    after = await read(front, Role.AUDITOR)
    assert after[REPLY]["proved_by"] == "compliance-1"
    assert {one["proved_by"] for name, one in after.items() if name != REPLY} == {""}
    with front.desk.database.read() as session:
        (line,) = audit.done(session, "letter.approve", [REPLY])
    assert (line.actor, line.object, line.detail) == ("compliance-1", REPLY, texts[0]["sha256"])


async def test_nobody_else_does_and_the_attempt_is_noted(front: World) -> None:
    texts = [{"template": REPLY, "sha256": (await read(front))[REPLY]["sha256"]}]
    for role in (Role.AGENT, Role.REPRESENTATIVE, Role.SUPERVISOR):
        assert is_problem(await approve(front, texts, role), 403)["code"] == "letter.role"
    is_problem(await approve(front, texts, Role.AUDITOR), 403)
    is_problem(await front.get("/api/letters", Role.INTAKE), 403)
    with front.desk.database.read() as session:
        assert not audit.done(session, "letter.approve", [REPLY])
        denied = audit.page(session, action="letter.approve", outcome="denied")
    assert {line.actor for line in denied} == {"agent-1", "cx-lead", "supervisor-1", "auditor-1"}


async def test_a_text_that_is_not_in_use_is_not_approved(front: World) -> None:
    known = await read(front)
    good = {"template": REPLY, "sha256": known[REPLY]["sha256"]}
    for bad in ({**good, "sha256": "0" * 64}, {**good, "template": "reply.en"}, {**good, "template": "nothing.es"}):
        assert is_problem(await approve(front, [good, bad]), 409)["code"] == "letter.other-text"
    assert is_problem(await approve(front, [{**good, "sha256": "x"}]), 422)["code"] == "request.malformed"
    assert is_problem(await approve(front, []), 422)["code"] == "request.malformed"
    with front.desk.database.read() as session:
        assert not audit.done(session, "letter.approve", [REPLY]), "all of it, or nothing"


async def test_the_doctor_of_production_names_what_nobody_has_approved_signed_in(front: World) -> None:
    settings = front.desk.settings
    real = settings.model_copy(update={"environment": "production"})
    (here,), (there,) = (checkup.approvals(front.desk.database, one) for one in (settings, real))
    assert (here.ok, there.ok) == (True, False)
    assert "texts in use" in there.seen
    texts = [{"template": name, "sha256": one["sha256"]} for name, one in (await read(front)).items()]
    assert (await approve(front, texts)).status_code == 200
    (proved,) = checkup.approvals(front.desk.database, real)
    assert (proved.ok, proved.seen) == (True, "all are proved")
