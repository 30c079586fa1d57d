"""A flood slows the flooder, not the cases."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from models.inquiry import Role
from records import cases, keys
from records.database import Database
from settings import Settings
from starter.web import create_app
from tests.starter.conftest import free_port
from tests.starter.test_webhooks import serving
from tests.waiting import PATIENCE

FORM = {"email": "ana@example.org", "text": "Mi retiro no llegó", "subject": "Retiro"}


class Watch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class Site:
    """The web process with Temporal away, as callers from several addresses see it."""

    def __init__(self, url: str, database: Database, watch: Watch) -> None:
        self.url, self.database, self.watch = url, database, watch

    async def get(self, path: str, *, address: str = "192.0.2.1", key: str = "") -> httpx2.Response:
        headers = {"X-Forwarded-For": address} | ({"Authorization": f"Bearer {key}"} if key else {})
        async with httpx2.AsyncClient(base_url=self.url, timeout=PATIENCE) as http:
            return await http.get(path, headers=headers)

    def key(self, actor: str) -> str:
        with self.database.write() as session:
            return keys.create(session, actor, Role.AGENT, self.watch())


@asynccontextmanager
async def site_of(records_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    watch = Watch()
    settings = Settings(var=tmp_path, records_url=records_url, temporal=f"127.0.0.1:{free_port()}")
    database = Database(records_url)
    async with serving(create_app(settings, clock=watch)) as url:
        yield Site(url, database, watch)
    database.close()


@pytest.fixture
async def site(records_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with site_of(records_url, tmp_path) as made:
        yield made


async def link(site: Site) -> str:
    """The path of a status page that is there."""
    async with httpx2.AsyncClient(base_url=site.url, timeout=PATIENCE) as http:
        reference = (await http.post("/intake/web", json=FORM)).json()["reference"]
    with site.database.read() as session:
        return f"/s/{cases.status_token(session, reference)}"


async def test_who_guesses_status_links_gets_twenty_a_minute_and_nobody_else_feels_it(site: Site) -> None:
    page = await link(site)
    for n in range(20):
        assert (await site.get(f"/s/guess-{n}")).status_code == 404
    answer = await site.get("/s/guess-21")
    assert answer.status_code == 429
    assert answer.json()["code"] == "edge.too-often"
    assert answer.headers["retry-after"] == "60"
    assert (await site.get(page)).status_code == 429, "a hit would tell the guesser as much as a miss"
    assert (await site.get(page, address="192.0.2.2")).status_code == 200
    site.watch.at += timedelta(seconds=60)
    assert (await site.get(page)).status_code == 200


async def test_guesses_side_by_side_are_counted_too(site: Site) -> None:
    answers = await asyncio.gather(*(site.get(f"/s/guess-{n}") for n in range(200)))
    assert sum(one.status_code == 404 for one in answers) == 20
    assert sum(one.status_code == 429 for one in answers) == 180
    assert (await site.get("/s/guess")).status_code == 429


async def test_who_guesses_keys_is_shut_out_and_a_colleague_elsewhere_is_not(site: Site) -> None:
    key = site.key("agent-1")
    for n in range(120):
        assert (await site.get("/api/inquiries", key=f"guess-{n}")).status_code == 401
    assert (await site.get("/api/inquiries", key="guess-121")).status_code == 429
    assert (await site.get("/codec/decode", key="guess-122")).status_code == 429, "the codec endpoint takes keys too"
    assert (await site.get("/api/inquiries", key=key, address="2001:db8::1")).status_code == 200


async def test_one_key_calls_so_often_and_others_of_its_address_go_on(
    records_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAZO_EDGE_CALLS_PER_MINUTE", "5")
    async with site_of(records_url, tmp_path) as site:
        busy, calm = site.key("agent-1"), site.key("agent-2")
        answers = [await site.get("/api/inquiries", key=busy) for _ in range(130)]
        assert [one.status_code for one in answers] == [200] * 5 + [429] * 125
        assert (await site.get("/api/inquiries", key=calm)).status_code == 200


async def test_providers_posts_and_health_are_never_counted(
    records_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAZO_EDGE_CALLS_PER_MINUTE", "1")
    async with site_of(records_url, tmp_path) as site:
        assert {(await site.get("/healthz")).status_code for _ in range(5)} == {200}
        async with httpx2.AsyncClient(base_url=site.url) as http:
            answers = [await http.post("/intake/telegram/updates", content=b"{}") for _ in range(70)]
        assert {one.status_code for one in answers} <= {401, 404}
