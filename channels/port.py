"""What a channel is: verify, parse, send, status; and what flows through it, whatever the channel.

A channel is a package `channels/<name>/` whose module `adapter` has a function `build(surroundings) -> Adapter`. The
policy names it and switches it on; nothing else has to know of it. `docs/channels.md` shows how to add one, and
`tests/channels/contract/` says what every one must do.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple, Protocol

from channels.letter import Accepted, OutboundLetter
from channels.message import InboundMessage, RemoteFile
from channels.report import DeliveryEvent, Reach
from models.inquiry import Channel, Language
from settings import Settings


class Door(NamedTuple):
    """A webhook: how many bytes of a post it looks at, and whether it takes one that had to be `cut` there."""

    limit: int
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """What was posted to one of a channel's doors. `headers` have lower-case names; `body` is exactly what arrived.

    `whole` is False where the body was longer than the door's limit and only its beginning is here.
    """

    door: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    whole: bool = True


class Number(NamedTuple):
    """A provider counts what it hands over: the row it counts in, and the number. A missing one is a gap."""

    stream: str
    n: int


Courtesy = Literal["hello", "connected", "link_over", "link_other", "link_to_type"]
"""What somebody is told: how to write; that their address now belongs to an account; that the code they showed is good
no longer; that it is good, but their address belongs to another account already, or has inquiries, which a code joins
only when the person writes it."""


class Greeting(NamedTuple):
    """Somebody opened a conversation or showed a code, and is told how to go on; no inquiry, and no letter."""

    to: str
    language: Language | None
    what: Courtesy = "hello"


class Claim(NamedTuple):
    """Somebody shows the one-time code of a binding from an address of this channel."""

    code: str
    address: str
    name: str
    at: datetime
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a post, or one look at the provider, brought. Everything is stored before the sender is answered."""

    messages: tuple[InboundMessage, ...] = ()
    reports: tuple[DeliveryEvent, ...] = ()
    reaches: tuple[Reach, ...] = ()
    claims: tuple[Claim, ...] = ()
    greetings: tuple[Greeting, ...] = ()
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """One look at the provider: what it brought, where the next look begins, and whether more waits already.

    `late` says that what it brought should have come by webhook, and did not: it was found by reconciliation.
    """

    arrivals: Arrivals
    cursor: str
    more: bool = False
    late: bool = False


class Feed(ABC):
    """A way in where we ask instead of being told: long polling, IDLE, or a reconciliation every few minutes.

    One process at a time runs it. The cursor is stored after what came with it, so a look may bring things again.
    """

    name: ClassVar[str]
    """Unique among all feeds, such as `telegram` or `imap`."""
    pause: ClassVar[float]
    """Seconds between two looks when nothing more waits; 0 where the look itself waits (long polling, IDLE)."""

    @abstractmethod
    def look(self, cursor: str, known: Callable[[str], bool], now: datetime) -> Batch:
        """Ask the provider once. It blocks for 30 seconds at most; `cursor` is empty the first time.

        `known` says whether a message with that id of the provider's is stored. Raises ChannelError: OperatorError when
        our account is at fault (revoked, out of credits), which is an intake outage; TransientError otherwise.
        """

    def close(self) -> None:  # noqa: B027 - most feeds hold nothing open
        """Let go of connections; another thread may be in `look`, which then ends soon."""


class Parts(Protocol):
    """The parts of one letter that the provider has taken already: a later try goes on behind them."""

    @property
    def taken(self) -> tuple[str, ...]:
        """The provider's ids of the parts taken so far, in order."""

    def take(self, provider_id: str) -> None:
        """Record durably that the provider took the next part under this id."""


class Adapter(ABC):
    """One channel, both ways. Safe to use from several threads."""

    name: ClassVar[Channel]
    doors: Mapping[str, Door] = {}
    """The webhooks at `/intake/<channel>/<door>`."""

    def knock(self, door: str, headers: Mapping[str, str]) -> None:  # noqa: B027 - not every channel can
        """Turn a stranger away before the body is read, where a secret in a header tells. Raises VerificationError."""

    @abstractmethod
    def verify(self, post: Post, now: datetime) -> None:
        """Check, on the raw bytes and in constant time, that the post is the provider's and fresh.

        Raises VerificationError, whatever is wrong; nothing else.
        """

    @abstractmethod
    def parse(self, post: Post, stored_at: datetime) -> Arrivals:
        """Read a verified post; pure. `stored_at` is aware UTC.

        Raises UnreadableMessage where it cannot be read at all; whatever else is wrong is borne.
        """

    def shake(self, door: str, query: Mapping[str, str]) -> dict[str, str] | None:  # noqa: ARG002 - most have none
        """Answer a provider's handshake (GET), without the database or Temporal; None where there is none.

        Raises VerificationError for a malformed one.
        """
        return None

    @abstractmethod
    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        """Hand a letter over. Raises RecipientError, OperatorError, TransientError or UnknownOutcome."""

    def greet(self, greeting: Greeting) -> None:  # noqa: B027 - most channels never greet
        """Tell somebody what the greeting is about, and how to go on. Raises ChannelError; nobody tries again."""

    def fetch(self, file: RemoteFile) -> bytes:
        """Fetch a file that a message left with the provider. Raises RecipientError where it is gone for good."""
        raise NotImplementedError(f"{self.name} leaves no files with its provider: {file.id}")

    def feeds(self) -> tuple[Feed, ...]:
        """The feeds that this configuration wants run."""
        return ()

    def link(self, code: str) -> str:  # noqa: ARG002 - most have none
        """The address under which a person shows a binding's one-time code here; empty where it is typed in."""
        return ""

    def close(self) -> None:
        """Let go of what is held open, with the feeds; calls that wait in other threads end. Nothing is used after."""
        for feed in self.feeds():
            feed.close()


class Transcript(Protocol):
    """The web chat's own book, whose provider we are ourselves; see `records.chat`."""

    def reachable(self, session: str, now: datetime) -> bool:
        """Say whether the visitor can still read there: present, or with nowhere else to be written to."""

    def write(self, session: str, letter: OutboundLetter, now: datetime) -> str:
        """Put a letter before the visitor, once, and return its id. KeyError when there is no such session."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The policy's sizes: bytes of a post, parts of a mail, characters of a text, files of a message."""

    size: int
    parts: int
    text: int
    files: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a channel is built with; its own settings it reads itself, with `settings.read_section`.

    `address` is the policy's public address of the channel, `operator` the operator's name. In development nothing
    needs an account: what is not set means the stand-in at `counterparts`.
    """

    address: str
    operator: str
    limits: Limits
    clock: Callable[[], datetime]
    settings: Settings
    transcript: Transcript | None = None

    @property
    def development(self) -> bool:
        """Whether the local stand-ins take the place of the providers."""
        return self.settings.environment == "development"

    @property
    def counterparts(self) -> str:
        """Where the local stand-ins answer: `<counterparts>/<channel>`."""
        return f"http://127.0.0.1:{self.settings.mailroom_port}"
