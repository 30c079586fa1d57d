"""A provider that is busy, out of order, or refuses what we send: experiments 11, 12 and 15."""

import asyncio
from datetime import timedelta
from itertools import pairwise

from tests.faults.experiments.stage import Guest, Stage, timed
from tests.faults.findings import Findings
from tests.faults.reading import copies, kept, tries, until

FLOOR = timedelta(seconds=1)
"""X-RateLimit-Reset is a whole second."""


async def too_many(stage: Stage) -> Findings:
    """429, with the time from which we may come again."""
    wait, count = max(3, round(stage.seconds(30))), stage.count(100)
    await stage.town.fault("status", status=429, retry_after=wait, count=count)
    guests = await stage.open(count)
    sent = await timed(stage.rest)
    notices = [kept(stage.town, guest.reference) for guest in guests]
    pauses = [
        one.tried_at - one.first_tried_at for one in notices if one.tries > 1 and one.tried_at and one.first_tried_at
    ]
    found = Findings({"letters": count, "turned away": len(pauses), "asked to wait s": wait})
    found.figures |= {"shortest pause s": round(min(pauses).total_seconds(), 2), "all sent after s": sent}
    found.none("came again too soon", [pause for pause in pauses if pause < timedelta(seconds=wait) - FLOOR])
    found.wrong += await _twice(stage, guests)
    return found


async def out_of_order(stage: Stage) -> Findings:
    """503 for minutes."""
    await stage.town.fault("status", status=503)
    guests = await stage.open(stage.count(100))
    await until(lambda: all(tries(stage.town, guest.reference) for guest in guests), "every letter was tried")
    seen: dict[int, float] = {}
    clock = asyncio.get_running_loop().time
    end = clock() + stage.seconds(300)
    while clock() < end:
        seen.setdefault(tries(stage.town, guests[0].reference), clock())
        await asyncio.sleep(0.1)
    await stage.town.well()
    sent = await timed(stage.rest)
    pauses = [later - earlier for earlier, later in pairwise(seen.values())]
    found = Findings({"letters": len(guests), "tries of one": tries(stage.town, guests[0].reference)})
    found.figures |= {"longest pause seen s": round(max(pauses, default=0), 1), "all sent after it was well s": sent}
    found.wrong += await _twice(stage, guests)
    return found


async def refuses(stage: Stage) -> Findings:
    """400, 401 and 413: something is wrong with our account or our request, which somebody must mend."""
    statuses = (400, 401, 413)
    for status in statuses:
        await stage.town.fault("status", status=status, count=1)
    guests = await stage.open(len(statuses))
    sent = await timed(stage.rest)
    tried = sum(tries(stage.town, guest.reference) for guest in guests)
    found = Findings({"refusals": len(statuses), "tries": tried, "all sent after s": sent})
    found.expect("tries", tried, len(guests) + len(statuses))
    found.wrong += await _twice(stage, guests)
    return found


async def _twice(stage: Stage, guests: list[Guest]) -> list[str]:
    """What was refused has surely not left: not even a recorded second copy may be there."""
    counts = [len(await copies(stage.town, guest.reference)) for guest in guests]
    return [f"{guest.reference} left {n} times" for guest, n in zip(guests, counts, strict=True) if n != 1]
