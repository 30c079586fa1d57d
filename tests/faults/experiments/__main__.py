"""`python -m tests.faults.experiments --seed N --scale 0.1 --only 7`: the fault experiments.

Prints the seed, its progress, and a table: what was done, what was expected, what was seen, and whether it was kept.
`--hours` plays them again and again, each round with a new seed and the trial of kills behind it.
With PLAZO_RECORDS_URL the records are kept in that database, which must be empty.
"""

import argparse
import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

from tests.faults.experiments.experiment import Elsewhere, Experiment, Row
from tests.faults.experiments.playing import play
from tests.faults.experiments.table import TABLE

WIDTHS = (4, 9, 30, 34, 70)


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
    rows = asyncio.run(play(chosen, seed, scale, folder, say))
    rows = sorted([*rows, *elsewhere(only)], key=lambda row: int(row.name) if row.name.isdigit() else len(TABLE) + 1)
    took = f"{time.monotonic() - begun:.0f} s, {sum(os.times()[:4]):.0f} s of the processors"
    sys.stdout.write(f"\nseed {seed}, scale {scale:g}, {took}\n{table(rows)}\n\n")
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
