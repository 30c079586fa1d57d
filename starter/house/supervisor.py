"""The supervisor: starts a list of children, restarts what dies, stops them in order, leaves nothing behind.

It knows nothing of Plazo: what to start is data (`Child`), so its tests bring their own children. Every child runs in
its own process group, without the terminal: Ctrl-C reaches the supervisor alone, which stops the children one after the
other, the last of the list first. Times are seconds on the monotonic clock.
"""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from starter.house.tether import Tether, kill_group, tied

LOG_LIMIT = 10 * 1024 * 1024  # bytes; a longer log is put aside as <name>.log.1 when its child starts
LOOK_EVERY = 0.5  # seconds between two looks at a child's log for lines worth showing
LINE_LIMIT = 300  # characters of such a line
IMPORTANT = re.compile(rb"(?<![\w.])(error|critical|fatal|panic)\b", re.IGNORECASE)  # not the logger uvicorn.error


async def at_once(_pid: int) -> bool:
    """The readiness of a child that is ready as soon as it runs."""
    return True


@dataclass(frozen=True)
class Child:
    """One program to keep running.

    `ready` is asked with its process id until it says yes, after every start; a child that `holds_back` lets the next
    ones start only then; `grace` is the time from SIGTERM to SIGKILL, in seconds.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    grace: float = 10.0
    holds_back: bool = False
    ready: Callable[[int], Awaitable[bool]] = at_once


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds.

    Before a restart: `first`, doubling up to `longest`; a child that lived for `forgive` starts again from `first`.
    Between two questions whether a child is ready: `ask`.
    """

    first: float = 0.5
    longest: float = 30.0
    forgive: float = 60.0
    ask: float = 0.1

    def pause(self, deaths: int) -> float:
        """The pause before the restart that follows this many deaths in a row (1 or more)."""
        return min(self.longest, self.first * 2.0 ** min(deaths - 1, 30))


class House:
    """Keeps the children running. `say` prints one line to the person at the terminal."""

    def __init__(
        self, children: Sequence[Child], logs: Path, say: Callable[[str], None], patience: Patience | None = None
    ) -> None:
        self._children = tuple(children)
        self._logs = logs
        self._say = say
        self._patience = patience or Patience()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._settled = False
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._ready = {child.name: asyncio.Event() for child in self._children}

    def stop(self) -> None:
        """Ask `run` to stop everything and return."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether it has been asked to stop."""
        return self._stop.is_set()

    @property
    def awaited(self) -> tuple[str, ...]:
        """The children that have not been ready yet."""
        return tuple(name for name, event in self._ready.items() if not event.is_set())

    async def run(self, settled: Callable[[], None]) -> None:
        """Start all, call `settled` once when every child has been ready, and keep them until `stop`.

        Whatever ends it, every child is stopped before it returns, the last of the list first.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        with Tether() as tether:
            opening = self._task(self._open(tether, settled))
            try:
                await self._stop.wait()
            finally:
                self._stop.set()
                opening.cancel()
                for child in reversed(self._children):
                    if child.name in self._keepers:
                        await self._end(child, self._keepers[child.name])
        if self._failure is not None:
            raise self._failure

    async def _open(self, tether: Tether, settled: Callable[[], None]) -> None:
        for child in self._children:
            self._keepers[child.name] = self._task(self._keep(child, tether))
            if child.holds_back:
                await self._ready[child.name].wait()
        for event in self._ready.values():
            await event.wait()
        self._settled = True
        settled()

    async def _keep(self, child: Child, tether: Tether) -> None:
        clock = asyncio.get_running_loop().time
        deaths = 0
        while not self._stop.is_set():
            born = clock()
            status, last_words = await self._live(child, tether)
            if self._stop.is_set():
                return
            deaths = 1 if clock() - born >= self._patience.forgive else deaths + 1
            pause = self._patience.pause(deaths)
            self._say(f"{child.name} {ending(status)}; starting it again in {pause:g} s (see {self._log(child)})")
            if status > 0 and last_words:
                self._say(f"{child.name} | {last_words}")
            await asyncio.sleep(pause)

    async def _live(self, child: Child, tether: Tether) -> tuple[int, str]:
        """One life of a child, from its start to the death of its whole group: its status and the last line it said."""
        path = self._log(child)
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as log:
            before = log.tell()
            process = await asyncio.create_subprocess_exec(
                *tied(child.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **child.environment},
            )
            tether.hold(process.pid)
        self._processes[child.name] = process
        companions = (self._task(self._await_ready(child, process.pid)), self._task(self._show(child, before)))
        try:
            return await process.wait(), last_line(path, before)
        finally:
            for companion in companions:
                companion.cancel()
            del self._processes[child.name]
            kill_group(process.pid)  # what the dead one left of its group
            tether.release(process.pid)

    async def _await_ready(self, child: Child, pid: int) -> None:
        while not await child.ready(pid):  # noqa: ASYNC110 -- another process cannot set an event of ours
            await asyncio.sleep(self._patience.ask)
        self._ready[child.name].set()
        if self._settled:
            self._say(f"{child.name} is back")

    async def _show(self, child: Child, before: int) -> None:
        """Print the important lines that the child writes to its log behind `before`, one a look."""
        with self._log(child).open("rb") as log:
            log.seek(before)
            while True:
                await asyncio.sleep(LOOK_EVERY)
                line = next((line for line in log.read().splitlines() if IMPORTANT.search(line)), None)
                if line is not None and not self._stop.is_set():
                    self._say(f"{child.name} | {readable(line)}")

    async def _end(self, child: Child, keeper: asyncio.Task[None]) -> None:
        process = self._processes.get(child.name)
        if process is None:  # it waits to be started again
            keeper.cancel()
        elif process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        done, _ = await asyncio.wait({keeper}, timeout=child.grace)
        if not done and process is not None:
            self._say(f"{child.name} did not stop within {child.grace:g} s and is killed")
            kill_group(process.pid)
            await asyncio.wait({keeper})

    def _task(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """A task whose failure, a mistake of this module, stops the house instead of passing unseen."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._notice)
        return task

    def _notice(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failure = self._failure or failure
            self._stop.set()

    def _log(self, child: Child) -> Path:
        return self._logs / f"{child.name}.log"


def ending(status: int) -> str:
    """A process's end in words: `ended with status 1`, `was killed (SIGKILL)`."""
    return f"ended with status {status}" if status >= 0 else f"was killed ({signal.Signals(-status).name})"


def last_line(path: Path, before: int) -> str:
    """The last line that a log holds behind the byte `before`, cut for the terminal; empty if there is none."""
    with path.open("rb") as log:
        log.seek(max(before, path.stat().st_size - 4096))
        lines = log.read().split(b"\n")
    return readable(next((line for line in reversed(lines) if line.strip()), b""))


def readable(line: bytes) -> str:
    """A child's line as the terminal shows it: decoded, trimmed and cut."""
    return line.decode(errors="replace").strip()[:LINE_LIMIT]
