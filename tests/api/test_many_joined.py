"""Withdrawals stuck for an afternoon: thirty cases, one incident in somebody's tool, told over once (M5.6)."""

import asyncio
import json
import shutil
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response

from settings import Settings
from starter.reception.web_form import WebForm
from tests.api.test_incidents import FINAL, opened
from tests.api.world import World, now, until
from tests.cases import ROXOM
from tests.eased import ease
from tests.forms import fill_in
from tests.trackers.site import Listener
from trackers.signing import HEADER, sign

SECRET = "s" * 32
MANY = 30
WORDS = "All withdrawals of the afternoon left at 18:31."


@pytest.fixture
def tool() -> Iterator[Listener]:
    with Listener() as one:
        one.answer = b'{"id": "T-7"}'
        yield one


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, tool: Listener, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same house, where new incidents go to a tool behind signed posts."""
    folder = Path(shutil.copytree(ROXOM, tmp_path / "roxom"))
    text = (folder / "policy.toml").read_text(encoding="utf-8")
    before, mark, after = text.partition("[tracker.webhook]")
    text = before + mark + after.replace("enabled = false", "enabled = true", 1)
    (folder / "policy.toml").write_text(text.replace('use = "builtin"', 'use = "webhook"'), encoding="utf-8")
    ease(folder / "policy.toml")
    monkeypatch.setenv("PLAZO_TRACKER_URL", tool.url)
    monkeypatch.setenv("PLAZO_TRACKER_SECRET", SECRET)
    return settings.model_copy(update={"policy": folder})


async def resolved(world: World, key: str, event: str) -> Response:
    told = {"id": event, "key": key, "state": "resolved", "at": now().isoformat(), "words": WORDS}
    raw = json.dumps(told).encode()
    return await world.http.post(
        "/trackers/webhook/events", content=raw, headers={HEADER: sign(SECRET.encode(), raw, now())}
    )


def complain(world: World, n: int) -> str:
    form = WebForm(email=f"user-{n}@example.org", text="Mi retiro no llegó, exijo respuesta.", subject="Retiro")
    reference = fill_in(world.desk.intake, form).reference
    assert reference
    return reference


async def joined(world: World, reference: str, key: str) -> None:
    """Join as soon as the case runs."""

    async def done() -> bool | None:
        body = {"incident": key}
        answer = await world.command(reference, "join_incident", body, Idempotency_Key=f"join-{reference}")
        assert answer.status_code in {200, 503}, answer.text
        return answer.status_code == 200 or None

    await until(done)


@pytest.mark.rule("M5.6")
async def test_thirty_cases_have_the_outcome_once_and_are_answered_one_by_one(world: World) -> None:
    first = await opened(world)
    key, place = f"{first}/inc-1", f"/api/incidents/{first}/1/cases"
    references = await asyncio.to_thread(lambda: [complain(world, n) for n in range(MANY)])
    for reference in references:
        await joined(world, reference, key)

    async def listed(**params: Any) -> Any:
        return (await world.get(place, params={"limit": 200, **params})).json()

    async def all_there() -> Any:
        page = await listed()
        return page if page["joined"] == MANY else None

    assert (await until(all_there))["answerable"] == 0
    event = uuid.uuid4().hex
    assert (await resolved(world, key, event)).json() == {"changes": 1}
    assert (await resolved(world, key, event)).json() == {"changes": 0}

    async def heard() -> dict[str, Any] | None:
        views = {one: (await world.get(f"/api/inquiries/{one}")).json() for one in references}
        ends = [view["state"]["incidents"][0]["state"] == "resolved" for view in views.values()]
        return views if all(ends) else None

    views = await until(heard)
    for view in views.values():
        told = [one for one in view["timeline"] if one["type"].startswith("incident.")]
        assert Counter(one["type"] for one in told) == {"incident.joined": 1, "incident.closed": 1}
        assert told[-1]["texts"] == {"words": WORDS}
    (await world.command(references[0], "resolve", FINAL)).raise_for_status()
    await world.settled(references[0], lambda view: view["state"]["status"] == "answered")
    page = await listed(answerable=True)
    assert page["answerable"] == len(page["items"]) == MANY - 1
    assert {one["reference"] for one in page["items"]} == set(references[1:])
