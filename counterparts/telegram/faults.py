"""Faults on demand: what the next calls shall suffer."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Kind = Literal["status", "delay", "hang_up_before", "hang_up_after_accept", "limits"]


class Fault(BaseModel):
    """One fault, for `count` calls or, without a count, until it is cleared.

    `status` answers with that status and does nothing; `delay` waits `seconds` and goes on; `hang_up_before` closes the
    connection with nothing done, `hang_up_after_accept` with all done; `limits` enforces Telegram's rates.
    """

    kind: Kind
    method: str = "sendMessage"
    """The one method that suffers; `limits` knows no method."""
    status: Annotated[int, Field(ge=300, le=599)] = 502
    description: str = ""
    """What the answer says, as in `Forbidden: user is deactivated`; empty for a usual text."""
    seconds: Annotated[float, Field(ge=0, le=600)] = 0
    retry_after: Annotated[int, Field(ge=0)] = 3
    """Seconds, with status 429."""
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

    @property
    def limited(self) -> bool:
        """Whether rates are enforced."""
        return any(fault.kind == "limits" for fault in self._waiting)

    def take(self, method: str, *kinds: Kind) -> Fault | None:
        """The first waiting fault of these kinds for a method, counted off; None where there is none."""
        for fault in self._waiting:
            if fault.kind in kinds and fault.method.lower() == method.lower():
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count == 0:
                        self._waiting.remove(fault)
                return fault
        return None
