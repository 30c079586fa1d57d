"""The threads in which requests do what blocks; only so many may wait for one.

What comes in goes before what was stored: how long answers take tells everything else in the process when to hold back.
"""

import asyncio
import contextvars
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from http import HTTPStatus
from itertools import count
from threading import Semaphore
from typing import TypeVar

from starter.http.problems import RETRY_AFTER, Problem

AT_ONCE = 256
"""Requests that may wait for a thread; more are asked to come again."""

FORGOTTEN_AT_ONCE = 4
"""Tasks under way that nobody waits for."""

SLOW = 0.2
"""Seconds after which an answer is slow."""

CALM = 2.0
"""Seconds for which one slow answer makes everything else hold back."""

SHARE = 4
"""While everything else holds back, it pauses so many times as long as it worked."""

LONGEST_HOLD = 1.0
"""Seconds that it pauses at most."""

T = TypeVar("T")


class Threads:
    """A bounded way into an executor, for one event loop. `monotonic` gives seconds."""

    def __init__(self, executor: Executor, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._executor, self._monotonic = executor, monotonic
        self._numbers, self._began, self._slow_at = count(), dict[int, float](), float("-inf")
        self._courtesies = Semaphore(FORGOTTEN_AT_ONCE)

    def hold_back(self, took: float) -> float:
        """Seconds to pause after work that nobody waits for and that took so many.

        0 unless somebody waits too long for an answer, or did a moment ago.
        """
        now = self._monotonic()
        oldest = next(iter(self._began.values()), now)
        pressed = now - oldest > SLOW or now - self._slow_at < CALM
        return min(LONGEST_HOLD, SHARE * took) if pressed else 0.0

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Be waited for. Raises Problem (503) when too many wait already."""
        if len(self._began) >= AT_ONCE:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "intake.busy",
                "too much comes in at once; send it again",
                headers={"Retry-After": str(RETRY_AFTER)},
            )
        number = next(self._numbers)
        self._began[number] = self._monotonic()
        try:
            yield
        finally:
            now = self._monotonic()
            if now - self._began.pop(number) > SLOW:
                self._slow_at = now

    async def work(self, task: Callable[[], T]) -> T:
        """Run a task in a thread for somebody who waits for the answer. Raises Problem (503) when too many wait."""
        with self.answering():
            return await self.behind(task)

    async def behind(self, task: Callable[[], T]) -> T:
        """Run a task in a thread for which nobody waits, or somebody who is counted already."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, contextvars.copy_context().run, task)

    def forget(self, task: Callable[[], object]) -> bool:
        """Run a task in a thread, whose end nobody waits for; False, and it is not run, where too many run already.

        What a stranger can set going must not keep all threads from what is to be stored.
        """
        if not self._courtesies.acquire(blocking=False):
            return False
        self._executor.submit(task).add_done_callback(lambda _: self._courtesies.release())
        return True
