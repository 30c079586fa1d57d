"""A case whose incident is in Jira, from its opening to the outcome that comes back as evidence (M5.6)."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from httpx2 import Response

from settings import Settings
from tests.api.test_incidents import FINAL, MATTER, linked, opened, over, post
from tests.api.world import World, until
from tests.trackers.site import SECRET, Site, open_site
from tests.waiting import PATIENCE


@pytest.fixture
def site() -> Iterator[Site]:
    with open_site(email="us@example.org", token="token") as one:
        yield one


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same house, where new incidents go to Jira."""
    folder = settings.policy
    text = (folder / "policy.toml").read_text(encoding="utf-8")
    text = text.replace("[tracker.jira] # Jira Cloud\nenabled = false", "[tracker.jira]\nenabled = true")
    (folder / "policy.toml").write_text(text.replace('use = "builtin"', 'use = "jira"'), encoding="utf-8")
    for name, value in (("HOST", site.url), ("EMAIL", "us@example.org"), ("TOKEN", "token"), ("SECRET", SECRET)):
        monkeypatch.setenv(f"PLAZO_JIRA_{name}", value)
    return settings.model_copy(update={"policy": folder})


@pytest.fixture
async def connected(world: World, site: Site) -> AsyncIterator[World]:
    """The web process on a port of its own, so that Jira can post to it."""
    app = world.http._transport.app  # type: ignore[attr-defined]
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE):
        while not server.started:
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    site.behave(webhook_url=f"http://127.0.0.1:{port}/trackers/jira/events")
    yield world
    server.should_exit = True
    await serving


async def event(world: World, body: dict[str, Any], identifier: str, secret: str = SECRET) -> Response:
    """A post as Jira makes it."""
    raw = json.dumps(body).encode()
    signature = f"sha256={hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}"
    headers = {"X-Hub-Signature": signature, "X-Atlassian-Webhook-Identifier": identifier}
    return await world.http.post("/trackers/jira/events", content=raw, headers=headers)


def issue(site: Site, state: str, category: str) -> dict[str, Any]:
    (known,) = site.issues()
    status = {"name": state, "statusCategory": {"key": category}}
    fields = {"labels": known["fields"]["labels"], "status": status}
    return {"webhookEvent": "jira:issue_updated", "issue": {"id": known["id"], "key": known["key"], "fields": fields}}


async def timeline(world: World, reference: str) -> list[dict[str, Any]]:
    view = (await world.get(f"/api/inquiries/{reference}")).json()
    return [one for one in view["timeline"] if one["type"].startswith("incident.")]


@pytest.mark.rule("M5.6")
async def test_opened_in_jira_worked_on_there_and_answered_with_what_was_found(connected: World, site: Site) -> None:
    reference = await opened(connected)
    (known,) = site.issues()
    assert known["fields"]["summary"] == f"{reference} incident 1: withdrawal not completed"
    assert "Ana" not in json.dumps(known)
    assert MATTER["text"] not in json.dumps(known)
    site.act(known["id"], "move", status="In Progress")
    site.act(known["id"], "comments", text="The bank is asked.")
    site.act(known["id"], "move", status="Done", comment="Confirmed at 18:31.")
    await connected.settled(reference, over)
    story = await timeline(connected, reference)
    assert [(one["type"], one["texts"]) for one in story] == [
        ("incident.opened", {}),
        ("incident.linked", {}),
        ("incident.changed", {}),
        ("incident.noted", {"words": "The bank is asked."}),
        ("incident.closed", {"words": "Confirmed at 18:31.", "outcome": "Done"}),
    ]
    assert {one["actor"]["id"] for one in story[2:]} == {"tracker:jira"}
    assert (await connected.command(reference, "resolve", FINAL)).status_code == 200
    refused = await post(connected, f"/api/incidents/{reference}/1/move", {"state": "open"})
    assert (refused.status_code, refused.json()["code"]) == (409, "incident.elsewhere")


@pytest.mark.rule("M5.6")
async def test_an_outcome_known_here_first_is_told_to_jira_and_its_echo_is_no_news(
    connected: World, site: Site
) -> None:
    reference = await opened(connected)
    order = {"incident": 1, "outcome": "rejected", "evidence": "A typo of the user's."}
    (await connected.command(reference, "close_incident", order)).raise_for_status()
    await connected.settled(reference, lambda view: bool(view["state"]["incidents"][0]["told_at"]))
    (known,) = site.issues()
    assert known["fields"]["status"]["name"] == "Done"
    assert "typo" not in json.dumps(known)

    async def echoed() -> bool | None:
        return site.http.get("/api/hooks").json()["delivered"] >= 3 or None

    await until(echoed)
    assert [one["type"] for one in await timeline(connected, reference)][2:] == ["incident.closed", "incident.told"]


@pytest.mark.rule("M5.6")
async def test_after_a_lost_answer_jiras_own_word_links_the_issue_and_none_is_opened_twice(
    connected: World, site: Site
) -> None:
    site.behave(search_delay=3600)
    reference = await connected.opened()
    site.fault("hang_up_after_accept")
    (await connected.command(reference, "open_incident", MATTER)).raise_for_status()
    view = await connected.settled(reference, linked)
    (known,) = site.issues()
    assert view["state"]["incidents"][0]["id"] == known["id"]
    assert view["state"]["incidents"][0]["url"] == f"{site.url}/browse/{known['key']}"


