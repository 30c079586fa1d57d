"""A town: everything `plazo run` starts, as real processes on free ports and a folder of its own, to be ill-treated.

It keeps its processes alive as the house does, with shorter pauses; `kill` is SIGKILL, `down` keeps a process away
until `up`. Its policy is a copy in which the wait for the provider's word is short. `variables` are settings of the
channels, for every process.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

from models.policy import Policy
from models.policy_reading import load_policy
from records.database import Database
from settings import HOUSE, Settings
from starter.house.residents import residents
from starter.house.run import prepare
from starter.house.supervisor import Child
from starter.house.tether import kill_group, tied
from tests.faults.ground import GATHERED_FOR, free_ports, short_policy

SLOWLY = 2
"""Seconds between two tries after a fault of our own account in a town."""

PAUSE = 0.2
"""Seconds from a death to the next start."""

AT_WORK = {"worker": b"the worker works", "worker2": b"the worker works", "collector": b"collector.collects"}
"""What those log that listen on no port, once they are at work."""

LOOK = 0.02
GRACE = 30.0


@dataclass
class Member:
    """One process of the town, through all its lives."""

    child: Child
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    process: subprocess.Popen[bytes] | None = None
    log: Path = Path()
    begun: int = 0
    """Where in its log the present life begins."""
    ends: Counter[int] = field(default_factory=Counter)
    """How its lives ended: exit codes, negative for signals."""


class Town:
    """The processes by name: temporal, mailroom, worker, web, collector."""

    def __init__(
        self,
        folder: Path,
        records_url: str,
        variables: Mapping[str, str] | None = None,
        *,
        gather: int = GATHERED_FOR,
        policy: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        """`policy`: whole numbers of the policy by name, as shipped and as wanted in this town."""
        self.folder, self._variables = folder, dict(variables or {})
        temporal, ui, web, mailroom = free_ports(4)
        self.settings = Settings(
            var=folder / "var",
            records_url=records_url,
            policy=short_policy(folder, gather, policy or {}),
            temporal_port=temporal,
            temporal_ui_port=ui,
            web_port=web,
            mailroom_port=mailroom,
            slow_retry=SLOWLY,
        )
        self.policy: Policy = load_policy(self.settings.policy)
        self.members = {child.name: Member(child) for child in residents(self.settings)}
        self._stack = AsyncExitStack()
        self._keepers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self.key = prepare(self.settings)
        self.database = Database(self.settings.records_url)
        self._stack.callback(self.database.close)
        self.web = await self._http(self.settings.web_url)
        self.mailroom = await self._http(f"http://127.0.0.1:{self.settings.mailroom_port}")
        self._stack.push_async_callback(self._stop)
        try:
            for name in list(self.members):
                await self.up(name)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def up(self, name: str, *, seconds: float = 120) -> None:
        """Keep a process running from now on, and wait until it is ready."""
        member = self.members[name]
        if not any(keeper.get_name() == name for keeper in self._keepers):
            self._keepers.append(asyncio.create_task(self._keep(member), name=name))
        member.wanted.set()
        async with asyncio.timeout(seconds):
            await self.ready(name)

    async def ready(self, name: str) -> None:
        """Wait until a process runs and is ready."""
        member = self.members[name]
        while True:
            process = member.process
            if process is not None and await self._says_ready(member, process.pid) and member.process is process:
                return
            await asyncio.sleep(0.1)

    async def _says_ready(self, member: Member, pid: int) -> bool:
        if sign := AT_WORK.get(member.child.name):
            # Cheaper than to ask Temporal, which takes a process of its own each time.
            return sign in member.log.read_bytes()[member.begun :]
        return await member.child.ready(pid)

    def kill(self, name: str) -> None:
        """SIGKILL; it is started again after a pause."""
        process = self.members[name].process
        if process is not None:
            kill_group(process.pid)

    async def down(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """End a process for good and return its exit code."""
        member = self.members[name]
        member.wanted.clear()
        process = member.process
        assert process is not None
        process.send_signal(number)
        async with asyncio.timeout(GRACE):
            while member.process is process:
                await asyncio.sleep(LOOK)
        return process.returncode

    def freeze(self, name: str) -> None:
        """SIGSTOP: the process is there, and does nothing until it is thawed."""
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """SIGCONT."""
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self.members[name].process
        assert process is not None
        process.send_signal(number)

    def change(self, name: str, *command: str, **environment: str) -> None:
        """From its next start on a process is another program, where one is named, in a changed environment."""
        member = self.members[name]
        member.child = replace(
            member.child,
            command=command or member.child.command,
            environment={**member.child.environment, **environment},
        )

    def restore(self, name: str) -> None:
        """From its next start on a process is again what it was at first."""
        member = self.members[name]
        member.child = next(child for child in residents(self.settings) if child.name == name)

    async def add_worker(self, **environment: str) -> None:
        """Start a second worker, or start it anew, in a changed environment."""
        twin = next(child for child in residents(self.settings) if child.name == "worker")
        child = replace(twin, name="worker2", environment={**twin.environment, **environment})
        self.members.setdefault("worker2", Member(child)).child = child
        await self.up("worker2")

    async def stop(self, name: str) -> int:
        """Ask a process to end for good, as a deploy does, and return its exit code."""
        return await self.down(name, signal.SIGTERM)

    async def add_web(self) -> str:
        """Start a second web process on the same records, and return its address."""
        (port,) = free_ports(1)
        first = self.members["web"].child
        settings = self.settings.model_copy(update={"web_port": port})
        twin = next(child for child in residents(settings) if child.name == "web")
        environment = {**first.environment, "PLAZO_WEB_PORT": str(port)}
        self.members["web2"] = Member(replace(twin, name="web2", environment=environment))
        await self.up("web2")
        return f"http://127.0.0.1:{port}"

    async def fault(self, kind: str, **details: object) -> None:
        """Make the mailroom suffer a fault."""
        (await self.mailroom.post("/api/faults", json={"kind": kind, **details})).raise_for_status()

    async def well(self) -> None:
        """Take all the mailroom's faults away."""
        (await self.mailroom.delete("/api/faults")).raise_for_status()

    async def _keep(self, member: Member) -> None:
        while True:
            await member.wanted.wait()
            process = self._start(member)
            member.process = process
            while process.poll() is None:
                await asyncio.sleep(LOOK)
            kill_group(process.pid)
            member.ends[process.returncode] += 1
            member.process = None
            await asyncio.sleep(PAUSE)

    async def plazo(self, *arguments: str) -> tuple[int, bytes]:
        """Run a command of the command line; its exit code, and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "starter.cli", *arguments),
            cwd=HOUSE,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, printed

    @property
    def _environment(self) -> dict[str, str]:
        settings = self.settings
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PLAZO_", "TEMPORAL_"))},
            "PLAZO_VAR": str(settings.var),
            "PLAZO_RECORDS_URL": settings.records_url,
            "PLAZO_POLICY": str(settings.policy),
            "PLAZO_WEB_PORT": str(settings.web_port),
            "PLAZO_MAILROOM_PORT": str(settings.mailroom_port),
            "PLAZO_TEMPORAL": settings.temporal_address,
            "PLAZO_SLOW_RETRY": str(settings.slow_retry),
            # Everybody who fills the form in comes from one address here.
            "PLAZO_FORMS_PER_MINUTE": "100000",
            **self._variables,
        }

    def _start(self, member: Member) -> subprocess.Popen[bytes]:
        child = member.child
        member.log = self.settings.var / "log" / f"{child.name}.log"
        member.log.parent.mkdir(exist_ok=True)
        with member.log.open("ab") as log:
            member.begun = log.tell()
            return subprocess.Popen(
                tied(child.command),
                cwd=HOUSE,
                env={**self._environment, **child.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _http(self, url: str) -> httpx2.AsyncClient:
        limits = httpx2.Limits(max_connections=200)
        return await self._stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=30, limits=limits))

    async def _stop(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for member in reversed(self.members.values()):
            if member.process is not None:
                kill_group(member.process.pid)
                member.process.wait()


@asynccontextmanager
async def town(
    folder: Path,
    records_url: str,
    variables: Mapping[str, str] | None = None,
    *,
    gather: int = GATHERED_FOR,
    policy: Mapping[str, tuple[int, int]] | None = None,
) -> AsyncIterator[Town]:
    """A town that is up; all of it is gone afterwards but the records."""
    async with Town(folder, records_url, variables, gather=gather, policy=policy) as made:
        yield made
