"""Record the histories that every later version of the workflow must be able to replay: `make record-histories`.

A history stands for what cases in the field have lived through, so one that exists is kept; `--again NAME` records it
anew and is for versions that no case has ever run on.
"""

import argparse
import asyncio
import logging
import os
import socket
import sys
import tempfile
from pathlib import Path

from temporalio.client import WorkflowHistory

from records.migrate import upgrade
from tests.lives import living
from tests.replay.carried import CARRIED, walk
from tests.replay.paths import HALF_A_DAY, PATHS

HISTORIES = Path(__file__).parent / "histories"


def file_of(name: str) -> Path:
    """Where the history of that name is kept."""
    return HISTORIES / f"{name}.json"


def new_records(folder: str) -> str:
    """Make records in a folder and return their address."""
    url = f"sqlite:///{folder}/records.db"
    upgrade(url)
    return url


async def record(name: str) -> WorkflowHistory:
    """Walk one path and return its history."""
    with tempfile.TemporaryDirectory() as folder:
        async with living(Path(folder), new_records(folder), slowly=HALF_A_DAY) as life:
            handle = await PATHS[name](life)
            return await handle.fetch_history()


async def record_missing(again: set[str]) -> None:
    """Record what has no file yet, and what is asked for."""
    wanted = [name for name in (*PATHS, *CARRIED) if name in again or not file_of(name).exists()]
    for name in wanted:
        if name in PATHS:
            keep(name, await record(name))
    if set(CARRIED) & set(wanted):
        with tempfile.TemporaryDirectory() as folder:
            histories = await walk(new_records(folder))
        for name in set(CARRIED) & set(wanted):
            keep(name, histories[name])


def keep(name: str, history: WorkflowHistory) -> None:
    """Write a history to its file."""
    HISTORIES.mkdir(exist_ok=True)
    # Who recorded it, and on which machine, is nobody's business.
    written = history.to_json().replace(f"{os.getpid()}@{socket.gethostname()}", "recorder")
    file_of(name).write_text(written + "\n", encoding="utf-8")
    sys.stdout.write(f"{name}: {len(history.events)} events\n")


def main() -> None:
    """Record from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", nargs="+", default=[], choices=[*PATHS, *CARRIED], metavar="NAME")
    # Faults on purpose would fill the screen.
    logging.disable(logging.CRITICAL)
    asyncio.run(record_missing(set(parser.parse_args().again)))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # The engine's client can abort the interpreter at its exit, after all work is done.
    os._exit(0)
