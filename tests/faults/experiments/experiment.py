"""One experiment as data: the fault, what must come of it, and who plays it; and how its row ends."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.faults.experiments.stage import Stage
from tests.faults.findings import Findings


@dataclass(frozen=True)
class Experiment:
    """`name` is its number, `expected` what must be seen. `play` does it and says what it found.

    Whatever it finds, the invariants are looked at afterwards. `play` may raise Skipped.
    """

    name: str
    fault: str
    expected: str
    play: Callable[[Stage], Awaitable[Findings]]


@dataclass(frozen=True)
class Elsewhere:
    """An experiment that is played somewhere else: `where` is how to run that."""

    name: str
    fault: str
    where: str


@dataclass(frozen=True)
class Row:
    """What is printed of one."""

    name: str
    fault: str
    expected: str
    seen: str
    verdict: str
