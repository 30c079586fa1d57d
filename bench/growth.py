"""How costs grow with what is open: the same questions among 1,000, 10,000 and 100,000 open inquiries.

On SQLite, and on PostgreSQL where it is installed, over HTTP to a web process as it is shipped, one question at a time.
The engine is away meanwhile, so that nothing but the records is measured; what inquiries cost in the engine is the part
`open`.
"""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2

from bench.due_list import places
from bench.intake import VARIABLES
from bench.load import AGENT
from bench.meter import Meter
from bench.open_cases import percentiles
from bench.rates import now
from bench.seeding import SYLLABLES, Seeding, forms
from bench.stage import Resident, Server, Site
from metrics import House, exposition
from models.policy_reading import load_policy
from records import keys
from records.database import Database

WARM = 5
LATER = timedelta(days=10)
SCRAPES = 10
Tell = Callable[[str], None]
Query = dict[str, str]


async def growth(folder: Path, *, sizes: Sequence[int], asked: int, tell: Tell) -> dict[str, Any]:
    """Measure on both databases: by size milliseconds of each way to ask, megabytes of the process, KB a case."""
    found: dict[str, Any] = {}
    folder = folder / "growth"
    folder.mkdir()
    for name, made in reversed(list(places(folder))):
        with made as url, Site(Server(folder), name.lower(), VARIABLES, url) as site:
            async with _Opened.at(site, tell) as opened:
                found[name] = {}
                for size in sizes:
                    tell(f"{size:,} open inquiries on {name}")
                    opened.seeding.grow(size)
                    opened.seeding.settle()
                    found[name][str(size)] = await opened.measure(size, asked)
    return found


class _Opened:
    """One house with its web process running."""

    def __init__(self, site: Site, database: Database, tell: Tell, web: Resident, http: httpx2.AsyncClient) -> None:
        self._site, self._database, self._web, self._http = site, database, web, http
        self.seeding = Seeding(site.settings, database, tell)
        self._empty = self.seeding.stored_bytes()
        self._chance, self._cursor = random.Random(11), ""

    @classmethod
    @asynccontextmanager
    async def at(cls, site: Site, tell: Tell) -> AsyncIterator["_Opened"]:
        """Start the web process and ask as an agent."""
        database, web = Database(site.settings.records_url), await site.web()
        with database.write() as session:
            secret = keys.create(session, AGENT.id, AGENT.role, now())
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx2.AsyncClient(
            base_url=site.settings.web_url, headers=headers, trust_env=False, timeout=60
        ) as http:
            yield cls(site, database, tell, web, http)
        database.close()

    async def measure(self, size: int, asked: int) -> dict[str, Any]:
        """Ask everything so often; what the process holds before and after."""
        each = (self.seeding.stored_bytes() - self._empty) / size / 1024
        await self._asked(dict, WARM)
        before, watch, found = self._web.memory(), Meter(web=self._web), dict[str, Any]()
        for cost, ways in self._questions().items():
            taken = {way: await self._asked(ask, asked) for way, ask in ways.items()}
            found[f"{cost}_ms"] = percentiles([one for times in taken.values() for one in times])
            found[f"{cost}_ways_ms"] = {way: percentiles(times) for way, times in taken.items()}
        found["case_ms"] = await self._timed(self._a_case, asked)
        written = iter(forms(self.seeding, asked + WARM, size))
        found["store_ms"] = await self._timed(lambda: self._a_form(next(written)), asked)
        found["scrape_ms"] = self._scrapes()
        reading = watch.read()
        return found | {
            "web_mb_before": round(before / 1024**2, 1),
            "web_mb": round(self._web.memory() / 1024**2, 1),
            "records_kb_each": round(each, 1),
            "foreign_percent": reading.foreign_percent,
        }

    def _questions(self) -> dict[str, dict[str, Callable[[], Query]]]:
        """What the list is asked for. A rare word is in one inquiry of some hundreds, a reference is one's own."""
        areas, soon = self.seeding.areas, (now() + LATER).date().isoformat()

        def rare() -> str:
            return "".join(self._chance.choices(SYLLABLES, k=3))

        def reference() -> str:
            return self._chance.choice(self.seeding.references)

        return {
            "due_list": {
                "first page": dict,
                "next pages": lambda: {"cursor": self._cursor} if self._cursor else {},
                "status": lambda: {"status": "open"},
                "status that is rare": lambda: {"status": "received"},
                "status that none has": lambda: {"status": "referred"},
                "area": lambda: {"area": self._chance.choice(areas)},
                "owner": lambda: {"owner": f"agent-{self._chance.randrange(20)}"},
                "area and owner": lambda: {"area": areas[0], "owner": "agent-7"},
                "channel that none has": lambda: {"channel": "telegram"},
                "kind, due later": lambda: {"kind": "complaint", "due_before": soon},
                "cause that none has": lambda: {"cause": "withdrawal.delayed"},
            },
            "search": {
                "a word that many wrote": lambda: {"text": "comisión"},
                "a word that few wrote": lambda: {"text": rare()},
                "a part of such a word": lambda: {"text": rare()[1:-1] + " "},
                "two words": lambda: {"text": f"{rare()} cuenta"},
                "a reference": lambda: {"text": reference()},
                "a part of a reference": lambda: {"text": reference()[3:9].lower()},
                "what nobody wrote": lambda: {"text": f"{rare()}kkk"},
                "a word, and a status": lambda: {"text": rare(), "status": "open"},
                "a word, and an owner": lambda: {"text": "retiro", "owner": f"agent-{self._chance.randrange(20)}"},
                "two letters that nobody wrote": lambda: {"text": "kk"},
            },
        }

    async def _asked(self, ask: Callable[[], Query], count: int) -> list[float]:
        taken = []
        for _ in range(count):
            query = {"limit": "50", **ask()}
            begun = time.perf_counter()
            answer = await self._http.get("/api/inquiries", params=query)
            taken.append(1000 * (time.perf_counter() - begun))
            self._cursor = answer.raise_for_status().json()["next_cursor"] or ""
        return taken

    async def _timed(self, do: Callable[[], Awaitable[httpx2.Response]], count: int) -> dict[str, float]:
        taken = []
        for _ in range(count + WARM):
            begun = time.perf_counter()
            (await do()).raise_for_status()
            taken.append(1000 * (time.perf_counter() - begun))
        return percentiles(taken[WARM:])

    async def _a_case(self) -> httpx2.Response:
        return await self._http.get(f"/api/inquiries/{self._chance.choice(self.seeding.references)}")

    async def _a_form(self, form: dict[str, Any]) -> httpx2.Response:
        return await self._http.post("/intake/web", json=form, headers={"Idempotency-Key": form["email"]})

    def _scrapes(self) -> dict[str, float]:
        """Read the gauges as the web process does for a scrape, each time anew."""
        far = iter(range(0, 10**6, 3600))
        house = House(self._database, load_policy(self._site.settings.policy), now, lambda: float(next(far)))
        taken = []
        for _ in range(SCRAPES):
            begun = time.perf_counter()
            exposition(house)
            taken.append(1000 * (time.perf_counter() - begun))
        return percentiles(taken)
