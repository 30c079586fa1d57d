"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable

PATIENCE = 300.0
"""Seconds. A busy machine comes late to everything; only what never comes costs so much."""


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain until {what}")
        time.sleep(0.01)
