"""A town: everything `plazo run` starts, as real processes on free ports and a folder of its own, to be ill-treated.

It keeps its processes alive as the house does, with shorter pauses; `kill` is SIGKILL, `down` keeps a process away
until `up`. Its policy is a copy in which the wait for the provider's word is short. `variables` are settings of the
channels, for every process.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
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
from tests.faults.ground import GATHERED_FOR, free_ports, short_policy
from tests.faults.members import Member
from tests.waiting import PATIENCE

SLOWLY = 2
"""Seconds between two tries after a fault of our own account in a town."""


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
        self.members = {child.name: self._member(child) for child in residents(self.settings)}
        self._stack = AsyncExitStack()

    def _member(self, child: Child) -> Member:
        return Member(child, self.settings.var / "log", self._environment)

    async def __aenter__(self) -> Self:
        self.key = prepare(self.settings)
        self.database = Database(self.settings.records_url)
        self._stack.callback(self.database.close)
        self.web = await self._http(self.settings.web_url)
        self.mailroom = await self._http(f"http://127.0.0.1:{self.settings.mailroom_port}")
        self._stack.push_async_callback(self._leave)
        try:
            await self.up("temporal")
            # The others wait for it, each in its own way.
            await asyncio.gather(*(self.up(name) for name in self.members))
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def up(self, name: str, *, seconds: float = PATIENCE) -> None:
        """Keep a process running from now on, and wait until it is ready."""
        await self.members[name].up(seconds)

    async def ready(self, name: str) -> None:
        """Wait until a process runs and is ready."""
        await self.members[name].ready()

    def kill(self, name: str) -> None:
        """SIGKILL; it is started again after a pause."""
        self.members[name].kill()

    async def down(self, name: str) -> int:
        """SIGKILL a process for good and return its exit code."""
        return await self.members[name].down(signal.SIGKILL)

    async def stop(self, name: str) -> int:
        """Ask a process to end for good, as a deploy does, and return its exit code."""
        return await self.members[name].down(signal.SIGTERM)

    def freeze(self, name: str) -> None:
        """SIGSTOP: the process is there, and does nothing until it is thawed."""
        self.members[name].signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """SIGCONT."""
        self.members[name].signal(signal.SIGCONT)

    def change(self, name: str, *command: str, **environment: str) -> None:
        """From its next start on a process is another program, where one is named, in a changed environment."""
        self.members[name].change(*command, **environment)

    def restore(self, name: str) -> None:
        """From its next start on a process is again what it was at first."""
        self.members[name].restore()

    async def add_worker(self, **environment: str) -> None:
        """Start a second worker, or start it anew, in a changed environment."""
        twin = next(child for child in residents(self.settings) if child.name == "worker")
        second = self.members.setdefault("worker2", self._member(replace(twin, name="worker2")))
        second.restore()
        second.change(**environment)
        await self.up("worker2")

    async def add_web(self) -> str:
        """Start a second web process on the same records, and return its address."""
        (port,) = free_ports(1)
        first = self.members["web"].child
        settings = self.settings.model_copy(update={"web_port": port})
        twin = next(child for child in residents(settings) if child.name == "web")
        environment = {**first.environment, "PLAZO_WEB_PORT": str(port)}
        self.members["web2"] = self._member(replace(twin, name="web2", environment=environment))
        await self.up("web2")
        return f"http://127.0.0.1:{port}"

    async def fault(self, kind: str, **details: object) -> None:
        """Make the mailroom suffer a fault."""
        (await self.mailroom.post("/api/faults", json={"kind": kind, **details})).raise_for_status()

    async def well(self) -> None:
        """Take all the mailroom's faults away."""
        (await self.mailroom.delete("/api/faults")).raise_for_status()

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

    async def _http(self, url: str) -> httpx2.AsyncClient:
        limits = httpx2.Limits(max_connections=200)
        return await self._stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=30, limits=limits))

    async def _leave(self) -> None:
        for member in reversed(self.members.values()):
            await member.leave()


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
