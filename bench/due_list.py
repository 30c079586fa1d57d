"""The list of inquiries among many, through the real application: every filter alone and with every other one.

On SQLite, and on PostgreSQL where it is installed. Each way to ask is asked often; pages after the first too.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import insert
from sqlmodel import col, select

from bench.meter import Meter
from bench.open_cases import percentiles
from bench.rates import now
from bench.stage import UNLIMITED
from engine import connect
from models.inquiry import Role
from models.policy_reading import load_policy
from models.tables import FAR, CaseRow
from records import cases, keys
from records.database import Database
from records.migrate import upgrade
from settings import Settings
from starter.admin.desk import Desk
from starter.reception.intake import make_intake
from starter.web import create_app
from tests.cases import new_case
from tests.postgresql import Server, programs

STATUSES = ("received", "open", "referred", "answering", "answered", "closed")
AREAS = ("cx", "payments", "compliance", "security", "treasury")
WORDS = ("retiro", "comisión", "tarjeta", "bloqueo", "depósito", "identidad", "cambio", "demora")
BATCH = 1_000
TERM = timedelta(days=45)


async def due_list(folder: Path, *, count: int, requests: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure on both databases: milliseconds by way to ask, and the worst of all."""
    found: dict[str, Any] = {}
    for name, url in places(folder):
        tell(f"the list among {count} inquiries on {name}")
        with url as address:
            found[name] = await _measure(folder, address, count, requests)
    return found


async def _measure(folder: Path, url: str, count: int, requests: int) -> dict[str, Any]:
    settings = Settings.model_validate({"var": folder, "records_url": url})
    database = Database(url)
    secret = _fill(database, count)
    policy = load_policy(settings.policy)
    os.environ.update(UNLIMITED)
    app = create_app(settings)
    # Temporal is not asked for a list, so none runs.
    client = await connect(settings, lazy=True)
    intake = make_intake(settings, policy, database, now)
    app.state.desk = Desk(settings, policy, database, client, intake, now, lambda: None)
    watch, ways, every = Meter(), {}, []
    headers = {"Authorization": f"Bearer {secret}"}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://bench", headers=headers) as http:
        for way, query in _ways(await _cursor(http)):
            took = [await _ask(http, query) for _ in range(requests + 1)][1:]
            ways[way] = percentiles(took)
            every += took
    database.close()
    return {"ways": ways, "all_ms": percentiles(every), "foreign_percent": watch.read().foreign_percent}


async def _cursor(http: AsyncClient) -> str:
    """Return a place in the middle of the list."""
    cursor = ""
    for _ in range(20):
        page = (
            await http.get("/api/inquiries", params={"limit": "200", **({"cursor": cursor} if cursor else {})})
        ).json()
        cursor = page["next_cursor"] or cursor
    return cursor


async def _ask(http: AsyncClient, query: dict[str, str]) -> float:
    begun = time.perf_counter()
    answer = await http.get("/api/inquiries", params=query)
    took = (time.perf_counter() - begun) * 1000
    answer.raise_for_status()
    return took


def _ways(cursor: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every way to ask: the whole, a deep page, a long page, words of three kinds, each filter alone and in pairs."""
    soon = (now() + timedelta(days=3)).date().isoformat()
    filters = {
        "status": "answering",
        "kind": "complaint",
        "channel": "telegram",
        "area": "treasury",
        "owner": "agent-3",
        "due_before": soon,
        "follow_up_before": soon,
        "text": "comisión",
        "cursor": cursor,
    }
    yield "nothing", {}
    yield "200 at once", {"limit": "200"}
    yield "text that nobody wrote", {"text": "zzzz"}
    yield "text that one wrote", {"text": "rx-l00042"}
    for name, value in filters.items():
        yield name, {name: value}
    for one, other in combinations(filters, 2):
        yield f"{one} and {other}", {one: filters[one], other: filters[other]}


def _fill(database: Database, count: int) -> str:
    """Put inquiries of all sorts into the records, and return an agent's key."""
    chooser = random.Random(7)
    with database.write() as session:
        cases.add(session, new_case(), subject="", excerpt="", status_token="t")  # noqa: S106  nobody's
        like = session.exec(select(CaseRow).where(col(CaseRow.subject) == "")).one().model_dump()
        for first in range(0, count, BATCH):
            rows = [_row(like, n, chooser) for n in range(first, min(first + BATCH, count))]
            session.connection().execute(insert(CaseRow), rows)
        secret = keys.create(session, "agent-1", Role.AGENT, now())
    if database.engine.dialect.name == "postgresql":
        # What the server does by itself within a minute.
        with database.engine.connect() as alone:
            alone.execution_options(isolation_level="AUTOCOMMIT", plazo_writes=False).exec_driver_sql("ANALYZE")
    return secret


def _row(like: dict[str, Any], n: int, chooser: random.Random) -> dict[str, Any]:
    status = chooser.choice(STATUSES)
    due = None if status in {"answered", "closed"} else now() + chooser.random() * TERM
    reference, subject = f"RX-L{n:05}", " ".join(chooser.sample(WORDS, 3))
    excerpt = " ".join(chooser.choice(WORDS) for _ in range(24))[: cases.EXCERPT]
    return {
        **like,
        "reference": reference,
        "status": status,
        "kind": chooser.choice(("complaint", "complaint", "inquiry")),
        "channel": chooser.choice(("email", "email", "web", "telegram", "x", "chat")),
        "area": chooser.choice(AREAS),
        "owner": f"agent-{chooser.randrange(20)}",
        "next_due_at": due,
        "due_order": due or FAR,
        "follow_up_at": now() + chooser.random() * TERM if n % 7 == 0 else None,
        "subject": subject,
        "excerpt": excerpt,
        "search": f"{reference} {subject} {excerpt}".casefold(),
    }


def places(folder: Path) -> Iterator[tuple[str, AbstractContextManager[str]]]:
    """Each database by name, and a context that makes it, migrated, and gives its address."""
    yield "SQLite", _file(folder)
    if programs() is not None:
        yield "PostgreSQL", _server()


@contextmanager
def _file(folder: Path) -> Iterator[str]:
    url = f"sqlite:///{folder / 'list.db'}"
    upgrade(url)
    yield url


@contextmanager
def _server() -> Iterator[str]:
    server = Server()
    try:
        url = server.address(server.create())
        upgrade(url)
        yield url
    finally:
        server.stop()
