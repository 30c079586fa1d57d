"""`python -m tests.faults --kills 30 --seed N`: the long trial; prints its progress, a table and what was wrong.

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
from pathlib import Path

from tests.faults.findings import Findings
from tests.faults.ground import given_records
from tests.faults.trial import trial


def main() -> int:
    """Run one trial; 0 when everything was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="of each of worker, web process and Temporal server")
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, which is printed")
    parser.add_argument("--rate", type=float, default=5.0, help="messages a second")
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    begun = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - begun:7.1f} s  {line}\n")
        sys.stdout.flush()

    say(f"seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="plazo-faults-"))
    say(f"databases and logs are in {folder}")
    chance = random.Random(seed)
    records_url = given_records(folder)
    pause = (0.3, 2.0)
    found = asyncio.run(
        trial(folder, records_url, chance, kills=options.kills, rate=options.rate, pause=pause, say=say)
    )
    show(found, seed)
    if found.wrong:
        return 1
    shutil.rmtree(folder)
    return 0


def show(found: Findings, seed: int) -> None:
    """Print the table."""
    lines = [f"  {what:<42}{count:>8}" for what, count in found.figures.items()]
    lines += [f"  WRONG  {one}" for one in found.wrong] or ["  nothing lost, nothing twice"]
    sys.stdout.write("\n".join(["", f"seed {seed}", *lines, ""]))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The engine's client can abort the interpreter at its exit.
    os._exit(code)
