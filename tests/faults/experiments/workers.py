"""Workers that die, are away, or get little memory: experiments 2, 25 and 26."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2

from tests.faults.experiments.stage import Guest, Stage, p99, slowest, timed
from tests.faults.findings import Findings

MEMORY = 512 * 1024 * 1024
CACHED = 1000
"""Cases that a worker keeps in memory at most: the SDK's own default, which is shipped."""

GROUPS = (("memory/plazo-faults", "memory.limit_in_bytes"), ("plazo-faults", "memory.max"))
"""A control group of our own and the file that limits its memory, in the older and the newer form of the kernel's."""


async def dies_with_cases_in_memory(stage: Stage) -> Findings:
    """One of two workers dies; the cases that it held in memory are asked for something at once."""
    await stage.town.add_worker()
    guests = await stage.open(stage.count(200))
    await stage.rest()
    await stage.town.down("worker2")
    answered = await stage.noted(guests, "sticky")
    return Findings({"cases": len(guests), "slowest command s": slowest(answered)})


async def flood_without_a_worker(stage: Stage) -> Findings:
    """People write and nobody works; then somebody does."""
    await stage.town.stop("worker")
    known: list[float] = []
    asking = asyncio.create_task(_ask(stage, known))
    guests: list[Guest] = []

    async def write() -> None:
        guests.extend(await stage.open(stage.count(3000), at_once=100))

    writing = await timed(write)
    asking.cancel()
    handing_over = await timed(stage.handed_over)
    await stage.town.up("worker")
    draining = await timed(stage.rest)
    return Findings(
        {
            "messages": len(guests),
            "a second": round(len(guests) / writing, 1),
            "p99 to the 2xx s": p99(guest.seconds for guest in guests),
            "list of inquiries p99 s": p99(known),
            "handed over after s": handing_over,
            "drained a second": round(len(guests) / draining, 1),
        }
    )


async def _ask(stage: Stage, known: list[float]) -> None:
    """Read the list of inquiries again and again, as a desk does."""
    headers = {"Authorization": f"Bearer {stage.town.key}"}

    async def read() -> httpx2.Response:
        return (await stage.town.web.get("/api/inquiries", headers=headers)).raise_for_status()

    while True:
        known.append(await timed(read))
        await asyncio.sleep(0.2)


async def little_memory(stage: Stage) -> Findings:
    """A worker that may use 512 MB wakes open cases: at full size twice as many as it keeps in memory."""
    worker = stage.town.members["worker"]
    await stage.town.stop("worker")
    await stage.town.up("worker")
    assert worker.process is not None
    pid, killed = worker.process.pid, worker.ends[-9]
    guests = [one for one in stage.load.people if isinstance(one, Guest) and not one.more["case.withdrawn"]]
    woken = guests[: stage.count(2 * CACHED)]
    with limited(pid) as limit:
        first = _resident(pid)
        for start in range(0, len(woken), 50):
            await stage.noted(woken[start : start + 50], "memory")
        found = Findings(wrong=[] if worker.ends[-9] == killed else ["the kernel killed the worker"])
        last = _resident(pid)
    each = (last - first) / min(len(woken), CACHED)
    found.figures = {
        "limit MB": limit // 2**20,
        "cases woken": len(woken),
        "RSS before MB": round(first / 2**20),
        "after": round(last / 2**20),
        "KB a case": round(each / 1024),
        f"reckoned for {CACHED} cases MB": round((first + each * CACHED) / 2**20),
    }
    return found


@contextmanager
def limited(pid: int) -> Iterator[int]:
    """Limit a process's memory while the block runs; yield the limit in bytes, 0 where we may set none."""
    folder = _grouped(pid)
    try:
        yield MEMORY if folder else 0
    finally:
        if folder:
            for one in (folder / "cgroup.procs").read_text().split():
                (folder.parent / "cgroup.procs").write_text(one)
            folder.rmdir()


def _grouped(pid: int) -> Path | None:
    """Put a process into a control group of its own with little memory, where the kernel and our rights allow it."""
    for group, file in GROUPS:
        folder = Path("/sys/fs/cgroup") / f"{group}-{os.getpid()}"
        with suppress(OSError):
            folder.mkdir()
            try:
                (folder / file).write_text(str(MEMORY))
                (folder / "cgroup.procs").write_text(str(pid))
            except OSError:
                folder.rmdir()
            else:
                return folder
    return None


def _resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
