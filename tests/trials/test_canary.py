"""A word that nobody else says goes every way there is: it is found in the records, and nowhere else."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from sqlmodel import select

from models.tables import ContactAddress, EventText, Notice, StoredMessage
from records import messages
from tests.databases import Template
from tests.faults.ground import free_ports
from tests.faults.senders import post_mail
from tests.faults.town import Town
from tests.faults.voices import Filler, Poster, Telegrammer, Visitor, Voice, Writer
from tests.otlp_receiver import Receiver, Told, receiving
from tests.trials.agent import Agent, heard, reference_of, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANARY = "zafirocanario"
ADDRESS = f"ana.{CANARY}@example.org"
WORDS = f"Hola, soy {CANARY}: mi retiro no ha llegado. Escríbanme a {ADDRESS}."
LISTENERS = ("worker", "collector")
PROCESSES = ("temporal", "worker", "web", "collector")


class Ana:
    """A person whose name and address are the canary, on each channel."""

    async def arrive(self: Voice) -> httpx2.Response:  # type: ignore[misc]
        """Arrive under that name."""
        match self:
            case Writer():
                self.address = f"{self.n}.{ADDRESS}"
                return httpx2.Response(200)
            case Telegrammer():
                answer = await self.do("/people", {"first_name": f"Ana {CANARY}"})
            case Poster():
                body = {"name": f"Ana {CANARY}", "username": f"{CANARY[:9]}{self.n}"}
                answer = await self.town.mailroom.post("/x/api/people", json=body)
            case _:
                return await Visitor.arrive(self)  # type: ignore[arg-type]
        self.address = str(answer.json()["id"])
        return answer


class AnaByMail(Ana, Writer):
    """By mail."""


class AnaByForm(Ana, Filler):
    """By the form."""


class AnaByTelegram(Ana, Telegrammer):
    """By Telegram."""


class AnaByX(Ana, Poster):
    """By direct message."""


class AnaInTheChat(Ana, Visitor):
    """In the chat."""


@pytest.fixture(scope="module")
def collected() -> Iterator[Receiver]:
    """Who collects the traces."""
    with receiving() as receiver:
        yield receiver


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(
    tmp_path_factory: pytest.TempPathFactory, blank_records: Template, collected: Receiver
) -> AsyncIterator[Town]:
    """A town in which every process shows its figures and tells its traces; the framework's own are asked for too."""
    telling = {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    telling["FASTAPI_OTEL_AUTO_CONFIGURE"] = "true"
    records_url, _ = blank_records.apart(tmp_path_factory.mktemp("records"))
    made = Town(tmp_path_factory.mktemp("town"), records_url, gather=1)
    for name, port in zip(LISTENERS, free_ports(len(LISTENERS)), strict=True):
        made.change(name, PLAZO_METRICS_PORT=str(port))
    for name in ("web", *LISTENERS):
        made.change(name, **telling)
    async with made:
        yield made


async def test_a_canary_is_found_in_the_records_alone(there: Town, collected: Receiver) -> None:
    agent = Agent(there)
    references = [await wrote(person(there, 900 + n), agent) for n, person in enumerate(PEOPLE)]
    await ordered(there, agent, references[0])
    await refused(there, references[0])
    await hostile(there)
    await bounced(there, agent, references[0])
    figures = await shown(there)

    assert in_the_records(there), "the records are where it belongs"
    assert not [name for name, said in figures.items() if found(said)]
    for name in PROCESSES:
        log = there.members[name].log.read_bytes()
        assert not found(log), f"{name} logged {around(log)}"
    kept = list(there.settings.var.glob("temporal.db*"))
    stored = b"".join(path.read_bytes() for path in kept)
    assert all(reference.encode() in stored for reference in references), "what is looked through is the real thing"
    assert not found(stored)
    others = [one for one in files(there.settings.var) if one not in kept]
    assert not [one for one in others if found(one.read_bytes())]
    assert not [path for path, body in collected.bodies if path != "/v1/traces" or found(body)]
    for reference in references:
        one_trace([one for one in collected.spans() if one.told["plazo.reference"] == reference])


def one_trace(spans: list[Told]) -> None:
    """From what brought the first message in, over the workflow, to the letter's way out."""
    assert len({one.trace for one in spans}) == 1
    named = {one.name.partition(" by ")[0]: one for one in reversed(spans)}
    began = next(one for one in spans if not one.parent)
    assert began.name.startswith(("POST /intake/", "POST /chat/", "look telegram", "look x")), began.name
    path = [began, named["hand over start"], named["workflow step"], named["activity deliver"], named["send"]]
    assert [one.began for one in path] == sorted(one.began for one in path)
    assert path[-1].parent in {one.id for one in spans if one.name == "activity deliver"}
    assert {one.service for one in path} == {began.service, "plazo-web", "plazo-worker"}


PEOPLE: tuple[type[Voice], ...] = (AnaByMail, AnaByForm, AnaByTelegram, AnaByX, AnaInTheChat)


async def wrote(person: Voice, agent: Agent) -> str:
    """Somebody writes, and is acknowledged; return the reference."""
    await person.arrive()
    (await person.say(0, WORDS)).raise_for_status()
    reference = reference_of((await heard(person, 1))[0])
    await agent.status(reference, "open")
    return reference


async def ordered(there: Town, agent: Agent, reference: str) -> None:
    """Whatever takes a word in the admin API."""
    key, later = {"Authorization": f"Bearer {there.key}"}, datetime.now(UTC) + timedelta(days=20)
    await agent.command(reference, "note", text=WORDS)
    await agent.command(reference, "reply", text=WORDS)
    until_day = f"{later:%Y-%m-%d}T12:00:00-06:00"
    await agent.command(reference, "open_incident", area="operations", matter="withdrawal", text=WORDS)
    await agent.command(reference, "request_information", items=[{"item": WORDS, "why": WORDS}], by=until_day)
    await agent.bind(f"account-{CANARY}", f"portal.{ADDRESS}")
    registered = {"place": "office", "received_at": datetime.now(UTC).isoformat(), "email": ADDRESS, "text": WORDS}
    (await there.web.post("/api/inquiries", json=registered, headers=key)).raise_for_status()
    answer = {"outcome": "upheld", "points": [{"point": WORDS, "answer": WORDS}], "actions": [WORDS]}
    await there.web.post(f"/api/inquiries/{reference}/resolve", json=answer, headers=key)
    await agent.happened(reference, "case.noted")


async def refused(there: Town, reference: str) -> None:
    """What the API does not take."""
    key = {"Authorization": f"Bearer {there.key}"}
    case = f"/api/inquiries/{reference}"
    for path, body in (
        (f"{case}/resolve", {"outcome": WORDS}),
        (f"{case}/extend", {"until": WORDS, "reasons": WORDS}),
        (f"{case}/note", {"text": [WORDS], ADDRESS: WORDS}),
        (f"{case}/{CANARY}", {"text": WORDS}),
        (f"/api/inquiries/{CANARY}/note", {"text": WORDS}),
        ("/api/inquiries", {"email": WORDS}),
        ("/api/bindings", {"account": [WORDS], "email": WORDS}),
    ):
        assert (await there.web.post(path, json=body, headers=key)).status_code >= 400, path
    for path in (f"{case}?x={CANARY}", f"/api/inquiries?text={ADDRESS}", f"/api/inquiries/{ADDRESS}", f"/s/{CANARY}"):
        await there.web.get(path, headers=key)
    assert (await there.web.post(f"{case}/note", content=f"{{{WORDS}", headers=key)).status_code >= 400
    assert (await there.web.get("/api/inquiries", headers={"Authorization": f"Bearer {CANARY}"})).status_code == 401
    assert (await there.web.get("/api/me", headers={"Authorization": f"Bearer {CANARY}.a.b"})).status_code == 401


async def hostile(there: Town) -> None:
    """Posts that nobody of ours sent, and mails that cannot be read."""
    body = json.dumps({"update_id": 1, "message": {"text": WORDS, "from": ADDRESS}, ADDRESS: WORDS}).encode()
    kinds = ("application/json", "multipart/form-data; boundary=x", f"text/{CANARY}")
    for path in ("/intake/email/inbound", "/intake/email/events", "/intake/x/events", "/intake/telegram/updates"):
        for kind in kinds:
            headers = {"Content-Type": kind, "X-Twilio-Email-Event-Webhook-Signature": CANARY, "User-Agent": ADDRESS}
            assert (await there.web.post(f"{path}?who={ADDRESS}", content=body, headers=headers)).status_code >= 400
    for form in ({"email": WORDS, "text": WORDS}, {"email": ADDRESS, "text": "", CANARY: WORDS}, [WORDS]):
        await there.web.post("/intake/web", json=form)
    for raw in (
        f"From: {ADDRESS}\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n{WORDS}".encode(),
        f'From: "{CANARY}" <{ADDRESS}\r\nSubject: =?x?q?{CANARY}?=\r\nDate: {CANARY}\r\n\r\n'.encode(),
        CANARY.encode() * 1000,
    ):
        await post_mail(there.web, raw)
    await there.web.post("/chat/v1/messages", json={"text": WORDS}, headers={"Authorization": f"Bearer {CANARY}"})


async def bounced(there: Town, agent: Agent, reference: str) -> None:
    """A provider that fails, then takes the letter, then says that it came back."""
    await there.fault("status", status=503, count=1)
    await agent.command(reference, "note", text=WORDS)
    letters = (await there.mailroom.get("/api/letters", params={"to": f"900.{ADDRESS}"})).json()
    event = {"event": "bounce", "reason": f"550 no such mailbox: {ADDRESS}"}
    answer = await there.mailroom.post(f"/api/letters/{letters[0]['id']}/events", json=event)
    assert answer.status_code == 202, answer.text
    await there.well()

    async def told() -> bool:
        types = [one["type"] for one in (await agent.case(reference))["timeline"]]
        return any("bounced" in one for one in types)

    await until(told, "the bounce stands in the timeline")


async def shown(there: Town) -> dict[str, bytes]:
    """What every process shows of itself."""
    said = {"web": (await there.web.get("/metrics")).content, "readyz": (await there.web.get("/readyz")).content}
    async with httpx2.AsyncClient(timeout=10) as http:
        for name in LISTENERS:
            port = there.members[name].child.environment["PLAZO_METRICS_PORT"]
            said[name] = (await http.get(f"http://127.0.0.1:{port}/metrics")).content
    assert all(said.values())
    return said


def in_the_records(there: Town) -> bool:
    """Whether it stands in every table that may have it."""
    with there.database.read() as session:
        said = (
            [row.value for row in session.exec(select(ContactAddress))],
            [row.text for row in session.exec(select(EventText))],
            [row.text + row.full_text for row in session.exec(select(Notice))],
            [row.text for row in session.exec(select(StoredMessage))],
        )
        assert messages.quarantined(session)
    return all(any(CANARY in one for one in texts) for texts in said)


def files(var: Path) -> Iterator[Path]:
    """What the product writes beside records and documents; the mailroom is a provider, and may know whom it serves."""
    for path in sorted(var.rglob("*")):
        theirs = "mailroom" in path.relative_to(var).as_posix() or path.is_relative_to(var / "documents")
        if path.is_file() and not theirs and not path.name.startswith("records.db"):
            yield path


def found(stored: bytes) -> bool:
    """Whether the canary is there, in either case, or in base64 wherever it begins in it."""
    if CANARY.encode() in stored.lower():
        return True
    return any(base64.b64encode(b" " * n + CANARY.encode())[4 if n else 0 : -4] in stored for n in range(3))


def around(stored: bytes) -> str:
    """What stands around it."""
    at = max(stored.lower().find(CANARY.encode()), 0)
    return stored[max(at - 200, 0) : at + 200].decode("utf-8", "replace")
