"""What comes in over real HTTP: mail, events, the web form."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from channels.email.adapter import DEVELOPMENT_KEY, EVENTS, INBOUND
from channels.port import Door
from channels.tokens import reply_token
from models.case import Case
from models.inquiry import EMAIL
from records import cases, dispatches, documents, messages, notices
from records import posts as kept_posts
from records.database import Database
from settings import Settings
from starter.http import threads
from starter.web import create_app
from tests.databases import away
from tests.starter.conftest import free_port
from tests.starter.mailbag import HEADERS, Signer, left, mail, post
from tests.waiting import PATIENCE

FORM = {"email": "ana@example.org", "name": "Ana", "text": "Mi retiro no ha llegado y nadie me responde, por favor."}


@dataclass
class Site:
    """A running web process, as far as a stranger sees it, and its database."""

    http: httpx2.AsyncClient
    database: Database
    app: FastAPI
    signer: Signer
    documents: Path

    async def inbound(self, raw: bytes, **changes: Any) -> httpx2.Response:
        return await self.http.post("/intake/email/inbound", content=post(raw, **changes), headers=HEADERS)

    async def events(self, *events: dict[str, Any], at: datetime | None = None) -> httpx2.Response:
        body = json.dumps(events).encode() + b"\r\n"
        headers = self.signer.headers(body, at or datetime.now(UTC))
        return await self.http.post("/intake/email/events", content=body, headers=headers)

    async def form(self, body: Any = None, key: str | None = None, *, via: str | None = None) -> httpx2.Response:
        """Post the form, over a proxy `via` where one is named."""
        headers = {"Idempotency-Key": key} if key else {}
        headers |= {"X-Forwarded-For": via} if via else {}
        return await self.http.post("/intake/web", json=FORM if body is None else body, headers=headers)

    def waiting(self) -> int:
        with self.database.read() as session:
            return dispatches.waiting(session).total

    def unread(self) -> bool:
        """Whether posts wait that are kept as they came."""
        with self.database.read() as session:
            return bool(kept_posts.channels(session))

    def case(self, reference: str) -> Case:
        with self.database.read() as session:
            return cases.load(session, reference)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Serve an application on a free loopback port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.005)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task
    listener.close()


@asynccontextmanager
async def site_of(records_url: str, tmp_path: Path, **changes: Any) -> AsyncIterator[Site]:
    signer = Signer()
    settings = Settings(
        var=tmp_path,
        records_url=records_url,
        temporal=f"127.0.0.1:{free_port()}",
        sendgrid_events_public_key=changes.pop("sendgrid_events_public_key", signer.public_key),
        **changes,
    )
    app = create_app(settings)
    database = Database(settings.records_url)
    async with serving(app) as url, httpx2.AsyncClient(base_url=url, timeout=PATIENCE) as http:
        yield Site(http, database, app, signer, settings.documents)
    database.close()


@pytest.fixture
async def site(records_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The web process with Temporal away."""
    async with site_of(records_url, tmp_path) as made:
        yield made


def first(response: httpx2.Response) -> dict[str, Any]:
    """What became of the first message of a post."""
    said: dict[str, Any] = response.json()["messages"][0]
    return said


def problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["code"] == code
    return document


# -- mail -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.1")
async def test_a_mail_opens_an_inquiry_while_temporal_is_away(site: Site) -> None:
    response = await site.inbound(mail())
    assert response.status_code == 200
    said = first(response)
    assert said["new"] is True
    assert said["disposition"] == "message"
    assert said["acknowledge_by"].endswith("T23:59:59-06:00")
    assert site.case(said["reference"]).bound
    assert site.waiting() == 1


