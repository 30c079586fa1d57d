"""What comes in: so many messages a second over all channels, each to be stored before its 2xx, while all is handed on.

The senders keep to their times whatever the answers take (open loop) and send again what got no 2xx. Web process,
worker, mailroom and Temporal's server share the machine with them, as on the smallest installation.
"""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from sqlmodel import func, select

from bench.load import SUBJECT, TEXT, mail, sender
from bench.meter import Meter
from bench.open_cases import percentiles
from bench.rates import numbers
from bench.stage import Resident, Server, Site, until
from counterparts.inbound_parse import basic, inbound_body
from models.tables import CaseRow, StoredMessage
from records import dispatches
from records.database import Database, first

SHARES = {"email": 5, "web": 2, "telegram": 1, "x": 1, "chat": 1}
"""Of ten messages."""

AGAIN = 0.5
"""Seconds until what got no 2xx is sent again."""

SECRET = "s" * 40
VARIABLES = {
    "PLAZO_TELEGRAM_SECRET": SECRET,
    "PLAZO_X_CONSUMER_SECRET": SECRET,
    # All come from one address here.
    "PLAZO_FORMS_PER_MINUTE": "1000000",
    "PLAZO_CHAT_SESSIONS_PER_MINUTE": "1000000",
}
DRAIN = 1_800.0


