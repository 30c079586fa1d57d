"""Subscribing over the API: who may, what is refused, and that a secret is shown once."""

from typing import Any

import pytest
from sqlmodel import col, select
from typer.testing import CliRunner

from models.inquiry import Role
from models.tables import Delivery
from records import audit, deliveries, hooks
from records.deliveries import Tried
from starter.cli import build
from tests.api.test_refusals import is_problem
from tests.api.world import World

WANTED = {"url": "https://crm.example/plazo", "events": ["inquiry.opened.v1", "letter.accepted.v1"], "label": "CRM"}


async def post(world: World, path: str, body: Any = None, role: Role = Role.SUPERVISOR) -> Any:
    return await world.http.post(f"/api/webhooks{path}", json=body or {}, headers=world.bearer(role))


async def test_a_subscription_from_its_beginning_to_its_end(front: World) -> None:
    made = await post(front, "", WANTED)
    assert made.status_code == 201, made.text
    webhook, secret = made.json()["id"], made.json()["secret"]
    assert secret.startswith("whsec_")
    listed = await front.get("/api/webhooks", Role.AUDITOR)
    assert secret not in listed.text
    (item,) = listed.json()["items"]
    assert (item["id"], item["url"], item["events"], item["label"]) == (webhook, *WANTED.values())
    with front.desk.database.read() as session:
        assert secret not in hooks.get(session, webhook).model_dump_json()
    again = (await post(front, f"/{webhook}/rotate")).json()
    assert again["secret"] != secret
    assert again["former_until"]
    path, bearer = f"/api/webhooks/{webhook}", front.bearer(Role.COMPLIANCE)
    assert (await front.http.delete(path, headers=bearer)).status_code == 204
    assert is_problem(await front.http.delete(path, headers=bearer), 404)["code"] == "webhook.unknown"
    assert (await front.get("/api/webhooks", Role.SUPERVISOR)).json() == {"items": []}
    with front.desk.database.read() as session:
        noted = [(line.actor, line.action) for line in audit.page(session, of=webhook)]
    assert noted == [
        ("compliance-1", "webhook.delete"),
        ("supervisor-1", "webhook.rotate"),
        ("supervisor-1", "webhook.make"),
    ]


async def test_what_happens_to_an_inquiry_waits_and_is_replayed(world: World) -> None:
    webhook = (await post(world, "", WANTED)).json()["id"]
    reference = await world.opened()
    now = world.desk.clock()
    with world.desk.database.write() as session:
        deliveries.share_out(session, now)
        rows = session.exec(select(Delivery).order_by(col(Delivery.id))).all()
    assert [row.type for row in rows] == ["inquiry.opened.v1", "letter.accepted.v1"]
    assert {row.reference for row in rows} == {reference}
    for body in ({"since": "2026-01-01T00:00:00Z"}, {"event": f"evt_{reference}_1"}):
        assert (await post(world, f"/{webhook}/replay", body)).json() == {"events": 2}
    until = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
    assert (await post(world, f"/{webhook}/replay", until)).json() == {"events": 0}
    (item,) = (await world.get("/api/webhooks", Role.SUPERVISOR)).json()["items"]
    assert item["waiting"] == 6


async def test_who_may_not_is_told(front: World) -> None:
    for role in (Role.AGENT, Role.AUDITOR):
        assert is_problem(await post(front, "", WANTED, role), 403)["code"] == "webhook.role"
        for path in ("/wh_1/rotate", "/wh_1/replay"):
            is_problem(await post(front, path, {"since": "2026-01-01T00:00:00Z"}, role), 403)
        is_problem(await front.http.delete("/api/webhooks/wh_1", headers=front.bearer(role)), 403)
    is_problem(await front.get("/api/webhooks", Role.AGENT), 403)
    is_problem(await front.http.get("/api/webhooks"), 401)


async def test_what_cannot_be_is_refused(front: World) -> None:
    for change, code, field in (
        ({"url": "https://10.0.0.1/"}, "webhook.url", "url"),
        ({"url": "ftp://crm.example/"}, "webhook.url", "url"),
        ({"url": "x" * 301}, "request.malformed", "url"),
        ({"events": []}, "request.malformed", "events"),
        ({"events": ["inquiry.opened"]}, "request.malformed", "events"),
        ({"secret": "mine"}, "request.malformed", "secret"),
    ):
        problem = is_problem(await post(front, "", {**WANTED, **change}), 422)
        assert (problem["code"], problem["field"]) == (code, field)
    webhook = (await post(front, "", WANTED)).json()["id"]
    for body in (
        {},
        {"since": "2026-01-01T00:00:00"},
        {"since": "0001-01-01T00:00:00+23:59"},
        {"since": "2026-01-01T00:00:00Z", "until": "9999-12-31T23:59:59-12:00"},
        {"since": "2026-01-01T00:00:00Z", "event": "evt_RX-7KQ4-M2PD_1"},
    ):
        is_problem(await post(front, f"/{webhook}/replay", body), 422)
    unknown = await post(front, f"/{webhook}/replay", {"event": "evt_RX-7KQ4-M2PD_1"})
    assert is_problem(unknown, 404)["code"] == "event.unknown"
    for path in ("/wh_none/rotate", "/wh_none/replay"):
        is_problem(await post(front, path, {"since": "2026-01-01T00:00:00Z"}), 404)


async def test_in_production_only_https_is_taken(front: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {**WANTED, "url": "http://crm.example/"}
    assert (await post(front, "", plain)).status_code == 201
    production = front.desk.settings.model_copy(update={"environment": "production"})
    monkeypatch.setitem(front.desk.__dict__, "settings", production)
    assert is_problem(await post(front, "", plain), 422)["code"] == "webhook.url"


async def test_the_command_line_shows_and_replays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAZO_RECORDS_URL", world.desk.settings.records_url)
    webhook = (await post(world, "", WANTED)).json()["id"]
    reference = await world.opened()
    with world.desk.database.write() as session:
        deliveries.share_out(session, world.desk.clock())
        deliveries.settle(session, webhook, [Tried(1, 500, "answered 500")], world.desk.clock(), jitter=1.0)

    def plazo(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(build(["webhooks"]), ["webhooks", *words])
        return result.exit_code, result.output

    code, out = plazo("list")
    assert (code, webhook in out, "fails" in out) == (0, True, True)
    assert '"waiting": 2' in plazo("list", "--json")[1]
    assert f"evt_{reference}_1" in plazo("failing")[1]
    assert '"tries": 1' in plazo("failing", "--json")[1]
    assert plazo("replay", webhook, "--since", "2026-01-01T00:00:00-0600") == (0, "2 events to be posted again\n")
    assert plazo("replay", webhook, "--event", f"evt_{reference}_1")[0] == 0
    assert plazo("replay", webhook, "--event", "x")[0] == 1
    assert plazo("replay", "wh_none", "--since", "2026-01-01T00:00:00-0600")[0] == 1
    assert plazo("replay", webhook)[0] == 2
