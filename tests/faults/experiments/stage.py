"""What every experiment stands on: one town, the people who write to it, and how long and how much everything is."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from sqlmodel import col, func, select
from temporalio.client import Client

from engine import connect
from models.inquiry import Role
from models.tables import Dispatch, Notice, NoticeState
from records import dispatches
from tests.faults.findings import quiet
from tests.faults.reading import until
from tests.faults.senders import AGAIN, Load, Person
from tests.faults.town import Town

STILL = 180.0
"""Seconds that nothing may move before everything is at rest."""

AT_ONCE = 32


class Skipped(Exception):
    """This machine cannot play an experiment; the text says why."""


@dataclass
class Guest(Person):
    """Somebody who writes once by mail, and with whose case an experiment does more."""

    more: Counter[str] = field(default_factory=Counter)
    """Facts that must stand in their chain beside those of everybody."""
    seconds: float = 0.0
    """From the first try to the 2xx."""

    @property
    def facts(self) -> dict[str, int]:
        """How often some facts stand in the chain."""
        return {type_: count + self.more[type_] for type_, count in super().facts.items()}


@dataclass
class Stage:
    """`scale` times the durations and amounts of a full experiment; everybody in the town is in `load`.

    `small` is the small disk on which the databases lie, None where there is none because of `why_no_disk`.
    """

    town: Town
    load: Load
    chance: random.Random
    scale: float
    small: Path | None = None
    why_no_disk: str = "this town has no disk of its own"

    def seconds(self, full: float) -> float:
        """A duration of this run."""
        return full * self.scale

    def count(self, full: int) -> int:
        """An amount of this run, at least two."""
        return max(2, round(full * self.scale))

    async def client(self) -> Client:
        """The engine as our processes have it."""
        return await connect(self.town.settings)

    async def open(self, count: int, *, at_once: int = AT_ONCE) -> list[Guest]:
        """Have so many people write, and each try until it is taken."""
        clock, gate = time.monotonic, asyncio.Semaphore(at_once)

        async def live(guest: Guest) -> None:
            async with gate:
                begun = clock()
                await self.load.live(guest)
                guest.seconds = clock() - begun

        guests = [self._guest() for _ in range(count)]
        await asyncio.gather(*(live(guest) for guest in guests))
        return guests

    def _guest(self) -> Guest:
        guest = Guest(len(self.load.people) + 1, by_form=False, twice=False, follows_up=False, noted=False)
        self.load.people.append(guest)
        return guest

    async def command(
        self, guest: Person, name: str, body: Any, *, key: str, by: Role = Role.SUPERVISOR
    ) -> httpx2.Response:
        """Send a command through the admin API, once."""
        headers = {"Authorization": f"Bearer {self._key(by)}", "Idempotency-Key": f"{name}-{guest.n}-{key}"}
        return await self.town.web.post(f"/api/inquiries/{guest.reference}/{name}", json=body, headers=headers)

    def _key(self, role: Role) -> str:
        """The development key of a role."""
        lines = (self.town.settings.var / "dev-api-key").read_text(encoding="ascii").splitlines()
        return dict(line.split() for line in lines)[role.value]

    async def obeyed(self, guest: Person, name: str, body: Any, *, key: str, by: Role = Role.SUPERVISOR) -> float:
        """Send a command until it is taken, and return how many seconds that took."""
        begun = time.monotonic()
        while True:
            try:
                answer = await self.command(guest, name, body, key=key, by=by)
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                return time.monotonic() - begun
            if answer is not None and answer.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
                raise AssertionError(f"{name} was answered {answer.status_code}: {answer.text[:200]}")
            await asyncio.sleep(AGAIN)

    async def noted(self, guests: Iterable[Guest], key: str) -> list[float]:
        """Have an agent note something in each case; how many seconds each took."""

        async def note(guest: Guest) -> float:
            guest.more["case.noted"] += 1
            return await self.obeyed(guest, "note", {"text": "seen"}, key=key)

        return await asyncio.gather(*(note(guest) for guest in guests))

    async def handed_over(self) -> None:
        """Wait until Temporal has everything that is due."""
        await until(lambda: not self._waiting(), "everything is handed over", STILL)

    async def rest(self) -> None:
        """Wait until nothing is on its way. Raises TimeoutError, AssertionError where it never comes to that."""
        await quiet(self.town, STILL)
        await until(lambda: not self._leaving(), "every letter has left", STILL)

    def _waiting(self) -> int:
        with self.town.database.read() as session:
            waits = col(Dispatch.done_at).is_(None), col(Dispatch.name) != dispatches.DELIVERED
            return session.exec(select(func.count()).where(*waits)).one()

    def _leaving(self) -> int:
        with self.town.database.read() as session:
            return session.exec(select(func.count()).where(col(Notice.state) == NoticeState.SENDING)).one()

    async def mend(self) -> None:
        """Take every fault away, and wait until the town works as it does without an experiment."""
        await self.town.well()
        for name in ("temporal", "mailroom", "worker", "web"):
            await self.town.up(name)


def slowest(seconds: Iterable[float]) -> float:
    """The longest of some durations."""
    return round(max(seconds, default=0.0), 2)


def p99(seconds: Iterable[float]) -> float:
    """The duration that one of a hundred exceeds."""
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 2) if ordered else 0.0


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """How many seconds some work takes."""
    begun = time.monotonic()
    await work()
    return round(time.monotonic() - begun, 2)
