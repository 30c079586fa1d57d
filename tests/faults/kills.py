"""Seeded kills: which process dies, when, and how long it is looked at afterwards."""

import asyncio
import random
from collections.abc import Callable, Sequence

from tests.faults.town import Town

PATIENCE = 300.0
"""Seconds that a process may take to work again: the machine may be busy with other things."""

ALSO_DOWN = 2 / 3
EVENTS_LOST = 1 / 2
VICTIMS = ("worker", "web", "temporal")


def schedule(chance: random.Random, kills: int) -> list[str]:
    """Who dies, in order: rounds in which each victim dies once, shuffled."""
    return [name for _ in range(kills) for name in chance.sample(VICTIMS, len(VICTIMS))]


async def kill_in_turn(
    town: Town,
    names: Sequence[str],
    chance: random.Random,
    *,
    pause: tuple[float, float],
    say: Callable[[str], None] = lambda _line: None,
) -> None:
    """Kill one after the other, each when it works again and after a pause between the bounds (seconds).

    One time out of three everything else works again by then; else several may be away at once. Every other time the
    provider hangs up on a letter that it has accepted, and says nothing of what it accepts from then on.
    """
    for number, name in enumerate(names, 1):
        together = chance.random() < ALSO_DOWN
        for each in (name,) if together else VICTIMS:
            async with asyncio.timeout(PATIENCE):
                await town.ready(each)
        await town.well()
        if chance.random() < EVENTS_LOST:
            await town.fault("lose_events")
            await town.fault("hang_up_after_accept", count=1)
        await asyncio.sleep(chance.uniform(*pause))
        town.kill(name)
        say(f"kill {number} of {len(names)}: {name}")
    await town.well()
    for name in VICTIMS:
        async with asyncio.timeout(PATIENCE):
            await town.ready(name)
