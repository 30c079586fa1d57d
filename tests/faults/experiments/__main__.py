"""`python -m tests.faults.experiments --seed N --scale 0.1 --only 7`: the fault experiments, one after the other.

Prints the seed, its progress, and a table: what was done, what was expected, what was seen, and whether it was kept.
`--hours` plays them again and again, each round with a new seed and the trial of kills behind it.
With PLAZO_RECORDS_URL the records are kept in that database, which must be empty.
"""

import argparse
import asyncio
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterable
from itertools import zip_longest
from pathlib import Path

from tests.faults.experiments.disk import NoDisk, small_disk
from tests.faults.experiments.experiment import Elsewhere, Experiment, Row
from tests.faults.experiments.stage import Skipped, Stage
from tests.faults.experiments.table import TABLE
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

WIDTHS = (4, 9, 30, 34, 70)
Say = Callable[[str], None]


async def play(chosen: list[Experiment], chance: random.Random, scale: float, folder: Path, say: Say) -> list[Row]:
    """Play them in one town, and judge each by itself and all of them at the end."""
    small, why = _disk(folder, scale)
    records_url = os.environ.get("PLAZO_RECORDS_URL") and given_records(folder)
    records_url = records_url or f"sqlite:///{small or folder}/records/records.db"
    rows: list[Row] = []
    async with town(folder, records_url, policy=WINDOW) as made:
        say("the town is up")
        load = Load(made, random.Random(chance.random()))
        stage = Stage(made, load, chance, scale, small, why)
        known: set[str] = set()
        for one in chosen:
            row = await _row(one, stage, known)
            rows.append(row)
            say(f"{one.name}: {row.verdict}  {row.seen}")
        rows.append(await _end(stage, known))
    broken = [f"{name}: {said}" for name, said in intact(made.settings).items() if said != "ok"]
    rows.append(
        Row("I7", "the databases afterwards", "integrity_check says ok", ", ".join(broken) or "ok", _of(broken))
    )
    return rows


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


async def _end(stage: Stage, known: set[str]) -> Row:
    """Every invariant of everybody."""
    try:
        everything = await kept(stage, {person.reference for person in stage.load.people})
    except (TimeoutError, AssertionError) as error:
        everything = Findings(wrong=[f"it does not come to rest: {error}"])
    again = await replayed(stage)
    wrong = [one for one in everything.wrong + again.wrong if one not in known]
    figures = Findings(everything.figures | again.figures)
    return Row("all", "the whole town at the end", "I1 to I6 and I8", "; ".join([*wrong, _told(figures)]), _of(wrong))


def _told(found: Findings) -> str:
    return ", ".join(f"{what} {figure:g}" for what, figure in found.figures.items())


def _of(wrong: list[str]) -> str:
    return "WRONG" if wrong else "ok"


def table(rows: Iterable[Row]) -> str:
    """The rows as text, each cell broken where it is too long."""
    lines: list[str] = []
    heading = Row("no", "fault", "expected", "seen", "verdict")
    for row in (heading, *rows):
        cells = (row.name, row.verdict, row.fault, row.expected, row.seen)
        wrapped = (textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, WIDTHS, strict=True))
        lines += [
            "  ".join(f"{part:<{width}}" for part, width in zip(parts, WIDTHS, strict=True)).rstrip()
            for parts in zip_longest(*wrapped, fillvalue="")
        ]
    return "\n".join(lines)


def elsewhere(only: list[str]) -> list[Row]:
    """The rows of what is played somewhere else."""
    others = [one for one in TABLE if isinstance(one, Elsewhere) and (not only or one.name in only)]
    return [Row(one.name, one.fault, "see there", one.where, "elsewhere") for one in others]


def one_round(seed: int, scale: float, only: list[str]) -> bool:
    """Play once, print the table; False when something was wrong."""
    begun = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - begun:7.1f} s  {line}\n")
        sys.stdout.flush()

    folder = Path(tempfile.mkdtemp(prefix="plazo-experiments-"))
    say(f"seed {seed}, scale {scale:g}; logs are in {folder}")
    chosen = [one for one in TABLE if isinstance(one, Experiment) and (not only or one.name in only)]
    rows = asyncio.run(play(chosen, random.Random(seed), scale, folder, say))
    rows = sorted([*rows, *elsewhere(only)], key=lambda row: int(row.name) if row.name.isdigit() else len(TABLE) + 1)
    sys.stdout.write(f"\nseed {seed}, scale {scale:g}, {time.monotonic() - begun:.0f} s\n{table(rows)}\n\n")
    right = all(row.verdict != "WRONG" for row in rows)
    if right:
        shutil.rmtree(folder, ignore_errors=True)
    return right


def main() -> int:
    """Play; 0 when everything was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.experiments", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="N", help="their numbers; default: all")
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, which is printed")
    parser.add_argument("--scale", type=float, default=0.1, help="of the full durations and amounts")
    parser.add_argument("--hours", type=float, default=0.0, help="go on for so long, with the trial of kills")
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    end = time.monotonic() + options.hours * 3600
    if not options.hours:
        return 0 if one_round(seed, options.scale, options.only) else 1
    while time.monotonic() < end:
        arguments = ["--seed", str(seed), "--scale", str(options.scale)]
        for command in (
            ["tests.faults.experiments", *arguments, *(["--only", *options.only] if options.only else [])],
            ["tests.faults", "--seed", str(seed)],
        ):
            if code := subprocess.run([sys.executable, "-m", *command], check=False).returncode:
                return code
        seed = secrets.randbelow(10**6)
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The engine's client can abort the interpreter at its exit.
    os._exit(code)
