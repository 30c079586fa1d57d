"""`python -m tests.faults.channels --seed N`: every channel at once, while Temporal is away and processes die.

A thousand messages in four hundred conversations by mail, form, Telegram, X and chat; Temporal dead for half a minute,
the web process killed twice and the collector once meanwhile. Prints its progress, a table and what was wrong.
With PLAZO_RECORDS_URL the records are kept in that database, which must be empty.
"""

import argparse
import asyncio
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.faults.__main__ import show
from tests.faults.channel_findings import inspect, restless
from tests.faults.conversations import Talk, arrange
from tests.faults.findings import Findings, intact
from tests.faults.ground import given_records
from tests.faults.kills import PATIENCE
from tests.faults.town import Town, town
from tests.faults.trial import settled

VARIABLES = {"PLAZO_CHAT_SESSIONS_PER_MINUTE": "100000"}
"""All visitors come from one address here."""

GATHERED_FOR = 2
"""Seconds; as shipped, a report of a delivery waits ten minutes for others of its case."""

STILL = 240.0
"""Seconds that nothing may move: a killed collector's feeds are free when its lease ends, after 120."""


class Size(NamedTuple):
    """How much of everything; times in seconds."""

    conversations: int
    messages: int
    span: float
    """How long people speak."""
    before: float
    """From the first word until Temporal dies."""
    away: float
    """How long Temporal is dead."""
    kills: bool
    """Whether others die meanwhile: what they held is free again after 30 and 120 seconds."""


WHOLE = Size(conversations=400, messages=1000, span=45, before=5, away=30, kills=True)
SHORT = Size(conversations=40, messages=100, span=5, before=1, away=4, kills=False)


async def trial(
    folder: Path,
    records_url: str,
    chance: random.Random,
    size: Size,
    say: Callable[[str], None] = lambda _line: None,
) -> Findings:
    """Let everybody speak through the faults, and say what became of their words."""
    async with town(folder, records_url, VARIABLES, gather=GATHERED_FOR) as made:
        say("the town is up")
        # X promises no more than this: every event at least once.
        await made.mailroom.post("/x/api/faults", json={"kind": "duplicate_events", "count": size.messages // 50})
        talk = arrange(made, chance, conversations=size.conversations, messages=size.messages, span=size.span)
        speaking = asyncio.create_task(talk.run())
        try:
            taken = await _ill_treat(made, talk, chance, size, say)
            async with asyncio.timeout(PATIENCE):
                await speaking
        finally:
            speaking.cancel()
        say("everybody got their 2xx")
        back = time.monotonic()
        await _quiet(made, talk)
        say(f"nothing moves any more, {time.monotonic() - back:.0f} s later")
        found = await settled(lambda: inspect(made, talk))
        found.figures |= {"messages sent while Temporal was away": taken}
        ended = {name: member.ends for name, member in made.members.items()}
        found.figures |= {f"kills of {name}": ends[-9] for name, ends in ended.items() if ends}
        for name, ends in ended.items():
            found.none(f"ends of {name} by itself", [code for code in ends if code != -9])
    for name, said in intact(made.settings).items():
        found.expect(f"integrity of {name}", said, "ok")
    return found


async def _ill_treat(made: Town, talk: Talk, chance: random.Random, size: Size, say: Callable[[str], None]) -> int:
    """Temporal away, others killed at moments of that time; how many messages were sent meanwhile."""
    await asyncio.sleep(size.before)
    await made.down("temporal")
    begun, sent = time.monotonic(), talk.sent
    say(f"Temporal is dead, {sent} messages are sent")
    half = size.away / 2
    deaths = [
        (chance.uniform(0, half), "web"),
        (chance.uniform(half, size.away), "web"),
        (chance.uniform(0, size.away), "collector"),
    ]
    for after, name in sorted(deaths) if size.kills else ():
        await asyncio.sleep(max(0.0, begun + after - time.monotonic()))
        async with asyncio.timeout(PATIENCE):
            await made.ready(name)
        made.kill(name)
        say(f"killed {name}, {talk.sent} messages are sent")
    await asyncio.sleep(max(0.0, begun + size.away - time.monotonic()))
    meanwhile = talk.sent - sent
    await made.up("temporal")
    say(f"Temporal is back after {time.monotonic() - begun:.0f} s, {talk.sent} messages are sent")
    return meanwhile


async def _quiet(made: Town, talk: Talk) -> None:
    """Wait until nothing is on its way any more; what never comes is wrong, and the findings say what it is."""
    least = await restless(made, talk)
    moved = time.monotonic()
    while least:
        await asyncio.sleep(0.2)
        if (now := await restless(made, talk)) < least:
            least, moved = now, time.monotonic()
        elif time.monotonic() - moved > STILL:
            talk.wrong.append(f"{now} things never came to rest")
            return


def main() -> int:
    """Run one trial; 0 when everything was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.channels", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, which is printed")
    parser.add_argument("--short", action="store_true", help="a tenth of it and no kills, as in `make test`")
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    begun = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - begun:7.1f} s  {line}\n")
        sys.stdout.flush()

    folder = Path(tempfile.mkdtemp(prefix="plazo-channels-"))
    say(f"seed {seed}; databases and logs are in {folder}")
    records_url = given_records(folder)
    size = SHORT if options.short else WHOLE
    found = asyncio.run(trial(folder, records_url, random.Random(seed), size, say))
    show(found, seed)
    if found.wrong:
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The engine's client can abort the interpreter at its exit.
    os._exit(code)
