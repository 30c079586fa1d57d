"""The final answer to cases that no worker has in memory: after weeks each of them is one, and is replayed first.

What counts is the command and its answer, draft and draft's row included; the letter leaves a minute later, when it can
no longer be taken back, as the operator's policy has it. Beside it stands the same for cases that are in memory.
"""

from typing import Any

from bench.meter import Meter
from bench.rates import Desk, Rate, crowd, desk
from bench.stage import Resident, Server, Site

UNDO = 3600
"""Seconds that the letters wait, which is longer than all this takes."""

LOADED = 30
"""Cases that are answered first in each worker, so that what it loads once is loaded."""

WINDOW_DAYS = 10


async def cold(server: Server, engine: Resident, *, count: int) -> dict[str, Any]:
    """Final answers a second to `count` cases in memory, and to as many after the worker was started anew."""
    with Site(server, "cold") as site:
        await site.mailroom()
        async with desk(site) as here:
            first = await site.worker()
            warm = await here.opened(LOADED + count, WINDOW_DAYS, first, undo=UNDO)
            late = await here.opened(LOADED + count, WINDOW_DAYS, first, undo=UNDO)
            in_memory = await _answered(here, warm, Meter(server=engine, worker=first))
            first.stop()
            second = await site.worker()
            replayed = await _answered(here, late, Meter(server=engine, worker=second))
    return {"warm": in_memory.told(), "cold": replayed.told()}


async def _answered(here: Desk, references: list[str], watch: Meter) -> Rate:
    await crowd(here.resolve, references[:LOADED])
    watch.begin()
    await crowd(here.resolve, references[LOADED:])
    return Rate(len(references) - LOADED, watch.read())
