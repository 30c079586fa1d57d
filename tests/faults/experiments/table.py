"""Every experiment by its number, and what must come of it: the one list."""

from tests.faults.experiments import deploys, provider, senders, servers, times, workers
from tests.faults.experiments.experiment import Elsewhere, Experiment

KILLS = "make faults-kills"
OUTAGES = "make test: tests/faults/test_outages.py"

TABLE: tuple[Experiment | Elsewhere, ...] = (
    Elsewhere("1", "a worker dies while a letter leaves", KILLS),
    Experiment(
        "2",
        "a worker dies with cases in memory, beside another",
        "the other obeys for each of them, after the 2 s that a task waits for the dead",
        workers.dies_with_cases_in_memory,
    ),
    Elsewhere("3", "workers die again and again under a load", KILLS),
    Elsewhere("4", "Temporal dies under a load", KILLS),
    Experiment(
        "5",
        "Temporal dies with a timer in every open case",
        "every workflow is there again, and obeys",
        servers.killed_with_timers,
    ),
    Experiment(
        "6",
        "Temporal is away across deadlines",
        "each is told once, none before its time",
        servers.away_across_a_deadline,
    ),
    Experiment(
        "7",
        "Temporal is stopped (SIGSTOP)",
        "messages get their 2xx; the command is obeyed once afterwards",
        servers.stopped,
    ),
    Elsewhere("8", "Temporal is away while messages come", OUTAGES),
    Elsewhere("9", "the records are locked, or gone", OUTAGES),
    Experiment(
        "10", "Temporal's database is locked", "messages get their 2xx; the command is obeyed once", servers.locked
    ),
    Experiment(
        "11",
        "429 with X-RateLimit-Reset",
        "no letter comes again before that time; none leaves twice",
        provider.too_many,
    ),
    Experiment(
        "12", "503 for minutes", "tried ever more slowly, all sent afterwards, none twice", provider.out_of_order
    ),
    Elsewhere("13", "the provider accepts a letter and its answer is lost", OUTAGES),
    Elsewhere("14", "a worker dies between the provider's yes and our record", KILLS),
    Experiment(
        "15", "400, 401, 413: our own fault", "the letter waits and is tried slowly, none twice", provider.refuses
    ),
    Elsewhere("16", "one mail 50 times at once", OUTAGES),
    Experiment(
        "17",
        "a mail comes again after its case is closed, and forgotten by Temporal",
        "each is told that it was here before; nothing runs, no letter",
        senders.after_the_end,
    ),
    Elsewhere("18", "24 orders of four events", "make test: tests/workflows/test_orders.py"),
    Experiment(
        "19", "one command 30 times at once", "it happens once, and each gets its answer", senders.one_command_often
    ),
    Experiment(
        "20",
        "the disk of both databases is full",
        "what is not stored gets 503; all taken once there is room",
        servers.disk_full,
    ),
    Experiment(
        "21",
        "the worker's clock is 2 h ahead, then behind",
        "dates are the calendar's, no alarm is early",
        times.wrong_clock,
    ),
    Experiment(
        "22",
        "a holiday is decreed, and revoked",
        "running cases keep their days, new ones have those of their day",
        times.new_holiday,
    ),
    Experiment(
        "23",
        "code comes that cannot go on with running cases, and goes again",
        "no case fails; each command is obeyed once after the rollback",
        deploys.incompatible_code,
    ),
    Experiment(
        "24", "poisoned commands", "each refused (4xx), colleagues' commands obeyed beside them", senders.poison
    ),
    Experiment(
        "25", "a flood while no worker works", "every message gets its 2xx; all drained", workers.flood_without_a_worker
    ),
    Experiment("26", "a worker with 512 MB wakes many open cases", "it is not killed", workers.little_memory),
    Experiment(
        "27",
        "a rolling deploy under load, A to B",
        "drained workers end with 0; nothing is lost or leaves twice",
        deploys.rolling,
    ),
)

TOWNS = (
    ("2", "6", "22", "23", "25", "5", "26"),
    ("7", "10", "11", "12", "15", "17", "19", "24", "20", "21", "27"),
)
"""What is played in each of the towns that stand side by side, in this order: what needs many cases follows the flood.

They are about equally long: while one waits the other works.
"""
