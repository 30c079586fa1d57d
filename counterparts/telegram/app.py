"""The stand-in as an ASGI application, to be run alone or mounted below a path."""

import time
from dataclasses import dataclass, field

from fastapi import FastAPI

from counterparts.telegram.api import api_router
from counterparts.telegram.control import control_router
from counterparts.telegram.faults import Faults
from counterparts.telegram.methods import Methods
from counterparts.telegram.office import office_router
from counterparts.telegram.town import Town
from counterparts.telegram.updates import Updates

DEVELOPMENT_TOKEN = "1000000:development"  # noqa: S105 - opens nothing but this stand-in
DEVELOPMENT_BOT = "plazo_dev_bot"

A_NEW_START = 20_000
"""Numbers for each second between two starts: after a quiet week Telegram, too, goes on somewhere else."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a stand-in is set up: its one bot, and how patient it is with a webhook.

    `first` is the first number of messages, and where the ids of people and groups begin. From the
    clock, no number comes twice when the stand-in is started again, which would be taken for a repetition.
    """

    token: str = field(default=DEVELOPMENT_TOKEN, repr=False)
    bot: str = DEVELOPMENT_BOT
    retry_seconds: float = 1
    first: int = field(default_factory=lambda: int(time.time()))
    first_update: int = field(default_factory=lambda: int(time.time()) * A_NEW_START)
    """Started again, the numbers of updates go on so far ahead that nobody takes it for a gap."""


def telegram(arrangement: Arrangement | None = None) -> FastAPI:
    """Set up a stand-in; it needs neither a start nor an end."""
    arranged = arrangement or Arrangement()
    faults = Faults()
    updates = Updates(arranged.first_update, arranged.retry_seconds)
    bot_id = int(arranged.token.partition(":")[0])
    town = Town(bot_id, arranged.bot, time.time, arranged.first, updates.push)
    app = FastAPI(title="Telegram", summary="A stand-in for the Bot API")
    app.include_router(api_router(arranged.token, town, Methods(town, updates, faults), faults))
    app.include_router(control_router(town, updates, faults))
    app.include_router(office_router(town))
    return app
