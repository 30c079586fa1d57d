"""Faults on demand: what the next requests shall suffer."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Kind = Literal["status", "delay", "hang_up_before", "hang_up_after_accept", "lose_events", "duplicate_events"]


class Fault(BaseModel):
    """One fault, for `count` letters or, without a count, until it is cleared.

    `status` answers with that status and accepts nothing; `delay` waits `seconds` and goes on; `hang_up_before` closes
    the connection with nothing accepted, `hang_up_after_accept` with the letter accepted; `lose_events` tells nothing
    of a letter, `duplicate_events` everything twice.
    """

    kind: Kind
    status: Annotated[int, Field(ge=400, le=599)] = 503
    seconds: Annotated[float, Field(ge=0, le=600)] = 0
    retry_after: Annotated[int, Field(ge=0)] | None = None
    """Seconds; told as X-RateLimit-Reset with 429 and as Retry-After with the others."""
    count: Annotated[int, Field(ge=1)] | None = None


class Faults:
    """The faults that wait, in the order they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Ask for a fault."""
        self._waiting.append(fault.model_copy())

    def clear(self) -> None:
        """Be well again."""
        self._waiting.clear()

    def all(self) -> list[Fault]:
        """What still waits, with the counts that are left."""
        return [fault.model_copy() for fault in self._waiting]

    def take(self, *kinds: Kind) -> Fault | None:
        """The first waiting fault of these kinds, counted off; None where there is none."""
        for fault in self._waiting:
            if fault.kind in kinds:
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count == 0:
                        self._waiting.remove(fault)
                return fault
        return None
