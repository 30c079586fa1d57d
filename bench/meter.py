"""The meter: processor time of processes, and of everything else on the machine."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from bench.stage import TICKS, Resident


class Meter:
    """Processor time of processes, this one and strangers on the machine between two moments."""

    def __init__(self, **watched: Resident) -> None:
        self._watched = watched
        self.begin()

    def begin(self) -> None:
        """Count from now on."""
        self._before, self._machine, self._since = self._now(), machine_cpu(), time.perf_counter()

    def _now(self) -> dict[str, float]:
        return {"driver": time.process_time(), **{name: one.cpu() for name, one in self._watched.items()}}

    def read(self) -> "Reading":
        """What was used since it was made."""
        seconds = time.perf_counter() - self._since
        used = {name: cpu - self._before[name] for name, cpu in self._now().items()}
        return Reading(seconds, used, machine_cpu() - self._machine - sum(used.values()))


@dataclass(frozen=True)
class Reading:
    """Wall-clock seconds, processor seconds by process, and those of everything else on the machine."""

    seconds: float
    cpu: dict[str, float]
    foreign: float

    @property
    def foreign_percent(self) -> float:
        """How much of the whole machine everything else used, in percent."""
        return round(100 * max(self.foreign, 0.0) / (self.seconds * (os.cpu_count() or 1)), 1)

    def per(self, count: int) -> dict[str, float]:
        """Processor milliseconds of each process for one of `count` things done."""
        return {name: round(1000 * used / count, 2) for name, used in self.cpu.items()}


def machine_cpu() -> float:
    """Seconds that all cores together were busy since the machine started."""
    user, nice, system, _idle, _wait, irq, softirq = map(int, Path("/proc/stat").read_text().split(maxsplit=8)[1:8])
    return (user + nice + system + irq + softirq) / TICKS