async def test_a_lost_word_of_jiras_is_asked_for(world: World, site: Site) -> None:
    reference = await opened(world)
    site.act(site.issues()[0]["id"], "move", status="Done")
    shown = await post(world, f"/api/incidents/{reference}/1/refresh")
    assert shown.json()["state"] == "resolved"
    await world.settled(reference, over)
    site.fault("status", status=500)
    away = await post(world, f"/api/incidents/{reference}/1/refresh")
    assert (away.status_code, away.json()["code"], away.headers["retry-after"]) == (503, "tracker.away", "60")


async def test_what_is_not_jiras_or_was_told_before_changes_nothing(world: World, site: Site) -> None:
    reference = await opened(world)
    blocked = issue(site, "Blocked", "indeterminate")
    assert (await event(world, blocked, "1", "another")).status_code == 401
    unsigned = await world.http.post("/trackers/jira/events", json=blocked)
    assert (unsigned.status_code, unsigned.json()["code"]) == (401, "tracker.unverified")
    assert (await event(world, blocked, "1")).json() == {"changes": 1}
    assert (await event(world, issue(site, "To Do", "new"), "1")).json() == {"changes": 0}
    assert (await event(world, blocked, "2")).json() == {"changes": 0}
    copy = issue(site, "Done", "done")
    copy["issue"]["id"] = "99"
    assert (await event(world, copy, "3")).json() == {"changes": 0}
    foreign = issue(site, "Done", "done")
    foreign["issue"] |= {"id": "98", "fields": {"labels": ["other"]}}
    assert (await event(world, foreign, "4")).json() == {"changes": 0}
    older = issue(site, "Done", "done") | {"timestamp": 1}
    assert (await event(world, older, "5")).json() == {"changes": 0}
    raw = b"{"
    signed = f"sha256={hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()}"
    broken = await world.http.post("/trackers/jira/events", content=raw, headers={"X-Hub-Signature": signed})
    assert (broken.status_code, broken.json()["code"]) == (422, "tracker.unreadable")
    large = await world.http.post("/trackers/jira/events", content=b"x" * (2 * 1024 * 1024))
    assert large.status_code == 413

    async def noted() -> list[dict[str, Any]] | None:
        story = await timeline(world, reference)
        return story if len(story) > 2 else None

    assert [one["type"] for one in await until(noted)] == ["incident.opened", "incident.linked", "incident.changed"]


async def test_an_account_that_is_refused_is_an_alarm_and_the_incident_gets_there_later(
    world: World, site: Site
) -> None:
    site.http.post("/api/faults", json={"kind": "status", "status": 403}).raise_for_status()
    reference = await world.opened()
    (await world.command(reference, "open_incident", MATTER)).raise_for_status()

    async def alarmed() -> list[str] | None:
        alarms: list[str] = (await world.get("/api/inbox")).json()["alarms"]
        return alarms or None

    assert await until(alarmed) == [f"{reference}/inc-1: does not reach jira: Jira answered 403"]
    (await world.command(reference, "reply", {"text": "We are looking into it."})).raise_for_status()
    await world.settled(reference, lambda view: len(view["letters"]) == 2)
    site.http.delete("/api/faults").raise_for_status()
    await world.settled(reference, linked)
    assert (await world.get("/api/inbox")).json()["alarms"] == []
    assert len(site.issues()) == 1


@pytest.mark.rule("M5.6")
async def test_an_issue_that_the_specialists_opened_themselves_is_joined(connected: World, site: Site) -> None:
    body = {"area": "operations", "matter": "withdrawal", "text": "No withdrawal leaves."}
    refused = await post(connected, "/api/incidents", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "incident.elsewhere")
    missing = await post(connected, "/api/incidents", body | {"tracker_id": "OPS-99"})
    assert (missing.status_code, missing.json()["code"]) == (409, "incident.not-there")
    fields = {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "Withdrawals are stuck"}
    made = site.http.post("/rest/api/3/issue", json={"fields": fields}).raise_for_status().json()
    own = (await post(connected, "/api/incidents", body | {"tracker_id": made["key"]})).json()
    assert (own["tracker"], own["tracker_id"], own["url"]) == ("jira", made["id"], f"{site.url}/browse/{made['key']}")
    again = await post(connected, "/api/incidents", body | {"tracker_id": made["id"]})
    assert (again.status_code, again.json()["code"]) == (409, "incident.known")
    site.fault("status", status=500)
    away = await post(connected, "/api/incidents", body | {"tracker_id": made["id"]})
    assert (away.status_code, away.json()["code"]) == (503, "tracker.away")
    reference = await connected.opened()
    (await connected.command(reference, "join_incident", {"incident": own["key"]})).raise_for_status()
    await connected.settled(reference, lambda view: bool(view["state"]["incidents"]))
    site.act(made["id"], "move", status="Done", comment="All are out.")
    await connected.settled(reference, over)
    story = await timeline(connected, reference)
    assert [(one["type"], one["texts"]) for one in story] == [
        ("incident.joined", {}),
        ("incident.closed", {"words": "All are out.", "outcome": "Done"}),
    ]
