"""The stage: real processes on free ports in a folder of their own, watched from outside through /proc.

One Temporal server serves the whole run. A `Site` is one installation of Plazo on it: its own folder, records database
and task queue, with the processes that a measurement wants. Everything is stopped at the end, and dies with the run.
"""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from engine import connect
from models.search import cli_arguments
from records.migrate import upgrade
from settings import HOUSE, Settings
from starter.house.residents import temporal_program
from starter.house.tether import kill_group, tied

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PLAIN = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""The environment of all processes: with bytecode on disk, as Python does unless told otherwise."""

UNLIMITED = {"PLAZO_EDGE_CALLS_PER_MINUTE": "1000000000"}
"""One key asks as often as it can here."""

PATIENCE = 60.0
"""Seconds that a process gets to start or to stop."""


class Resident:
    """One process of the run, its output in a file."""

    def __init__(self, name: str, command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self.name, self._log = name, log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                tied(command),
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd=HOUSE,
                env={**PLAIN, **(environment or {})},
            )

    def cpu(self) -> float:
        """Seconds of processor time used so far, user and system, all threads."""
        after_name = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / TICKS

    def memory(self) -> int:
        """Resident bytes."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE

    def check(self) -> None:
        """Raise RuntimeError with its last words when it has died."""
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} died: {self._log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """End it; nothing happens where it has ended."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            kill_group(self.process.pid)
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        self.stop()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """The development server: a file database, WAL, synchronous=NORMAL."""

    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        """Its file."""
        return self.folder / "temporal.db"

    def start(self) -> Resident:
        """Start it; ready once somebody can connect."""
        command = [str(temporal_program()), "server", "start-dev", "--headless", "--ip", "127.0.0.1"]
        command += ["--port", str(self.port), "--log-level", "error", "--db-filename", str(self.database)]
        command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
        for attribute in cli_arguments():
            command += ["--search-attribute", attribute]
        return Resident("server", command, self.folder / "server.log")

    def stored_bytes(self) -> int:
        """Bytes in use in its database, what stands in the write-ahead log included."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            pages, free, size = (
                database.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)


class Site:
    """One installation: settings, a migrated database, and the processes started so far (a context)."""

    def __init__(
        self, server: Server, name: str, variables: dict[str, str] | None = None, records: str | None = None
    ) -> None:
        """`records` is where its records lie, in its folder unless said otherwise."""
        self._variables = (variables or {}) | ({"PLAZO_RECORDS_URL": records} if records else {})
        self.folder = server.folder / name
        self.folder.mkdir()
        self.settings = Settings(
            var=self.folder,
            temporal=server.address,
            namespace="default",
            task_queue=f"plazo-{name}",
            web_port=free_port(),
            mailroom_port=free_port(),
        )
        if records:
            self.settings = self.settings.model_copy(update={"records_url": records})
        self.settings.key_ring()
        upgrade(self.settings.records_url)
        self._open = ExitStack()

    @property
    def environment(self) -> dict[str, str]:
        """The same settings for another process."""
        names = ("var", "temporal", "namespace", "task_queue", "web_port", "mailroom_port")
        same = {f"PLAZO_{name.upper()}": str(getattr(self.settings, name)) for name in names}
        return {**same, **UNLIMITED, **self._variables}

    def python(self, name: str, *arguments: str, **variables: str) -> Resident:
        """Start one of our programs, with what is different for it alone."""
        log, variables = self.folder / f"{name}.log", self.environment | variables
        return self._open.enter_context(Resident(name, [sys.executable, *arguments], log, variables))

    async def mailroom(self, *, events: bool = False) -> Resident:
        """The stand-in for SendGrid; with `events` it reports to the web process what becomes of letters."""
        port = self.settings.mailroom_port
        command = ["-m", "counterparts.mailroom", "--port", str(port), "--var", str(self.folder / "mailroom")]
        if events:
            command += ["--events-url", f"{self.settings.web_url}/intake/email/events"]
        resident = self.python("mailroom", *command)
        await until(lambda: answers(port), resident)
        return resident

    async def worker(self) -> Resident:
        """The worker as it is shipped."""
        resident = self.python("worker", "worker.py")
        await self.polled(self.settings.task_queue, resident)
        return resident

    async def web(self) -> Resident:
        """The web process as it is shipped."""
        return await self.another_web("web", self.settings.web_port)

    async def another_web(self, name: str, port: int) -> Resident:
        """A web process on a port of its own, on the same records."""
        resident = self.python(name, "-m", "starter.web", PLAZO_WEB_PORT=str(port))
        await until(lambda: answers(port), resident)
        return resident

    async def polled(self, queue: str, resident: Resident) -> None:
        """Wait until somebody works on a queue."""
        client = await connect(self.settings)
        await until(lambda: polls(client, queue), resident)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        self._open.close()


async def until(condition: Callable[[], Awaitable[bool]], resident: Resident, patience: float = PATIENCE) -> None:
    """Wait for a condition that a process brings about. Raises TimeoutError, and RuntimeError when the process dies."""
    async with asyncio.timeout(patience):
        while not await condition():
            resident.check()
            await asyncio.sleep(0.05)


async def answers(port: int) -> bool:
    """Whether GET /healthz answers."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    return await asyncio.to_thread(ask)


async def polls(client: Client, queue: str) -> bool:
    """Whether a worker polls a task queue."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    return bool((await client.workflow_service.describe_task_queue(request)).pollers)


async def can_connect(address: str) -> bool:
    """Whether a Temporal server answers."""
    try:
        client = await Client.connect(address)
        return await client.service_client.check_health()
    except (RuntimeError, RPCError):
        return False
