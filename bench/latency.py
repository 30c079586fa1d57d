"""From a mail at the webhook to its acknowledgement in the mailroom: one client, everything in its own process."""

import asyncio
import time
from typing import Any

import httpx2
from sqlmodel import col, select

from bench.load import mail
from bench.meter import Meter
from bench.open_cases import percentiles
from bench.rates import now, numbers
from bench.stage import Resident, Server, Site
from counterparts.inbound_parse import basic, inbound_body
from models.tables import Notice
from records.database import Database

LOOK = 0.01
"""Seconds between two looks for the acceptance; its time is the worker's own, so looking late changes nothing."""


async def latency(server: Server, engine: Resident, count: int) -> dict[str, Any]:
    """Milliseconds to the webhook's answer, and to the letter's acceptance by the mailroom."""
    with Site(server, "latency") as site:
        mailroom = await site.mailroom(events=True)
        worker, web = await site.worker(), await site.web()
        watch = Meter(server=engine, mailroom=mailroom, worker=worker, web=web)
        database = Database(site.settings.records_url)
        secret = site.settings.inbound_secret
        credentials = basic(secret.get_secret_value() if secret else "")
        answered, handed = [], []
        async with httpx2.AsyncClient(base_url=site.settings.web_url, trust_env=False) as client:
            for number in range(count + 10):
                name = f"latency-{next(numbers)}"
                headers, body = inbound_body(mail(name), received_at=now())
                posted, begun = now(), time.perf_counter()
                answer = await client.post("/intake/email/inbound", content=body, headers=headers | credentials)
                took = 1000 * (time.perf_counter() - begun)
                reference = answer.raise_for_status().json()["messages"][0]["reference"]
                accepted = await _accepted(database, f"{reference}/acknowledgement/1")
                if number >= 10:
                    answered.append(took)
                    handed.append(1000 * (accepted - posted).total_seconds())
        database.close()
        foreign = watch.read().foreign_percent
    return {"webhook_ms": percentiles(answered), "letter_ms": percentiles(handed), "foreign_percent": foreign}


async def _accepted(database: Database, key: str) -> Any:
    def look() -> Any:
        with database.read() as session:
            return session.exec(select(Notice.accepted_at).where(col(Notice.key) == key)).first()

    async with asyncio.timeout(30):
        while not (found := await asyncio.to_thread(look)):  # noqa: ASYNC110  another process cannot set an event
            await asyncio.sleep(LOOK)
    return found
