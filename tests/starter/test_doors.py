"""The doors of channels whose secret is checked before a body is read, over real HTTP."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from channels.port import Greeting, Post
from channels.telegram.adapter import Telegram
from models.errors import TransientError
from records import contacts, messages, streams
from starter.http.threads import FORGOTTEN_AT_ONCE, Threads
from tests.databases import away
from tests.starter.test_webhooks import Site, first, problem, site_of
from tests.waiting import PATIENCE, until

SECRET = "s" * 40
UPDATES = "/intake/telegram/updates"
NAMED = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


@pytest.fixture
async def site(records_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """The web process with Telegram's webhook set, and Temporal away."""
    monkeypatch.setenv("PLAZO_TELEGRAM_SECRET", SECRET)
    monkeypatch.setenv("PLAZO_X_CONSUMER_SECRET", "consumer")
    async with site_of(records_url, tmp_path) as made:
        yield made


def update(n: int = 1, text: str = "Mi retiro no ha llegado.", **more: Any) -> dict[str, Any]:
    chat = {"id": 1001, "type": "private"}
    person = {"id": 1001, "is_bot": False, "first_name": "Ana", "language_code": "es"}
    return {"update_id": n, "message": {"message_id": n, "date": 1, "chat": chat, "from": person, "text": text, **more}}


def telegram(site: Site, body: Any, headers: dict[str, str] | None = None) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return site.http.post(UPDATES, content=content, headers=NAMED if headers is None else headers)


