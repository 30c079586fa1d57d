"""One trial: a town under load, seeded kills, quiet, and the comparison of everything with everything."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.faults.findings import Findings, inspect, intact, quiet
from tests.faults.kills import VICTIMS, kill_in_turn, schedule
from tests.faults.senders import Load
from tests.faults.town import town

DRAIN = 180.0
"""Seconds that nothing may move before everything is at rest: a step whose worker died is tried again after 30."""

CATCH_UP = 10
"""Seconds that the projections may be behind the engine after that."""


async def trial(
    folder: Path,
    records_url: str,
    chance: random.Random,
    *,
    kills: int,
    rate: float,
    pause: tuple[float, float],
    say: Callable[[str], None] = lambda _line: None,
) -> Findings:
    """Kill each victim so many times under a load, and say what became of the messages."""
    async with town(folder, records_url) as made:
        say("the town is up")
        load = Load(made, random.Random(chance.random()), rate)
        enough = asyncio.Event()
        sending = asyncio.create_task(load.run(enough))
        try:
            await kill_in_turn(made, schedule(chance, kills), chance, pause=pause, say=say)
            enough.set()
            await served(load, sending)
        finally:
            sending.cancel()
        say(f"{len(load.people)} people have their 2xx")
        await quiet(made, DRAIN)
        say("quiet")
        found = await settled(lambda: inspect(made, load))
        found.figures |= {f"kills of {name}": made.members[name].ends[-9] for name in VICTIMS}
        for name, member in made.members.items():
            found.none(f"ends of {name} by itself", [code for code in member.ends if code != -9])
    for name, said in intact(made.settings).items():
        found.expect(f"integrity of {name}", said, "ok")
    return found


async def served(load: Load, sending: asyncio.Task[None]) -> None:
    """Wait until everybody has a 2xx. Raises TimeoutError when nobody gets one for so long."""
    while not sending.done():
        done = sum(person.done for person in load.people)
        async with asyncio.timeout(DRAIN):
            while not sending.done() and sum(person.done for person in load.people) == done:
                await asyncio.sleep(0.5)
    await sending


async def settled(look: Callable[[], Awaitable[Findings]]) -> Findings:
    """The findings once the projections have caught up; what is still wrong after a while is wrong."""
    found = await look()
    for _ in range(CATCH_UP):
        if not found.wrong:
            break
        await asyncio.sleep(1)
        found = await look()
    return found
