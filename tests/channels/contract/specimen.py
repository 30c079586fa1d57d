"""What a channel has to bring to be tried: its counterpart, what people write there, and how it is made to fail."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, NamedTuple

from channels.letter import OutboundLetter
from channels.message import InboundMessage, RemoteFile
from channels.port import Adapter, Post, Transcript
from models.inquiry import Channel
from models.policy import Policy

_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|API_KEY|BEARER")


class Point(StrEnum):
    """A point of `channels.port` that not every channel has. One that has it not says why, in `Specimen.excused`."""

    DOOR = "posts come in at a door"
    KNOCK = "a stranger is turned away before the body is read"
    SIGNED = "a changed body is refused"
    FRESH = "an old post is refused"
    RECEPTION = "the provider's time is the reception"
    FEED = "we ask as well"
    SHAKE = "a handshake is answered"
    FORM = "an address has a form of its own"
    ANSWER = "an answer names the letter it answers"
    THREAD = "a letter shows which message it answers"
    PARTS = "a long letter leaves in parts"
    PUBLIC = "there is a public place"
    GREET = "who says nothing yet is greeted"
    FILES = "files lie with the provider"
    LINK = "a link shows the code of a binding"
    ACCOUNT = "an account of ours can be at fault"
    RATE = "too many letters are refused for a while"
    WAIT = "the provider says how long a while is"
    HANG_UP = "a letter can be taken without an answer"
    CREDENTIALS = "there are credentials of its own"


class Trouble(StrEnum):
    """What a counterpart can be told to do."""

    GONE = "the address takes no letters"
    RATE = "too many letters"
    HANG_UP = "it takes the letter and hangs up"


@dataclass(frozen=True)
class Said:
    """Something a person writes, number `n` of all; `answers` is the message or letter that it answers."""

    sender: str
    text: str
    at: datetime
    n: int = 1
    name: str = "Ana"
    answers: str = ""


class Known(NamedTuple):
    """A message, and how far its sender has to be believed."""

    message: InboundMessage
    verified: bool
    bound: bool


class Specimen(ABC):
    """One way of one channel, at work with its counterpart. `adapter` is what `load_channels` built for it."""

    channel: ClassVar[Channel]
    way: ClassVar[str]
    """Tells it from the channel's other ways."""
    excused: ClassVar[Mapping[Point, str]] = {}
    someone: ClassVar[str]
    """A sender's address, as the channel writes addresses."""
    production: ClassVar[Mapping[str, str]] = {}
    """All that a production needs of the channel's own variables."""

    adapter: Adapter
    policy: Policy
    rebuilt: Callable[[Mapping[str, str]], Adapter]
    """Builds another adapter of the same environment but for these variables."""

    @classmethod
    @abstractmethod
    def opened(cls, var: Path, records_url: str) -> AbstractContextManager["Specimen"]:
        """Start the counterpart, with `var` and the records at an address for whatever is to be kept."""

    @abstractmethod
    def environment(self) -> Mapping[str, str]:
        """The variables under which the channel talks to the counterpart."""

    @property
    def transcript(self) -> Transcript | None:
        """The web chat's book."""
        return None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never show."""
        return tuple(value for name, value in self.environment().items() if _SECRET.search(name))

    # ------------------------------------------------------------------------------------------------------ what comes

    def posts(self, now: datetime) -> Mapping[str, Post]:
        """A genuine post of each kind, signed at `now`, by a name."""
        return {}

    def forgeries(self, now: datetime) -> Mapping[str, Post]:
        """Posts that look genuine and are not."""
        return {}

    @abstractmethod
    def receive(self, said: Said, now: datetime) -> InboundMessage:
        """Have it come in by this way, stored at `now`."""

    @abstractmethod
    def identities(self, now: datetime) -> Mapping[str, Known]:
        """Messages of every kind of sender, by a name."""

    def bring(self, address: str, text: str) -> None:
        """Have somebody write at the counterpart, for the feed to find."""
        raise NotImplementedError

    def answer(self, address: str, now: datetime) -> InboundMessage:
        """Have somebody answer the last letter they got."""
        raise NotImplementedError

    def file(self) -> tuple[RemoteFile, bytes]:
        """Leave a file with the provider."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------------ what leaves

    @abstractmethod
    def person(self) -> str:
        """The address of somebody new whom a letter reaches."""

    @abstractmethod
    def delivered(self, address: str) -> list[str]:
        """The texts of what arrived there of ours, in order."""

    def threaded_to(self, address: str) -> str:
        """The message that the last of them answers, by the counterpart's word."""
        raise NotImplementedError

    def place(self) -> str:
        """Somewhere that everybody can read, where we were spoken to; `delivered` says what we wrote there."""
        raise NotImplementedError

    def trouble(self, trouble: Trouble, address: str) -> AbstractContextManager[str]:
        """Have the counterpart do it while the block lasts; gives the address to write to."""
        raise NotImplementedError

    away: ClassVar[Mapping[str, str]] = {}
    """Variables under which nobody answers."""

    @contextmanager
    def when_away(self) -> Iterator[Adapter]:
        """The adapter while its counterpart is away."""
        yield self.rebuilt(self.away)

    refused: ClassVar[Mapping[str, str]] = {}
    """Variables under which the provider takes our account for a stranger's."""
    wait: ClassVar[float] = 0
    """Seconds that it asks for when there are too many letters, at most."""


@contextmanager
def nothing(address: str) -> Iterator[str]:
    """No trouble to be made: the address itself is the trouble."""
    yield address


def utcnow() -> datetime:
    """The time to a second, as providers tell it."""
    return datetime.now(UTC).replace(microsecond=0)


def letter(to: str, text: str = "Recibimos su reclamo.", n: int = 1, **more: object) -> OutboundLetter:
    """A letter to an address; letters with other numbers are other letters."""
    whole: dict[str, object] = {
        "notice": f"RX-7KQ4-M2PD/acknowledgement/{n}",
        "kind": "acknowledgement",
        "to": to,
        "subject": "Acuse de recibo",
        "text": text,
        "message_id": f"RX-7KQ4-M2PD.acknowledgement.{n}@mail.example.org",
        **more,
    }
    return OutboundLetter.model_validate(whole)
