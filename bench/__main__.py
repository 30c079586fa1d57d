"""`python -m bench`: measure everything in one run on one server, print the table, write it as JSON.

All processes, ports and files are its own and gone at the end. It takes some minutes, most of them to acknowledge the
open cases; `--quick` does everything small. Rates are told as ratios to the empty workflow of the same round, because
machines differ and may be busy with other things, which every reading tells as `foreign_percent`.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from temporalio.client import Client

from bench import figures
from bench.cold import cold
from bench.due_list import due_list
from bench.growth import growth
from bench.histories import history
from bench.intake import intake
from bench.latency import latency
from bench.meter import Meter
from bench.open_cases import open_cases
from bench.rates import EMPTY_QUEUE, Rate, desk, empty
from bench.report import show, write
from bench.stage import Resident, Server, Site, can_connect, until
from bench.starts import start_costs
from logs import configure_logs

RESULTS = Path(__file__).resolve().parent / "results"
WINDOW_DAYS = 90


@dataclass(frozen=True)
class Size:
    """How much of everything: lives and empty workflows a round, rounds, open cases, idle seconds, requests.

    `cold` is how many cases are answered from memory, and how many from their histories. `sizes`, rising, are how many
    open inquiries costs are compared among. `asked` is for each way to ask for the list; `rate` a second, for
    `seconds`, is what comes in.
    """

    lives: int = 300
    rounds: int = 3
    open: int = 10_000
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    idle: float = 20.0
    requests: int = 500
    asked: int = 100
    posts: int = 100
    starts: int = 300
    cold: int = 500
    rate: float = 200.0
    seconds: float = 60.0


QUICK = Size(
    lives=60,
    rounds=1,
    open=300,
    sizes=(30, 100, 300),
    idle=5.0,
    requests=100,
    asked=10,
    posts=20,
    starts=100,
    cold=60,
    rate=50.0,
    seconds=5.0,
)
Tell = Callable[[str], None]


async def measure(size: Size, only: set[str], tell: Tell) -> dict[str, Any]:
    """Run what is wanted on one server; the details by name."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="plazo-bench-") as folder, ExitStack() as stack:
        server = Server(Path(folder))
        # This process does a part of the web process's work, so it keeps a log like it.
        log = stack.enter_context((server.folder / "driver.log").open("w", encoding="utf-8"))
        configure_logs("development", stream=log)
        stack.callback(configure_logs, "development")  # what ends a run early is told to the person who started it
        with server.start() as engine:
            await until(lambda: can_connect(server.address), engine)
            if "rates" in only:
                found["rounds"], found["history"] = await rates(server, engine, size, tell)
            if "starts" in only:
                tell("starts of the inquiry's workflow, sandboxed and not")
                with Site(server, "starts") as site:
                    found["starts"] = await start_costs(site, size.starts, size.rounds)
            if "cold" in only:
                tell(f"{size.cold} final answers to cases in memory, and to cases that are not")
                found["cold"] = await cold(server, engine, count=size.cold)
            if "latency" in only:
                tell("from the webhook to the mailroom")
                found["latency"] = await latency(server, engine, size.posts)
            if "intake" in only:
                tell(f"{size.rate:g} messages a second come in for {size.seconds:g} s")
                found["intake"] = await intake(server, engine, rate=size.rate, seconds=size.seconds, tell=tell)
            if "list" in only:
                found["list"] = await due_list(server.folder, count=size.open, requests=size.asked, tell=tell)
            if "growth" in only:
                found["growth"] = await growth(server.folder, sizes=size.sizes, asked=size.asked, tell=tell)
            if "open" in only:
                tell(f"{size.open} open cases")
                found["open"] = await open_cases(
                    server, engine, count=size.open, idle=size.idle, requests=size.requests, tell=tell
                )
    return found


async def rates(
    server: Server, engine: Resident, size: Size, tell: Tell
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rounds of empty workflow and lifecycles, and what a life leaves in the engine."""
    rounds: list[dict[str, Any]] = []
    with Site(server, "rates") as site:
        plain = site.python("empty", "-m", "bench.empty_worker", server.address, EMPTY_QUEUE)
        await site.polled(EMPTY_QUEUE, plain)
        mailroom, worker = await site.mailroom(), await site.worker()
        bare = await Client.connect(server.address)

        def of_empty() -> Meter:
            return Meter(server=engine, worker=plain)

        def of_life() -> Meter:
            return Meter(server=engine, worker=worker, mailroom=mailroom)

        async with desk(site) as here:
            await empty(bare, 50, of_empty)  # what is loaded once is loaded
            await here.lives(30, 0, worker, of_life)
            ended: list[str] = []
            parked: list[str] = []
            for number in range(1, size.rounds + 1):
                base = await empty(bare, size.lives, of_empty)
                life, ended = await here.lives(size.lives, 0, worker, of_life)
                with_window, parked = await here.lives(size.lives, WINDOW_DAYS, worker, of_life)
                rounds.append(told(base, life, with_window))
                tell(f"round {number}: {rounds[-1]}")
            left = {"closed": await history(here.client, ended), "with_window": await history(here.client, parked)}
    return rounds, left


def told(base: Rate, life: Rate, with_window: Rate) -> dict[str, Any]:
    """One round for the results."""
    return {
        "ratio": round(life.per_second / base.per_second, 3),
        "ratio_with_window": round(with_window.per_second / base.per_second, 3),
        "empty": base.told(),
        "lifecycle": life.told(),
        "with_window": with_window.told(),
    }


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="everything small, in about a minute")
    parser.add_argument("--open", type=int, help="how many open cases (default 10,000; quick 300)")
    parser.add_argument("--asked", type=int, help="how often the list is asked in each way (default 100; quick 10)")
    parser.add_argument("--rounds", type=int, help="rounds of the rates (default 3; quick 1)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="only these parts")
    parser.add_argument("--out", type=Path, help="where the results go (default bench/results/<date>.json)")
    options = parser.parse_args()
    size = QUICK if options.quick else Size()
    changes = {name: value for name in ("open", "asked", "rounds") if (value := getattr(options, name)) is not None}
    size = Size(**(vars(size) | changes))
    console = Console()
    # What is under way is stopped in order by SIGTERM as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    details = uvloop.run(measure(size, set(options.only), console.log))
    shown = figures.of(details)
    show(shown, console)
    path = options.out or RESULTS / f"{date.today():%Y-%m-%d}{'-quick' if options.quick else ''}.json"  # noqa: DTZ011  a file's name
    write(path, shown, details, vars(size) | {"parts": sorted(options.only)})
    console.print(f"written to {path}")
    return 0


PARTS = ("rates", "starts", "cold", "latency", "intake", "open", "list", "growth")

if __name__ == "__main__":
    sys.exit(main())
