"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from datetime import timedelta

PATIENCE = 300.0
"""Seconds. A busy machine comes late to everything; only what never comes costs so much."""

UP = timedelta(seconds=PATIENCE)
"""For a Temporal server of the tests' own; the SDK by itself gives it 5 seconds."""


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain until {what}")
        time.sleep(0.01)
