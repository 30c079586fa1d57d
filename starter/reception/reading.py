"""Reading a post that is genuine, and the courtesies that follow from it."""

from datetime import datetime
from typing import Protocol

import structlog

from channels.port import Arrivals, Greeting, Post
from models.errors import ChannelError, UnreadableMessage
from models.inquiry import Channel
from starter.reception.intake import Brought, Intake

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Entrance(Protocol):
    """Where posts come in: a channel's adapter, or the web form."""

    @property
    def name(self) -> Channel:
        """The channel's."""

    def verify(self, post: Post, now: datetime) -> None:
        """Raises VerificationError."""

    def parse(self, post: Post, stored_at: datetime) -> Arrivals:
        """Read a verified post. Raises UnreadableMessage."""

    def greet(self, greeting: Greeting) -> None:
        """Raises ChannelError."""


def read(intake: Intake, adapter: Entrance, post: Post, at: datetime) -> Brought:
    """Read a verified post and store what it brings; `at`, aware UTC, is when it came.

    What cannot be read is kept for a person: it is genuine, so whatever we make of it, it must not be lost. Raises
    RecordsUnavailable, and Malformed for a web form whose Idempotency-Key came with another form before.
    """
    try:
        arrivals = adapter.parse(post, at)
    except Exception as error:  # noqa: BLE001 - as above
        foreseen = isinstance(error, UnreadableMessage)
        say = log.warning if foreseen else log.exception
        say("intake.unreadable", channel=adapter.name, bytes=len(post.body))
        return Brought([intake.receive_unreadable(post.body, adapter.name, at)], 0, ())
    return intake.take(adapter.name, arrivals, at)


def greet(adapter: Entrance, greeting: Greeting) -> None:
    """Tell somebody how to go on, or what came of a code they showed; a courtesy, which nobody tries twice."""
    try:
        adapter.greet(greeting)
    except ChannelError as error:
        log.warning("intake.not-greeted", channel=adapter.name, why=error.detail)
    except Exception:
        log.exception("intake.not-greeted", channel=adapter.name)