async def test_the_same_mail_fifty_times_at_once_is_one_inquiry(site: Site) -> None:
    responses = await asyncio.gather(*(site.inbound(mail()) for _ in range(50)))
    told = [first(one) for one in responses if one.status_code == 200]
    kept = [one.json() for one in responses if one.status_code == 202]
    assert len(told) + len(kept) == 50
    assert all(one["waiting"] for one in kept)
    async with asyncio.timeout(60):
        while site.unread():
            await asyncio.sleep(0.05)
    told.append(first(await site.inbound(mail())))
    assert len({one["reference"] for one in told}) == 1
    assert sum(one["new"] for one in told) <= 1
    assert site.waiting() == 1


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer wrong", "Basic " + base64.b64encode(b"any:wrong").decode(), "Digest development"],
)
async def test_a_mail_without_the_secret_is_refused_before_it_is_read(site: Site, authorization: str) -> None:
    headers = {**HEADERS, "Authorization": authorization}
    response = await site.http.post("/intake/email/inbound", content=b"not even a form", headers=headers)
    problem(response, 401, "intake.unverified")
    with site.database.read() as session:
        assert messages.quarantined(session) == []


async def test_a_stranger_gets_no_room_for_a_body(site: Site) -> None:
    """The body never comes: who waits for it before looking at the secret would wait for ever."""
    reader, writer = await asyncio.open_connection(site.http.base_url.host, site.http.base_url.port)
    head = b"POST /intake/email/inbound HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40000000\r\n\r\n"
    writer.write(head)
    async with asyncio.timeout(PATIENCE):
        assert b" 401 " in await reader.readline()
    writer.close()


async def test_a_signed_mail_is_believed_and_a_changed_one_is_not(records_url: str, tmp_path: Path) -> None:
    signer = Signer()
    async with site_of(records_url, tmp_path, inbound_public_key=signer.public_key) as site:
        body = post(mail())
        headers = {**signer.headers(body, datetime.now(UTC)), "Content-Type": HEADERS["Content-Type"]}
        altered = body.replace(b"Retiro", b"Retirx", 1)
        problem(
            await site.http.post("/intake/email/inbound", content=altered, headers=headers), 401, "intake.unverified"
        )
        assert (await site.http.post("/intake/email/inbound", content=body, headers=headers)).status_code == 200


async def test_a_post_that_cannot_be_read_is_kept(site: Site) -> None:
    response = await site.http.post("/intake/email/inbound", content=b"\0\1garbage", headers=HEADERS)
    assert response.status_code == 200
    assert first(response)["disposition"] == "unanswerable"
    with site.database.read() as session:
        (row,) = messages.quarantined(session)
    with documents.FolderStore(site.documents).open(row.raw_path) as file:
        assert file.read() == b"\0\1garbage"


async def test_an_automatic_reply_waits_in_quarantine(site: Site) -> None:
    response = await site.inbound(mail(auto_submitted="auto-replied"))
    assert first(response)["disposition"] == "auto_reply"
    assert first(response)["reference"] is None
    assert site.waiting() == 0


async def test_a_reply_to_our_token_joins_and_a_spoofed_one_does_not(site: Site) -> None:
    reference = first(await site.inbound(mail(1)))["reference"]
    to = f"help+{reply_token(b'development', reference)}@reply.example.org"
    assert first(await site.inbound(mail(2), to=to))["reference"] == reference
    spoofed = first(await site.inbound(mail(3), to=to, spf="fail", dkim="none"))
    assert spoofed["new"] is True
    assert spoofed["reference"] != reference
    assert not site.case(spoofed["reference"]).bound


