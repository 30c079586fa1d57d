"""The experiments played, in towns that stand side by side: each judged by itself, and each town at its end."""

import asyncio
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults.experiments.disk import NoDisk, small_disk
from tests.faults.experiments.experiment import Experiment, Row
from tests.faults.experiments.stage import Skipped, Stage
from tests.faults.experiments.table import TOWNS
from tests.faults.experiments.verdict import kept, replayed
from tests.faults.findings import Findings, intact
from tests.faults.ground import given_records
from tests.faults.senders import Load
from tests.faults.town import town

WINDOW = {"appeal_window_days": (90, 0)}
"""A case that is withdrawn closes at once here."""

DISK = 300
"""Megabytes of the small disk at a tenth; ten times that at full size."""

PATIENCE = 900.0
"""Seconds that one experiment may take at a tenth; ten times that at full size."""

Say = Callable[[str], None]


async def play(chosen: Sequence[Experiment], seed: int, scale: float, folder: Path, say: Say) -> list[Row]:
    """Play them, each in its town. The one database of PLAZO_RECORDS_URL has room for one town, which plays all."""
    by_name = {one.name: one for one in chosen}
    shares = [[by_name[name] for name in names if name in by_name] for names in TOWNS]
    if os.environ.get("PLAZO_RECORDS_URL"):
        shares = [[one for share in shares for one in share]]
    async with asyncio.TaskGroup() as group:
        playing = [
            group.create_task(_in_one(share, random.Random(f"{seed} {n}"), scale, folder / f"town-{n}", say))
            for n, share in enumerate(shares, 1)
            if share
        ]
    return [row for rows in playing for row in rows.result()]


async def _in_one(
    chosen: Sequence[Experiment], chance: random.Random, scale: float, folder: Path, say: Say
) -> list[Row]:
    """Play some in one town, one after the other. The town bears its folder's name."""
    folder.mkdir()
    small, why = _disk(folder, scale)
    records_url = os.environ.get("PLAZO_RECORDS_URL") and given_records(folder)
    records_url = records_url or f"sqlite:///{small or folder}/records/records.db"
    rows: list[Row] = []
    async with town(folder, records_url, policy=WINDOW) as made:
        say(f"{folder.name} is up")
        stage = Stage(made, Load(made, random.Random(chance.random())), chance, scale, small, why)
        known: set[str] = set()
        for one in chosen:
            row = await _row(one, stage, known)
            rows.append(row)
            say(f"{one.name}: {row.verdict}  {row.seen}")
        rows.append(await _end(folder.name, stage, known))
    broken = [f"{file}: {said}" for file, said in intact(made.settings).items() if said != "ok"]
    whole = Row(
        "I7",
        f"{folder.name}: its databases afterwards",
        "integrity_check says ok",
        ", ".join(broken) or "ok",
        _of(broken),
    )
    return [*rows, whole]


def _disk(folder: Path, scale: float) -> tuple[Path | None, str]:
    """A small disk with a place for Temporal's database on it, or why there is none."""
    small = folder / "small"
    small.mkdir()
    try:
        small_disk(small, max(DISK, round(DISK * scale * 10)))
    except NoDisk as reason:
        return None, str(reason)
    (folder / "var").mkdir()
    (folder / "var" / "temporal.db").symlink_to(small / "temporal.db")
    return small, ""


async def _row(one: Experiment, stage: Stage, known: set[str]) -> Row:
    """Play one, mend everything, and look at the invariants. What was wrong before is not said again."""
    begun, before = time.monotonic(), len(stage.load.people)
    try:
        async with asyncio.timeout(PATIENCE * max(1.0, stage.scale * 10)):
            found = await one.play(stage)
    except Skipped as why:
        return Row(one.name, one.fault, one.expected, str(why), "skipped")
    except (TimeoutError, AssertionError, ValueError) as error:
        found = Findings(wrong=[f"{type(error).__name__}: {error}"])
    wrong = list(found.wrong)
    try:
        await stage.mend()
        judged = await kept(stage, {person.reference for person in stage.load.people[before:]})
        wrong += [one for one in judged.wrong if one not in known]
        known |= set(judged.wrong)
    except (TimeoutError, AssertionError) as error:
        wrong.append(f"it does not come to rest: {type(error).__name__}: {error}")
    seen = _told(found) + f" ({time.monotonic() - begun:.0f} s)"
    return Row(one.name, one.fault, one.expected, "; ".join([*wrong, seen]), _of(wrong))


async def _end(name: str, stage: Stage, known: set[str]) -> Row:
    """Every invariant of everybody."""
    try:
        everything = await kept(stage, {person.reference for person in stage.load.people})
    except (TimeoutError, AssertionError) as error:
        everything = Findings(wrong=[f"it does not come to rest: {error}"])
    again = await replayed(stage)
    wrong = [one for one in everything.wrong + again.wrong if one not in known]
    figures = Findings(everything.figures | again.figures)
    return Row("all", f"{name} at its end", "I1 to I6 and I8", "; ".join([*wrong, _told(figures)]), _of(wrong))


def _told(found: Findings) -> str:
    return ", ".join(f"{what} {figure:g}" for what, figure in found.figures.items())


def _of(wrong: list[str]) -> str:
    return "WRONG" if wrong else "ok"
