"""Temporal killed, stopped, away across a deadline, its database locked or its disk full: 5, 6, 7, 10, 20."""

import asyncio
import errno
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.reference import workflow_id
from tests.faults.experiments.stage import AT_ONCE, Guest, Skipped, Stage, slowest, timed
from tests.faults.findings import Findings
from tests.faults.reading import told, until

AHEAD = timedelta(seconds=1)
"""How long before the deadline the server goes."""

PROMPT = 4
"""How much longer than to be opened and acknowledged the cases have until their deadline."""


async def killed_with_timers(stage: Stage) -> Findings:
    """Every open case waits on a timer; the server dies with all of them."""
    (guest,) = (await stage.open(stage.count(20)))[:1]
    await stage.rest()
    before = await _running(stage)
    await stage.town.down("temporal")
    up = await timed(lambda: stage.town.up("temporal"))
    (first,) = await stage.noted([guest], "after-the-kill")
    found = Findings({"timers": len(before), "up after s": up, "first command s": round(first, 2)})
    found.none("workflows that are gone", before - await _running(stage))
    return found


async def _running(stage: Stage) -> set[str]:
    listed = (await stage.client()).list_workflows("WorkflowType = 'Inquiry' AND ExecutionStatus = 'Running'")
    return {one.id async for one in listed}


async def away_across_a_deadline(stage: Stage) -> Findings:
    """A follow-up and a promise to the authority fall due in each case while the server is away."""
    begun = time.monotonic()
    guests = await stage.open(stage.count(200))
    await stage.rest()
    # Two commands and a letter each take longer than what each has lived through so far, on whatever machine.
    due = datetime.now(UTC) + AHEAD + PROMPT * timedelta(seconds=time.monotonic() - begun)
    gate = asyncio.Semaphore(AT_ONCE)

    async def promise(guest: Guest) -> None:
        async with gate:
            await stage.obeyed(guest, "follow_up", {"on": due.isoformat(), "note": "look again"}, key="deadline")
            body = {"text": "a review", "by": "authority", "answer_by": due.isoformat()}
            await stage.obeyed(guest, "appeal", body, key="deadline")
            guest.more["letter.accepted"] += 1

    await asyncio.gather(*(promise(guest) for guest in guests))
    await stage.rest()
    found = Findings()
    early = [guest.reference for guest in guests if _fired(stage, guest)]
    assert datetime.now(UTC) < due - AHEAD, "the machine is too slow for this deadline"
    await asyncio.sleep((due - AHEAD - datetime.now(UTC)).total_seconds())
    await stage.town.down("temporal")
    await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()) + stage.seconds(10))
    await stage.town.up("temporal")
    back = datetime.now(UTC)
    await until(lambda: all(len(_fired(stage, guest)) >= 2 for guest in guests), "every deadline is told")
    written = datetime.now(UTC) - back
    await stage.rest()
    late = [event.at - back for guest in guests for event in told(stage.town, guest.reference, "follow-up.due")]
    found.figures = {"deadlines": 2 * len(guests)}
    for what, seconds in (("first", min(late)), ("last", max(late)), ("all in the ledger", written)):
        found.figures[f"{what} s after it was back"] = round(seconds.total_seconds(), 2)
    found.none("told early", early)
    for guest in guests:
        moments = told(stage.town, guest.reference, "follow-up.due")
        found.none("told before their time", [event.at for event in moments if event.at < due])
        fired = sorted(_fired(stage, guest))
        found.expect(f"deadlines of {guest.reference}", fired, ["follow-up.due", "obligation.missed"])
    return found


def _fired(stage: Stage, guest: Guest) -> list[str]:
    return [
        event.type
        for type_ in ("follow-up.due", "obligation.missed")
        for event in told(stage.town, guest.reference, type_)
    ]


async def stopped(stage: Stage) -> Findings:
    """SIGSTOP: connections stay, and nobody answers."""
    known = (await stage.open(2))[0]
    await stage.rest()
    stage.town.freeze("temporal")
    try:
        found, command = await _meanwhile(stage, known, stage.seconds(30))
    finally:
        stage.town.thaw("temporal")
    return await _afterwards(stage, found, command)


async def locked(stage: Stage) -> Findings:
    """Another program writes in Temporal's database and does not come to an end."""
    known = (await stage.open(2))[0]
    await stage.rest()
    connection = sqlite3.connect(stage.town.settings.var / "temporal.db", isolation_level=None, timeout=30)
    try:
        connection.execute("BEGIN IMMEDIATE")
        found, command = await _meanwhile(stage, known, stage.seconds(15))
    finally:
        connection.close()
    return await _afterwards(stage, found, command)


async def _meanwhile(stage: Stage, known: Guest, seconds: float) -> tuple[Findings, asyncio.Task[list[float]]]:
    """For a while people write, and an agent commands something."""
    end = time.monotonic() + seconds
    command = asyncio.create_task(stage.noted([known], str(time.monotonic())))
    guests = await stage.open(stage.count(100))
    await asyncio.sleep(max(0.0, end - time.monotonic()))
    slow = slowest(guest.seconds for guest in guests)
    return Findings({"messages meanwhile": len(guests), "slowest to its 2xx s": slow}), command


async def _afterwards(stage: Stage, found: Findings, command: asyncio.Task[list[float]]) -> Findings:
    found.figures["at rest after s"] = await timed(stage.rest)
    found.figures["the command took s"] = slowest(await command)
    return found


async def disk_full(stage: Stage) -> Findings:
    """The disk of both databases is full; then somebody makes room."""
    if stage.small is None:
        raise Skipped(stage.why_no_disk)
    (known,) = (await stage.open(2))[:1]
    await stage.rest()
    ballast = stage.small / "ballast"
    _fill(ballast)
    taken = stage.load.unanswered
    writing = asyncio.create_task(stage.open(stage.count(200)))
    command = asyncio.create_task(stage.noted([known], "disk"))
    await asyncio.sleep(max(3.0, stage.seconds(60)))
    refused = stage.load.unanswered - taken
    ballast.unlink()
    room = time.monotonic()
    guests = await writing
    answered = time.monotonic() - room
    await command
    found = Findings({"messages": len(guests), "posts told to come again": refused})
    found.figures |= {"all taken after s": round(answered, 2), "at rest after s": await timed(stage.rest)}
    running = await _running(stage)
    found.none("workflows that are gone", {workflow_id(one.reference) for one in (known, *guests)} - running)
    return found


def _fill(file: Path) -> None:
    """Write until the disk takes nothing more."""
    with file.open("wb", buffering=0) as ballast:
        for size in (2**20, 2**12):
            try:
                while ballast.write(b"\0" * size) == size:
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