async def test_a_mail_beyond_every_limit_is_taken_without_its_attachments(site: Site) -> None:
    site.app.state.channels[EMAIL].doors[INBOUND] = Door(33_000_000, cut=True)
    raw = (
        b"From: ana@example.org\r\nTo: help@example.org\r\nSubject: Grande\r\nMessage-ID: <big@mail.example.org>\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
        b"Mi retiro no ha llegado.\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    response = await site.inbound(raw + b"x" * 36_000_000 + b"\r\n--b--\r\n")
    assert response.status_code == 200
    assert first(response)["new"] is True
    with site.database.read() as session:
        (row,) = messages.of_case(session, first(response)["reference"])
        assert documents.attachments(session, row.id) == []
    assert row.text == "Mi retiro no ha llegado."
    assert [one["what"] for one in row.dropped] == ["attachments"]


async def test_far_beyond_the_limit_the_sender_is_turned_down(site: Site) -> None:
    site.app.state.channels[EMAIL].doors[EVENTS] = Door(1000)
    headers = {"Content-Type": "application/json"}
    response = await site.http.post("/intake/email/events", content=b"[" * 2000, headers=headers)
    problem(response, 413, "body.too-large")


# -- away -------------------------------------------------------------------------------------------------------------


async def test_with_the_database_away_nothing_is_answered_with_2xx(
    site: Site, records_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.app.state.desk.database.close()
    with away(records_url):
        for response in (await site.inbound(mail()), await site.form(), await site.events({"event": "delivered"})):
            document = problem(response, 503, "records.unavailable")
            assert "again" in document["detail"]
            assert int(response.headers["retry-after"]) > 0
        assert (await site.http.get("/readyz")).status_code == 503
        assert (await site.http.get("/healthz")).status_code == 200
    assert first(await site.inbound(mail()))["new"] is True
    assert (await site.http.get("/readyz")).json() == {
        "database": "ok",
        "migrations": "ok",
        "keys": "ok",
        "temporal": "away",
    }


async def test_too_many_at_once_are_asked_to_come_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "AT_ONCE", 0)
    response = await site.form()
    problem(response, 503, "intake.busy")
    assert response.headers["retry-after"]


# -- events -----------------------------------------------------------------------------------------------------------


def begun(site: Site, reference: str) -> str:
    """A letter of ours that left; its key."""
    letter = left(reference)
    with site.database.write() as session:
        notices.begin(session, letter)
    return letter.key


async def test_a_signed_bounce_is_taken_once(site: Site) -> None:
    key = begun(site, first(await site.inbound(mail()))["reference"])
    event = {"event": "bounce", "type": "bounce", "notice": key, "sg_event_id": "e1", "timestamp": 1, "reason": "550"}
    answers = [(await site.events(event)).json() for _ in range(5)]
    assert [one["reports"] for one in answers] == [1, 0, 0, 0, 0]
    assert site.waiting() == 2


@pytest.mark.parametrize("age", [-301, 301])
async def test_an_event_that_is_not_fresh_is_refused(site: Site, age: int) -> None:
    problem(await site.events(at=datetime.now(UTC) + timedelta(seconds=age)), 401, "intake.unverified")


async def test_unsigned_events_are_refused(site: Site) -> None:
    response = await site.http.post("/intake/email/events", json=[])
    problem(response, 401, "intake.unverified")


async def test_signed_nonsense_is_kept_for_a_person(site: Site) -> None:
    body = b"{}"
    headers = site.signer.headers(body, datetime.now(UTC))
    response = await site.http.post("/intake/email/events", content=body, headers=headers)
    assert first(response)["disposition"] == "unanswerable"


@pytest.mark.parametrize("door", ["email/nowhere", "pigeon/events", "web/events"])
async def test_there_is_no_door_that_no_channel_opens(site: Site, door: str) -> None:
    problem(await site.http.post(f"/intake/{door}", content=b"{}"), 404, "intake.no-door")


async def test_in_development_the_mailrooms_key_is_believed(records_url: str, tmp_path: Path) -> None:
    async with site_of(records_url, tmp_path, sendgrid_events_public_key=None) as site:
        problem(await site.events(), 401, "intake.unverified")
        key_file = tmp_path / DEVELOPMENT_KEY
        key_file.parent.mkdir()
        key_file.write_text(site.signer.public_key + "\n")
        assert (await site.events()).json() == {"messages": [], "reports": 0, "waiting": False}


# -- the web form -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("M2.1")
async def test_a_form_is_answered_with_the_dates_promised_while_temporal_is_away(site: Site) -> None:
    response = await site.form(key="k1")
    assert response.status_code == 202
    said = response.json()
    case = site.case(said["reference"])
    assert datetime.fromisoformat(said["answer_by"]) == case.resolution_due
    assert said["acknowledge_by"] < said["answer_by"]
    again = await site.form(key="k1")
    assert again.status_code == 202
    assert {**again.json(), "new": True, "duplicate": False} == said
    assert site.waiting() == 1
    assert problem(await site.form({**FORM, "text": "otra"}, key="k1"), 422, "idempotency.reused")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "hola"}, "email"),
        ({**FORM, "email": "ana"}, "email"),
        ({**FORM, "email": "Ana <ana@example.org>, eva@example.net"}, "email"),
        ({**FORM, "email": "ana@example.org\r\nBcc: eva@example.net"}, "email"),
        ({**FORM, "text": " \n"}, "text"),
        ({**FORM, "kind": "poem"}, "kind"),
        ({**FORM, "language": "fr"}, "language"),
        ({**FORM, "colour": "red"}, "colour"),
        ({**FORM, "name": "x" * 300}, "name"),
        ([], ""),
    ],
)
async def test_a_form_that_cannot_be_taken_says_why(site: Site, body: Any, field: str) -> None:
    document = problem(await site.form(body), 422, "form.malformed")
    assert document.get("field", "") == field
    assert "example.net" not in document["detail"]
    assert site.waiting() == 0


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"email": NaN}', b'{"text": "\\ud800"}', b"[" * 100_000])
async def test_a_form_that_is_no_json_is_told_so(site: Site, content: bytes) -> None:
    problem(await site.http.post("/intake/web", content=content), 422, "form.malformed")


