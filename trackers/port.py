"""What an incident tool is: open an incident once, find it again, close it; and say what changed there.

The policy names the one that takes new incidents. A tracker outside learns the reference and what the policy lets it,
never anything of the person who wrote.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple

from models.area_work import IncidentState


class Draft(NamedTuple):
    """An incident to be opened. `key` is the name under which it is found again: `RX-7KQ4-M2PD/inc-1`."""

    key: str
    reference: str
    title: str
    description: str
    area: str


class Ref(NamedTuple):
    """An incident in its tracker: the id that never changes there, and where people see it."""

    id: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Where an incident stands in its tracker since `at` (aware UTC), and what its specialists wrote, personal data.

    `outcome` is the tracker's name for how it ended, such as a resolution. `event` is the same however often it is
    told. The incident is named by our `key`, by its `id`, or by both.
    """

    event: str
    state: IncidentState
    at: datetime
    key: str = ""
    id: str = ""
    url: str = ""
    outcome: str = ""
    words: str = field(default="", repr=False)


class Tracker(ABC):
    """One incident tool. Safe to use from several threads.

    Errors are those of a letter that does not leave: OperatorError where our own account is at fault, TransientError
    where surely nothing was done, UnknownOutcome where it perhaps was.
    """

    name: ClassVar[str]
    outside: ClassVar[bool] = True
    """Whether it is somebody else's: told no more than the policy lets it, and telling us by webhook."""
    settles: ClassVar[timedelta] = timedelta()
    """How long it may not find what it has taken already: after a lost answer an incident is not opened anew before."""

    @abstractmethod
    def find(self, key: str) -> Ref | None:
        """Look for the incident that bears the key. Raises OperatorError or TransientError."""

    @abstractmethod
    def create(self, draft: Draft) -> Ref:
        """Open an incident. Raises OperatorError, TransientError or UnknownOutcome."""

    @abstractmethod
    def close(self, id_: str, key: str, state: IncidentState) -> None:
        """Say that the case has its outcome; doing it twice changes nothing. Raises as `create`."""

    @abstractmethod
    def count(self, id_: str, key: str, cases: int, now: datetime) -> None:
        """Say how many inquiries have joined it by now, and nothing of them. Raises as `create`."""

    @abstractmethod
    def standing(self, id_: str, now: datetime) -> Change | None:
        """Ask where an incident stands; None where the tracker knows nothing that we do not. Raises as `find`."""

    @abstractmethod
    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Check on the raw bytes, in constant time, that a post is the tracker's. `headers` have lower-case names.

        Raises VerificationError, whatever is wrong; nothing else.
        """

    @abstractmethod
    def parse(self, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Change, ...]:
        """Read a verified post; what is not about an incident of ours is left out. Raises UnreadableMessage."""