class Courtesy:
    """What the bot's greetings do: wait to be let go, then whatever `then` does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, then: Exception | None = None) -> None:
        self.go, self.begun, self.said, self.then = threading.Event(), 0, list[Greeting](), then
        monkeypatch.setattr(Telegram, "greet", lambda _, greeting: self.greet(greeting))

    def greet(self, greeting: Greeting) -> None:
        self.begun += 1
        assert self.go.wait(PATIENCE)
        if self.then:
            raise self.then
        self.said.append(greeting)


@pytest.mark.rule("M2.1")
async def test_an_update_is_taken_and_its_number_kept_while_temporal_is_away(site: Site) -> None:
    response = await telegram(site, update())
    assert response.status_code == 200
    assert first(response)["new"] is True
    assert first(await telegram(site, update()))["duplicate"] is True
    await telegram(site, update(4))
    assert site.waiting() == 2
    with site.database.read() as session:
        (gap,) = streams.gaps(session)
    assert (gap.first, gap.last) == (2, 3)


@pytest.mark.parametrize("headers", [{}, {"X-Telegram-Bot-Api-Secret-Token": "s" * 39}, {"Authorization": SECRET}])
async def test_who_does_not_know_the_secret_is_turned_away(site: Site, headers: dict[str, str]) -> None:
    problem(await telegram(site, update(), headers), 401, "intake.unverified")
    with site.database.read() as session:
        assert messages.quarantined(session) == []
    assert site.waiting() == 0


async def test_a_stranger_is_turned_away_before_the_body_comes(site: Site) -> None:
    reader, writer = await asyncio.open_connection(site.http.base_url.host, site.http.base_url.port)
    writer.write(f"POST {UPDATES} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        assert b" 401 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize("door", ["telegram/updatesX", "telegram/events", "nowhere/updates", "chat/updates"])
async def test_a_door_that_is_none_is_told_to_whoever_asks(site: Site, door: str) -> None:
    problem(await site.http.post(f"/intake/{door}", content=b"{}", headers=NAMED), 404, "intake.no-door")
    problem(await site.http.get(f"/intake/{door}"), 404, "intake.no-door")


async def test_a_handshake_is_answered_though_everything_else_is_away(site: Site, records_url: str) -> None:
    site.app.state.desk.database.close()
    with away(records_url):
        answer = await site.http.get("/intake/x/events", params={"crc_token": "challenge"})
    signed = base64.b64encode(hmac.new(b"consumer", b"challenge", hashlib.sha256).digest()).decode()
    assert (answer.status_code, answer.json()) == (200, {"response_token": f"sha256={signed}"})
    problem(await site.http.get("/intake/x/events"), 400, "intake.handshake")
    problem(await site.http.get(UPDATES), 404, "intake.no-door")


@pytest.mark.parametrize("body", [b"[]", b"{}", b"\xff", b'{"update_id": "x"}', b"[" * 100_000])
async def test_what_is_genuine_and_cannot_be_read_is_kept(site: Site, body: bytes) -> None:
    response = await telegram(site, body)
    assert (response.status_code, first(response)["disposition"]) == (200, "unanswerable")
    assert first(await telegram(site, body))["duplicate"] is True
    with site.database.read() as session:
        (row,) = messages.quarantined(session)
    assert (site.documents / row.raw_path).read_bytes() == body
    assert row.channel == "telegram"


async def test_so_is_what_a_channel_fails_at_in_a_way_nobody_foresaw(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(_self: Telegram, _post: Post, _at: Any) -> Any:
        raise ZeroDivisionError("ana@example.org")

    monkeypatch.setattr(Telegram, "parse", parse)
    response = await telegram(site, update())
    assert (response.status_code, first(response)["disposition"]) == (200, "unanswerable")


async def test_while_the_database_is_away_they_come_again_and_it_is_stored_once(site: Site, records_url: str) -> None:
    site.app.state.desk.database.close()
    with away(records_url):
        answer = await telegram(site, update())
    problem(answer, 503, "records.unavailable")
    assert int(answer.headers["retry-after"]) > 0
    answers = [await telegram(site, update()) for _ in range(3)]
    assert [first(one)["new"] for one in answers] == [True, False, False]
    assert site.waiting() == 1


# -- greetings --------------------------------------------------------------------------------------------------------


async def test_telegram_is_answered_before_the_person_is_greeted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    courtesy = Courtesy(monkeypatch)
    response = await telegram(site, update(1, "/start"))
    assert (response.status_code, response.json()) == (200, {"messages": [], "reports": 0, "waiting": False})
    assert courtesy.said == []
    courtesy.go.set()
    await asyncio.to_thread(until, lambda: courtesy.said, "the person is greeted")
    assert courtesy.said[0].to == "1001"
    assert site.waiting() == 0, "nothing was said, so there is no inquiry"


@pytest.mark.parametrize("why", [TransientError("Telegram does not answer"), ZeroDivisionError("ana@example.org")])
async def test_a_greeting_that_fails_is_only_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], why: Exception
) -> None:
    courtesy = Courtesy(monkeypatch, why)
    courtesy.go.set()
    assert (await telegram(site, update(1, "/start"))).status_code == 200
    written = list[str]()

    def told() -> bool:
        written.append(capsys.readouterr().out)
        return "intake.not-greeted" in "".join(written)

    await asyncio.to_thread(until, told, "the log tells of it")
    assert first(await telegram(site, update(2)))["new"] is True


async def test_greetings_never_keep_messages_waiting(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    courtesy = Courtesy(monkeypatch)
    for n in range(1, 30):
        assert (await telegram(site, update(n, "/start"))).status_code == 200
    async with asyncio.timeout(PATIENCE):
        assert first(await telegram(site, update(30)))["new"] is True
    assert courtesy.begun == FORGOTTEN_AT_ONCE
    courtesy.go.set()
    await asyncio.to_thread(until, lambda: len(courtesy.said) == FORGOTTEN_AT_ONCE, "those begun have ended")
    assert (await telegram(site, update(31, "/start"))).status_code == 200
    await asyncio.to_thread(until, lambda: len(courtesy.said) > FORGOTTEN_AT_ONCE, "there is room again")


async def test_a_code_that_is_not_good_binds_nobody_and_opens_nothing(site: Site) -> None:
    response = await telegram(site, update(1, f"/start {'x' * 24}"))
    assert response.json() == {"messages": [], "reports": 0, "waiting": False}
    with site.database.read() as session:
        assert contacts.known(session, "telegram", "1001") is None
    assert site.waiting() == 0


def test_what_fails_makes_room_too() -> None:
    with ThreadPoolExecutor(1) as executor:
        threads = Threads(executor)
        for _ in range(3 * FORGOTTEN_AT_ONCE):
            until(lambda: threads.forget(partial(divmod, 1, 0)), "there is room")
