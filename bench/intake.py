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

from sqlmodel import SQLModel, func, select

from bench.load import SUBJECT, TEXT, mail, sender
from bench.meter import Meter
from bench.open_cases import percentiles
from bench.rates import numbers
from bench.stage import Resident, Server, Site, free_port, until
from bench.wire import Answered, Wire, request
from counterparts.inbound_parse import basic, inbound_body
from models.tables import CaseRow, StoredMessage, StoredPost
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
OPEN_CHAT = request("/chat/v1/sessions", b'{"locale": "es"}', {})


@dataclass
class Crowd:
    """Everybody who writes, and what came of it."""

    wire: Wire
    credentials: dict[str, str]
    took: list[float] = field(default_factory=list)
    """Milliseconds from the time a message was due to its 2xx."""
    refused: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    """Messages by channel."""
    kept: int = 0
    """Messages that were stored as they came, to be read in their turn."""
    known: list[tuple[str, str]] = field(default_factory=list)
    """Mails that were taken, by name, with their references."""
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(int(time.time()) * 1000))

    async def write(self, said: "Said", due: float) -> None:
        """Say one thing at its time, until it is taken."""
        while True:
            answer = await self._say(said)
            if answer.good:
                break
            self.refused[f"{said.channel} {answer.status}"] += 1
            await asyncio.sleep(AGAIN)
        self.took.append(1000 * (time.perf_counter() - due))
        self.said[said.channel] += 1
        if isinstance(answer.body, dict):
            self.kept += bool(answer.body.get("waiting") or answer.body.get("disposition") == "waiting")
            told = answer.body.get("messages")
            if said.channel == "email" and told and not said.follows:
                self.known.append((said.name, told[0]["reference"]))

    async def _say(self, said: "Said") -> Answered:
        if said.channel == "chat":
            opened = await self.wire.send(OPEN_CHAT)
            if not opened.good:
                return opened
            headers = {"Authorization": f"Bearer {opened.body['token']}"}
            return await self.wire.send(request("/chat/v1/messages", said.body, headers))
        body = said.body
        if said.follows and self.known:
            earlier, reference = random.choice(self.known)
            body = body.replace(sender(said.name).encode(), sender(earlier).encode())
            body = body.replace(b"Subject: ", f"Subject: {reference} ".encode(), 1)
        return await self.wire.send(request(said.path, body, said.headers))

    def prepare(self, channel: str, *, follows: bool) -> "Said":
        """Put what somebody will say together before anything is measured."""
        name, number = f"intake-{next(numbers)}", next(self.ids)
        match channel:
            case "email":
                headers, body = inbound_body(mail(name))
                return Said(channel, name, "/intake/email/inbound", body, headers | self.credentials, follows)
            case "web":
                form = {"email": sender(name), "subject": SUBJECT, "text": TEXT}
                return Said(channel, name, "/intake/web", json.dumps(form).encode(), {"Idempotency-Key": name})
            case "telegram":
                body = json.dumps(_update(number)).encode()
                shown = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
                return Said(channel, name, "/intake/telegram/updates", body, shown)
            case "x":
                body = json.dumps(_direct(number)).encode()
                made = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
                return Said(channel, name, "/intake/x/events", body, {"x-twitter-webhooks-signature": f"sha256={made}"})
            case _:
                said = {"client_msg_id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)), "text": TEXT}
                return Said(channel, name, "/chat/v1/messages", json.dumps(said).encode(), {})


@dataclass(frozen=True)
class Said:
    """One message as it travels; one that `follows` goes into an inquiry that is there."""

    channel: str
    name: str
    path: str
    body: bytes
    headers: dict[str, str]
    follows: bool = False


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
        other = free_port()
        web, web2 = await site.web(), await site.another_web("web2", other)
        database = Database(site.settings.records_url)
        secret = site.settings.inbound_secret
        crowd = Crowd(Wire([site.settings.web_port, other]), basic(secret.get_secret_value() if secret else ""))
        messages = _prepare(crowd, int(rate * seconds))
        watch = Meter(server=engine, mailroom=mailroom, worker=worker, web=web, web2=web2)
        await _send(crowd, messages, rate)
        sending = watch.read()
        unread, waiting = _waiting(database)
        took = percentiles(crowd.took)
        tell(f"{sum(crowd.said.values())} messages taken in, {took['p99']} ms to the 2xx of 99 of 100")
        tell(f"{unread} are not read, {waiting} hand-overs wait; now all is read and handed over")
        await until(lambda: _drained(database), web, DRAIN)
        drained = watch.read()
        crowd.wire.close()
        found = {
            "rate": rate,
            "messages": sum(crowd.said.values()),
            "by_channel": dict(crowd.said),
            "stored": _rows(database, StoredMessage),
            "kept_to_be_read": crowd.kept,
            "inquiries": _rows(database, CaseRow),
            "without_2xx": dict(crowd.refused),
            "taken_ms": took,
            "sending_seconds": round(sending.seconds, 1),
            "unread_after": unread,
            "waiting_after": waiting,
            "drain_seconds": round(drained.seconds - sending.seconds, 1),
            "cpu_ms": sending.per(sum(crowd.said.values())),
            "drained_cpu_ms": drained.per(sum(crowd.said.values())),
            "foreign_percent": sending.foreign_percent,
        }
        database.close()
    return found


def _prepare(crowd: Crowd, count: int) -> list[Said]:
    chance = random.Random(7)
    channels = random.Random(11).choices(list(SHARES), list(SHARES.values()), k=count)
    return [crowd.prepare(channel, follows=channel == "email" and chance.random() < 1 / 2) for channel in channels]


async def _send(crowd: Crowd, messages: list[Said], rate: float) -> None:
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for n, said in enumerate(messages):
            due = begun + n / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(crowd.write(said, due))


def _waiting(database: Database) -> tuple[int, int]:
    """Posts that nobody has read, and what Temporal has not been told."""
    with database.read() as session:
        unread = int(first(session, select(func.count()).select_from(StoredPost))[0])
        return unread, dispatches.waiting(session).total


def _rows(database: Database, table: type[SQLModel]) -> int:
    with database.read() as session:
        return int(first(session, select(func.count()).select_from(table))[0])


async def _drained(database: Database) -> bool:
    await asyncio.sleep(1)
    return not any(await asyncio.to_thread(_waiting, database))
