"""The web process as it really runs: started, killed, stopped, while Temporal comes and goes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from temporalio.client import Client

from channels.tokens import reply_token
from engine import connect
from models.reference import workflow_id
from records import cases, dispatches
from records.database import Database
from settings import Settings
from tests.starter.conftest import TemporalServer, free_port
from tests.starter.mailbag import HEADERS, mail, post
from tests.waiting import PATIENCE

SECRET = b"development"


class WebProcess:
    """`python -m starter.web` on a free port."""

    def __init__(self, folder: Path, records_url: str, temporal: TemporalServer) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "web.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PLAZO_", "TEMPORAL_"))},
            "PLAZO_VAR": str(folder),
            "PLAZO_RECORDS_URL": records_url,
            "PLAZO_TEMPORAL": temporal.address,
            "PLAZO_WEB_PORT": str(self.port),
        }
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "starter.web"], env=self._environment, stdout=log, stderr=log
            )
        async with asyncio.timeout(PATIENCE), httpx2.AsyncClient(base_url=self.url) as http:
            while True:
                assert self.process.poll() is None, self.log.read_text()
                try:
                    if (await http.get("/healthz")).status_code == 200:
                        return
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)


@pytest.fixture
def temporal_away(tmp_path: Path) -> Iterator[TemporalServer]:
    """A server that is not running yet."""
    server = TemporalServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def web(tmp_path: Path, records_url: str, temporal_away: TemporalServer) -> Iterator[WebProcess]:
    made = WebProcess(tmp_path, records_url, temporal_away)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.end(signal.SIGKILL)


async def take(http: httpx2.AsyncClient, n: int, to: str = "help@example.org") -> str:
    sender = f"p{n}@example.org"
    raw = mail(n, sender=sender)
    response = await http.post("/intake/email/inbound", content=post(raw, to=to), headers=HEADERS)
    assert response.status_code == 200
    return str(response.json()["messages"][0]["reference"])


async def test_killed_in_the_middle_nothing_that_got_its_2xx_is_lost(
    web: WebProcess, temporal_away: TemporalServer, records_url: str, tmp_path: Path
) -> None:
    await web.start()
    taken: set[str] = set()

    async def send(http: httpx2.AsyncClient) -> None:
        for n in range(1000):
            taken.add(await take(http, n))

    async with httpx2.AsyncClient(base_url=web.url, timeout=PATIENCE) as http:
        sending = asyncio.create_task(send(http))
        while len(taken) < 10:
            await asyncio.sleep(0.01)
        temporal_away.start()
        while len(taken) < 25:
            await asyncio.sleep(0.01)
        assert web.end(signal.SIGKILL) == -signal.SIGKILL
        with pytest.raises(httpx2.TransportError):
            await sending
    await web.start()
    client = await connect(Settings(var=tmp_path, temporal=temporal_away.address))
    database = Database(records_url)
    async with asyncio.timeout(PATIENCE):
        while waiting(database):
            await asyncio.sleep(0.1)
    with database.read() as session:
        stored = set(cases.open_references(session))
    database.close()
    assert taken <= stored
    assert len(stored - taken) <= 1, "at most the one that was under way"
    assert {one for one in stored if await runs(client, one)} == stored
    assert web.end(signal.SIGTERM) == 0


async def test_it_starts_without_temporal_takes_in_and_stops_when_told(
    web: WebProcess, records_url: str, temporal_away: TemporalServer
) -> None:
    await web.start()
    async with httpx2.AsyncClient(base_url=web.url, timeout=PATIENCE) as http:
        reference = await take(http, 1)
        token = reply_token(SECRET, reference)
        assert await take(http, 2, to=f"help+{token}@reply.example.org") == reference
        assert (await http.get("/readyz")).json() == {
            "database": "ok",
            "migrations": "ok",
            "keys": "ok",
            "temporal": "away",
        }
    assert web.end(signal.SIGTERM) == 0
    written = web.log.read_text()
    assert reference in written
    assert "p1@example.org" not in written
    assert token not in written
    database = Database(records_url)
    assert waiting(database) == 2
    database.close()


async def test_a_mail_of_31_mb_costs_two_copies_of_it_at_most(web: WebProcess) -> None:
    await web.start()
    assert web.process is not None
    async with httpx2.AsyncClient(base_url=web.url, timeout=PATIENCE) as http:
        await take(http, 1)
        before = peak(web.process.pid)
        raw = mail(2) + b"\r\n" + b"x" * 31_000_000
        response = await http.post("/intake/email/inbound", content=post(raw), headers=HEADERS)
    assert response.json()["messages"][0]["new"] is True
    assert peak(web.process.pid) - before < 64 * 1024


def peak(pid: int) -> int:
    """The most memory (kB) that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def waiting(database: Database) -> int:
    with database.read() as session:
        return dispatches.waiting(session).total


async def runs(client: Client, reference: str) -> bool:
    description = await client.get_workflow_handle(workflow_id(reference)).describe()
    return description.workflow_type == "Inquiry"
