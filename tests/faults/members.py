"""One process of a town through all its lives: kept alive as the house keeps it, killed, stopped, frozen, changed."""

import asyncio
import signal
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from settings import HOUSE
from starter.collector import LAST_ROUND
from starter.house.supervisor import Child
from starter.house.tether import kill_group, tied

AT_WORK = {"worker": b"the worker works", "worker2": b"the worker works", "collector": b"collector.collects"}
"""What those log that listen on no port, once they are at work."""

PAUSE = 0.2
"""Seconds from a death to the next start."""

LOOK = 0.02
ASK = 0.1
GRACE = LAST_ROUND + 10
"""Seconds between two looks whether it ended, between two questions whether it is ready, and that its end may take.

The collector's is the longest.
"""


class Member:
    """Runs while it is wanted. Its keeper belongs to the event loop in which it is wanted first."""

    def __init__(self, child: Child, logs: Path, environment: Mapping[str, str]) -> None:
        """`environment`: all of it but what the child brings itself."""
        self.child = self._first = child
        self._environment = environment
        self.log = logs / f"{child.name}.log"
        self._begun = 0
        """Where in its log the present life begins."""
        self._wanted = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self._at_work: subprocess.Popen[bytes] | None = None
        """The life that has said so."""
        self.ends: Counter[int] = Counter()
        """How its lives ended: exit codes, negative for signals."""

    async def up(self, seconds: float) -> None:
        """Keep it running from now on, and wait until it is ready. Raises TimeoutError."""
        self._keeper = self._keeper or asyncio.create_task(self._keep(), name=self.child.name)
        self._wanted.set()
        async with asyncio.timeout(seconds):
            await self.ready()

    async def ready(self) -> None:
        """Wait until it runs and has said in its present life that it is ready."""
        while (process := self.process) is None or process is not self._at_work:
            if process is not None and await self._says_ready(process.pid):
                self._at_work = process
            else:
                await asyncio.sleep(ASK)

    async def _says_ready(self, pid: int) -> bool:
        if sign := AT_WORK.get(self.child.name):
            # Cheaper than to ask Temporal, which takes a process of its own each time.
            return sign in self.log.read_bytes()[self._begun :]
        return await self.child.ready(pid)

    def kill(self) -> None:
        """SIGKILL; it is started again after a pause."""
        if self.process is not None:
            kill_group(self.process.pid)

    async def down(self, number: signal.Signals) -> int:
        """End it for good by a signal and return its exit code. Raises TimeoutError."""
        self._wanted.clear()
        process = self.process
        assert process is not None
        process.send_signal(number)
        async with asyncio.timeout(GRACE):
            while self.process is process:
                await asyncio.sleep(LOOK)
        return process.returncode

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal under which it goes on living."""
        assert self.process is not None
        self.process.send_signal(number)

    def change(self, *command: str, **environment: str) -> None:
        """From its next start on it is another program, where one is named, in a changed environment."""
        self.child = replace(
            self.child,
            command=command or self.child.command,
            environment={**self.child.environment, **environment},
        )

    def restore(self) -> None:
        """From its next start on it is again what it was at first."""
        self.child = self._first

    async def leave(self) -> None:
        """End it and whoever keeps it."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self.process is not None:
            kill_group(self.process.pid)
            self.process.wait()

    async def _keep(self) -> None:
        while True:
            await self._wanted.wait()
            self.process = process = self._start()
            while process.poll() is None:
                await asyncio.sleep(LOOK)
            kill_group(process.pid)
            self.ends[process.returncode] += 1
            self.process = None
            await asyncio.sleep(PAUSE)

    def _start(self) -> subprocess.Popen[bytes]:
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self._begun = log.tell()
            return subprocess.Popen(
                tied(self.child.command),
                cwd=HOUSE,
                env={**self._environment, **self.child.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
