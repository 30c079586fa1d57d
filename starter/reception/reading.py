"""Reading a post that is genuine, and the courtesies that follow from it."""

from datetime import datetime

import structlog

from channels.port import Adapter, Greeting, Post
from models.errors import ChannelError, UnreadableMessage
from starter.reception.intake import Brought, Intake

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def read(intake: Intake, adapter: Adapter, post: Post, at: datetime) -> Brought:
    """Read a verified post and store what it brings; `at`, aware UTC, is when it came.

    What cannot be read is kept for a person: it is genuine, so whatever we make of it, it must not be lost. Raises
    RecordsUnavailable.
    """
    try:
        arrivals = adapter.parse(post, at)
    except Exception as error:  # noqa: BLE001 - as above
        foreseen = isinstance(error, UnreadableMessage)
        say = log.warning if foreseen else log.exception
        say("intake.unreadable", channel=adapter.name, bytes=len(post.body))
        return Brought([intake.receive_unreadable(post.body, adapter.name, at)], 0, ())
    return intake.take(adapter.name, arrivals, at)


def greet(adapter: Adapter, greeting: Greeting) -> None:
    """Tell somebody how to go on, or what came of a code they showed; a courtesy, which nobody tries twice."""
    try:
        adapter.greet(greeting)
    except ChannelError as error:
        log.warning("intake.not-greeted", channel=adapter.name, why=error.detail)
    except Exception:
        log.exception("intake.not-greeted", channel=adapter.name)
