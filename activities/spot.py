"""Whether a letter may be tried on the spot, while its case and whoever writes to it wait."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from models.errors import RecipientError
from models.inquiry import Channel
from models.work import ELSEWHERE, Step

QUICK = 0.5
"""Seconds within which a channel answers that is worth waiting for."""

WARY = 60.0
"""Seconds for which the letters of a channel go by way of the server after it was slow, or took one not at all."""


@dataclass(frozen=True)
class Spot:
    """What this worker knows of its channels. `allowed` False: everything goes by way of the server."""

    allowed: bool = True
    wary_until: dict[Channel, float] = field(default_factory=dict)

    def check(self, channel: Channel | None = None) -> None:
        """Raise ApplicationError where this is a try on the spot and there should be none."""
        if not activity.info().is_local:
            return
        if not self.allowed or (channel and monotonic() < self.wary_until.get(channel, 0.0)):
            raise ApplicationError(
                "by way of the server", type=ELSEWHERE, non_retryable=True, category=ApplicationErrorCategory.BENIGN
            )

    @contextmanager
    def watched(self, channel: Channel) -> Iterator[None]:
        """Watch a channel take a letter, and be wary of one that is slow or fails."""
        until = monotonic() + QUICK
        try:
            yield
        except RecipientError:
            raise  # the address's fault, not the channel's
        except Exception:
            until = 0.0
            raise
        finally:
            if monotonic() > until:
                self.wary_until[channel] = monotonic() + WARY


def put_off(step: Step, clock: Callable[[], datetime]) -> None:
    """Have the engine wait as long as the failure on the spot wanted. Raises ApplicationError."""
    if step.wait_until and (left := step.wait_until - clock()).total_seconds() > 0:
        raise ApplicationError(
            "waiting for the next try", next_retry_delay=left, category=ApplicationErrorCategory.BENIGN
        )


def tries(step: Step) -> tuple[int, datetime]:
    """Return how many tries this step took with this one, and when the first began.

    One that had to wait was put off once by `put_off`, which stands for the try on the spot.
    """
    info = activity.info()
    if step.tried is None:
        return info.attempt, info.scheduled_time
    return max(2, info.attempt + (0 if step.wait_until else 1)), step.tried
