"""The audit log over HTTP and at a terminal."""

import pytest
from typer.testing import CliRunner

from models.inquiry import Role
from records import audit
from records.audit import Outcome
from settings import Settings
from starter.cli import build
from tests.api.world import World, now


async def test_compliance_and_auditors_read_it_page_by_page(front: World) -> None:
    with front.desk.database.write() as session:
        for n in range(3):
            audit.note(session, now(), "agent-1", "inquiry.read", f"RX-{n}", Outcome.DENIED, "rights.area")
    first = (await front.get("/api/audit", Role.AUDITOR, params={"limit": 2})).json()
    assert [line["object"] for line in first["items"]] == ["RX-2", "RX-1"]
    rest = await front.get("/api/audit", Role.COMPLIANCE, params={"limit": 2, "before": first["before"]})
    assert ([line["object"] for line in rest.json()["items"]], rest.json()["before"]) == (["RX-0"], None)
    one = (await front.get("/api/audit", Role.AUDITOR, params={"object": "RX-1", "by": "agent-1"})).json()
    assert [line["detail"] for line in one["items"]] == ["rights.area"]


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
async def test_the_others_do_not(front: World, role: Role) -> None:
    answer = await front.get("/api/audit", role)
    assert (answer.status_code, answer.json()["code"]) == (403, "audit.role")


def test_keys_made_and_revoked_at_a_terminal_stand_there(
    front: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAZO_RECORDS_URL", settings.records_url)
    run = CliRunner()
    assert run.invoke(build(["keys"]), ["keys", "create", "agent-7", "agent"]).exit_code == 0
    listed = run.invoke(build(["keys"]), ["keys", "list"]).output
    key = next(line.split("\t")[0] for line in listed.splitlines() if "\tagent-7\t" in line)
    assert run.invoke(build(["keys"]), ["keys", "revoke", key]).exit_code == 0
    assert run.invoke(build(["keys"]), ["keys", "revoke", "key_none"]).exit_code == 1
    with front.desk.database.read() as session:
        lines = [(line.actor, line.action, line.object, line.detail) for line in audit.page(session)]
    assert lines == [("console", "key.revoke", key, ""), ("console", "key.make", "agent-7", "agent")]
    shown = run.invoke(build(["audit"]), ["audit", "--action", "key.make"]).output
    assert "agent-7" in shown
    assert "key.revoke" not in shown
    assert '"action": "key.revoke"' in run.invoke(build(["audit"]), ["audit", "--json"]).output