async def test_a_form_beyond_its_size_is_refused(site: Site) -> None:
    problem(await site.form({**FORM, "text": "x" * 2_000_000}), 413, "body.too-large")


async def test_hostile_text_is_kept_as_it_is(site: Site) -> None:
    text = "{{7*7}} %s <script>alert(1)</script> \u202e ${x}\0 fin"
    said = (await site.form({**FORM, "text": text, "name": 'x" <evil@example.net>\r\n'})).json()
    with site.database.read() as session:
        (row,) = messages.of_case(session, said["reference"])
    assert row.text == text.replace("\0", "")
    assert "\n" not in row.sender_name


# -- the rest of the house --------------------------------------------------------------------------------------------


async def test_the_codec_endpoint_is_on_the_loopback_listener_alone(site: Site, tmp_path: Path) -> None:
    assert (await site.http.post("/codec/decode", json={"payloads": []})).status_code == 200
    public = create_app(Settings(var=tmp_path, records_url="sqlite:////nowhere/records.db", web_host="0.0.0.0"))
    assert not [route for route in public.openapi()["paths"] if route.startswith("/codec")]
    transport = httpx2.ASGITransport(app=public)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        assert (await http.post("/codec/decode", json={"payloads": []})).status_code == 404


async def test_the_interface_is_described(site: Site) -> None:
    described = (await site.http.get("/openapi.json")).json()
    assert {"/intake/web", "/intake/{channel}/{door}"} <= set(described["paths"])
    body = described["paths"]["/intake/web"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["email", "text"]


# -- too many ---------------------------------------------------------------------------------------------------------


async def test_forms_of_one_network_are_limited_and_nobody_elses(records_url: str, tmp_path: Path) -> None:
    async with site_of(records_url, tmp_path, forms_per_minute=2) as site:
        for _ in range(2):
            assert (await site.form(via="2001:db8::1")).status_code == 202
        one_more = await site.form(via="2001:db8::2")
        problem(one_more, 429, "form.too-many")
        assert 0 < int(one_more.headers["Retry-After"]) <= 60
        assert site.waiting() == 2
        assert (await site.form(via="192.0.2.1")).status_code == 202