@dataclass
class Crowd:
    """Everybody who writes, and what came of it."""

    http: httpx2.AsyncClient
    credentials: dict[str, str]
    took: list[float] = field(default_factory=list)
    """Milliseconds from the time a message was due to its 2xx."""
    refused: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    """Messages by channel."""
    known: list[tuple[str, str]] = field(default_factory=list)
    """Mails that were taken, by name, with their references."""
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(int(time.time()) * 1000))

    async def write(self, channel: str, due: float, *, follows: bool) -> None:
        """Say one thing at its time, until it is taken."""
        post = self._posts(channel, follows=follows)
        while True:
            try:
                answer = await post()
                answer.raise_for_status()
            except httpx2.HTTPError as error:
                code = error.response.status_code if isinstance(error, httpx2.HTTPStatusError) else 0
                self.refused[f"{channel} {code}"] += 1
                await asyncio.sleep(AGAIN)
            else:
                self.took.append(1000 * (time.perf_counter() - due))
                self.said[channel] += 1
                return

    def _posts(self, channel: str, *, follows: bool) -> Callable[[], Any]:
        name, number = f"intake-{next(numbers)}", next(self.ids)
        match channel:
            case "email":
                return lambda: self._mail(name, follows=follows)
            case "web":
                form = {"email": sender(name), "subject": SUBJECT, "text": TEXT}
                return lambda: self.http.post("/intake/web", json=form, headers={"Idempotency-Key": name})
            case "telegram":
                return lambda: self._signed("telegram/updates", _update(number), telegram=True)
            case "x":
                return lambda: self._signed("x/events", _direct(number), telegram=False)
            case _:
                return lambda: self._chat(name)

    async def _mail(self, name: str, *, follows: bool) -> httpx2.Response:
        raw = mail(name)
        if follows and self.known:
            earlier, reference = random.choice(self.known)
            raw = raw.replace(sender(name).encode(), sender(earlier).encode(), 1)
            raw = raw.replace(b"Subject: ", f"Subject: {reference} ".encode(), 1)
        headers, body = inbound_body(raw)
        answer = await self.http.post("/intake/email/inbound", content=body, headers=headers | self.credentials)
        if answer.is_success and not follows:
            self.known.append((name, answer.json()["messages"][0]["reference"]))
        return answer

    async def _signed(self, door: str, event: dict[str, Any], *, telegram: bool) -> httpx2.Response:
        body = json.dumps(event).encode()
        made = "sha256=" + base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
        shown = {"X-Telegram-Bot-Api-Secret-Token": SECRET} if telegram else {"x-twitter-webhooks-signature": made}
        return await self.http.post(f"/intake/{door}", content=body, headers=shown)

    async def _chat(self, name: str) -> httpx2.Response:
        opened = await self.http.post("/chat/v1/sessions", json={"locale": "es"})
        opened.raise_for_status()
        token = opened.json()["token"]
        said = {"client_msg_id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)), "text": TEXT}
        return await self.http.post("/chat/v1/messages", json=said, headers={"Authorization": f"Bearer {token}"})


def _update(n: int) -> dict[str, Any]:
    person = {"id": n, "is_bot": False, "first_name": "Ana", "language_code": "es"}
    chat = {"id": n, "type": "private"}
    message = {"message_id": 1, "date": int(time.time()), "chat": chat, "from": person, "text": TEXT}
    return {"update_id": n, "message": message}


def _direct(n: int) -> dict[str, Any]:
    said = {"target": {"recipient_id": "1"}, "sender_id": str(n), "message_data": {"text": TEXT}}
    event = {
        "type": "message_create",
        "id": str(n + 1),
        "created_timestamp": str(int(1000 * time.time())),
        "message_create": said,
    }
    payload = {"direct_message_events": [event]}
    return {
        "data": {
            "event_uuid": str(n),
            "filter": {"user_id": "1"},
            "event_type": "dm.received",
            "tag": "dm",
            "payload": payload,
        }
    }


async def intake(
    server: Server, engine: Resident, *, rate: float, seconds: float, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Milliseconds to the 2xx, what was lost or stored twice, and how long the rest took to be handed to Temporal."""
    with Site(server, "intake", VARIABLES) as site:
        mailroom, worker = await site.mailroom(), await site.worker()
        web = await site.web()
        database = Database(site.settings.records_url)
        secret = site.settings.inbound_secret
        limits = httpx2.Limits(max_connections=400, max_keepalive_connections=400)
        async with httpx2.AsyncClient(
            base_url=site.settings.web_url, trust_env=False, limits=limits, timeout=30
        ) as http:
            crowd = Crowd(http, basic(secret.get_secret_value() if secret else ""))
            watch = Meter(server=engine, mailroom=mailroom, worker=worker, web=web)
            await _send(crowd, rate, seconds)
            sending = watch.read()
            stored, waiting = _count(database)
            tell(f"{sum(crowd.said.values())} messages taken in, {waiting} of them wait for Temporal")
            await until(lambda: _drained(database), web, DRAIN)
            drained = watch.read()
        found = {
            "rate": rate,
            "messages": sum(crowd.said.values()),
            "by_channel": dict(crowd.said),
            "stored": stored,
            "inquiries": _inquiries(database),
            "without_2xx": dict(crowd.refused),
            "taken_ms": percentiles(crowd.took),
            "sending_seconds": round(sending.seconds, 1),
            "waiting_after": waiting,
            "drain_seconds": round(drained.seconds - sending.seconds, 1),
            "cpu_ms": sending.per(sum(crowd.said.values())),
            "foreign_percent": sending.foreign_percent,
        }
        database.close()
    return found


async def _send(crowd: Crowd, rate: float, seconds: float) -> None:
    chance, begun = random.Random(7), time.perf_counter()
    channels = random.Random(11).choices(list(SHARES), list(SHARES.values()), k=int(rate * seconds))
    async with asyncio.TaskGroup() as group:
        for n, channel in enumerate(channels):
            due = begun + n / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(crowd.write(channel, due, follows=chance.random() < 1 / 2))


def _count(database: Database) -> tuple[int, int]:
    with database.read() as session:
        return int(first(session, select(func.count()).select_from(StoredMessage))[0]), dispatches.waiting(
            session
        ).total


def _inquiries(database: Database) -> int:
    with database.read() as session:
        return int(first(session, select(func.count()).select_from(CaseRow))[0])


async def _drained(database: Database) -> bool:
    await asyncio.sleep(1)
    return (await asyncio.to_thread(_count, database))[1] == 0
