"""The threads in which requests do what blocks; only so many may wait for one."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Executor
from http import HTTPStatus
from threading import Semaphore
from typing import TypeVar

from starter.http.problems import RETRY_AFTER, Problem

AT_ONCE = 256
"""Requests that may wait for a thread; more are asked to come again."""

FORGOTTEN_AT_ONCE = 4
"""Tasks under way that nobody waits for."""

T = TypeVar("T")


class Threads:
    """A bounded way into an executor, for one event loop."""

    def __init__(self, executor: Executor) -> None:
        self._executor, self._inside = executor, 0
        self._courtesies = Semaphore(FORGOTTEN_AT_ONCE)

    async def work(self, task: Callable[[], T]) -> T:
        """Run a task in a thread. Raises Problem (503) when too many wait already."""
        if self._inside >= AT_ONCE:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "intake.busy",
                "too much comes in at once; send it again",
                headers={"Retry-After": str(RETRY_AFTER)},
            )
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._executor, contextvars.copy_context().run, task
            )
        finally:
            self._inside -= 1

    def forget(self, task: Callable[[], object]) -> bool:
        """Run a task in a thread, whose end nobody waits for; False, and it is not run, where too many run already.

        What a stranger can set going must not keep all threads from what is to be stored.
        """
        if not self._courtesies.acquire(blocking=False):
            return False
        self._executor.submit(task).add_done_callback(lambda _: self._courtesies.release())
        return True
