"""Many open cases at rest: what each takes, what the server does meanwhile, and how fast the due list answers.

The cases are put straight into the records; the web process starts them and the worker acknowledges every one, so each
has the history of a real open case.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
from sqlmodel import col, func, select

from bench.load import AGENT, seed
from bench.meter import Meter
from bench.rates import now, numbers
from bench.stage import Resident, Server, Site, until
from models.inquiry import Role
from models.policy_reading import load_policy
from models.tables import Notice
from records import keys
from records.database import Database

CACHED = 1_000
"""How many workflows a worker keeps in memory."""

TOGETHER = 250
SPREAD = timedelta(days=3)
"""Receptions lie within this time, so that the due list has many days and nothing is late."""

ALL_TERMS = timedelta(days=80)
"""Within so many days from now every term of the open cases ends."""

REPORTS = 10

SETTLE = 10.0
"""Seconds between the last letter and the look at the idle server."""


async def open_cases(
    server: Server, engine: Resident, *, count: int, idle: float, requests: int, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Open so many cases and measure. `idle` in seconds; `engine` is the server's process."""
    with Site(server, "open") as site:
        await site.mailroom()
        worker, web = await site.worker(), await site.web()
        database = Database(site.settings.records_url)
        crowd = Opener(database, site, tell)
        await crowd.open(min(100, count), worker)  # what every worker loads once is loaded
        bytes_before, memory_before, begun = server.stored_bytes(), worker.memory(), time.monotonic()
        first = min(count, CACHED)
        await crowd.open(first, worker)
        memory = worker.memory()
        await crowd.open(count - first, worker)
        seconds = time.monotonic() - begun
        stored = server.stored_bytes() - bytes_before
        await asyncio.sleep(SETTLE)
        watch = Meter(server=engine, worker=worker, web=web)
        await asyncio.sleep(idle)
        reading = watch.read()
        found: dict[str, Any] = {
            "open": count,
            "opened_per_second": round(count / seconds, 1),
            "engine_kb_each": round(stored / count / 1024, 1),
            "worker_kb_each": round((memory - memory_before) / first / 1024, 1),
            "worker_mb_at_end": round(worker.memory() / 1024**2),
            "idle_percent": {name: round(100 * cpu / reading.seconds, 2) for name, cpu in reading.cpu.items()},
            "idle_foreign_percent": reading.foreign_percent,
        }
        watch = Meter(server=engine, worker=worker, web=web)
        found["due_list_ms"] = await due_list(site, database, requests)
        found["due_list_foreign_percent"] = watch.read().foreign_percent
        watch = Meter(server=engine, worker=worker, web=web)
        found["report_ms"] = await reports(site, database)
        found["report_foreign_percent"] = watch.read().foreign_percent
        database.close()
    return found


class Opener:
    """Puts cases into the records and waits until each is acknowledged."""

    def __init__(self, database: Database, site: Site, tell: Callable[[str], None]) -> None:
        self._database, self._tell, self._total = database, tell, 0
        self._policy = load_policy(site.settings.policy)

    async def open(self, count: int, worker: Resident) -> None:
        """Open so many more."""
        self._total += count
        await asyncio.to_thread(self._seed, count)
        told = time.monotonic()

        async def done() -> bool:
            nonlocal told
            reached = await asyncio.to_thread(self._acknowledged)
            if time.monotonic() - told > 15:
                told = time.monotonic()
                self._tell(f"open cases: {reached} of {self._total} acknowledged")
            await asyncio.sleep(0.2)
            return reached >= self._total

        await until(done, worker, 3600)

    def _seed(self, count: int) -> None:
        ages = [SPREAD * (number / max(count, 1)) for number in range(count)]
        for begin in range(0, count, TOGETHER):
            with self._database.write() as session:
                for age in ages[begin : begin + TOGETHER]:
                    seed(session, self._policy, f"open-{next(numbers)}", now(), age)

    def _acknowledged(self) -> int:
        with self._database.read() as session:
            return session.exec(
                select(func.count()).select_from(Notice).where(col(Notice.accepted_at).is_not(None))
            ).one()


async def reports(site: Site, database: Database) -> dict[str, float]:
    """Milliseconds for the report of the days in which the terms of all of them end, over HTTP, as data."""
    with database.write() as session:
        secret = keys.create(session, "auditor-1", Role.AUDITOR, now())
    today = now().date()
    path = f"/api/reports/{today - SPREAD}..{today + ALL_TERMS}"
    taken: list[float] = []
    async with httpx2.AsyncClient(
        base_url=site.settings.web_url, headers={"Authorization": f"Bearer {secret}"}, trust_env=False, timeout=60
    ) as client:
        for _ in range(REPORTS):
            begun = time.perf_counter()
            answer = await client.get(path)
            taken.append(1000 * (time.perf_counter() - begun))
            answer.raise_for_status()
    return percentiles(taken)


async def due_list(site: Site, database: Database, requests: int) -> dict[str, float]:
    """Milliseconds for a page of 50 over HTTP, one client: the first page, the following ones, and filtered ones."""
    with database.write() as session:
        secret = keys.create(session, AGENT.id, AGENT.role, now())
    taken: list[float] = []
    async with httpx2.AsyncClient(
        base_url=site.settings.web_url, headers={"Authorization": f"Bearer {secret}"}, trust_env=False
    ) as client:
        cursor: str | None = None
        for number in range(requests + 10):
            query: dict[str, str] = {"limit": "50"}
            if number % 4 == 1:
                query["status"] = "open"
            elif cursor and number % 4:
                query["cursor"] = cursor
            begun = time.perf_counter()
            answer = await client.get("/api/inquiries", params=query)
            taken.append(1000 * (time.perf_counter() - begun))
            cursor = answer.raise_for_status().json()["next_cursor"]
    return percentiles(taken[10:])


def percentiles(values: list[float]) -> dict[str, float]:
    """The middle, the 99th in a hundred, and the worst."""
    ordered = sorted(values)
    return {
        "p50": round(ordered[len(ordered) // 2], 1),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 1),
        "max": round(ordered[-1], 1),
        "n": len(ordered),
    }
