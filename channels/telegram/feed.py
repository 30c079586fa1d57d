"""Long polling: Telegram holds the question until there is an update. It needs no public address."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from channels.port import Arrivals, Batch, Feed
from channels.telegram.bot import Bot
from channels.telegram.fields import number, obj
from channels.telegram.updates import KINDS, UpdateReader
from models.errors import ChannelError, TransientError

HELD_SECONDS = 25
_ANSWER_SECONDS = HELD_SECONDS + 3
_MOST = 100


class TelegramFeed(Feed):
    """Asks for updates; the cursor is the first `update_id` that is wanted, which confirms all before it."""

    name: ClassVar[str] = "telegram"
    pause: ClassVar[float] = 0

    def __init__(self, bot: Bot, reader: UpdateReader, held_seconds: int = HELD_SECONDS) -> None:
        self._bot, self._reader, self._held_seconds = bot, reader, held_seconds

    def look(self, cursor: str, known: Callable[[str], bool], now: datetime) -> Batch:  # noqa: ARG002 - Telegram knows
        """Ask once. Raises OperatorError, also where a webhook is set, and TransientError."""
        wanted: dict[str, object] = {"timeout": self._held_seconds, "limit": _MOST, "allowed_updates": list(KINDS)}
        if cursor.isdecimal():
            wanted["offset"] = int(cursor)
        try:
            updates = self._bot.ask("getUpdates", wanted, _ANSWER_SECONDS)
        except (ChannelError, RuntimeError):
            # What a client raises whose connections are closed meanwhile, or were before.
            if self._bot.closed:
                return Batch(Arrivals(), cursor)
            raise
        if not isinstance(updates, list):
            raise TransientError("Telegram answered getUpdates with no list")
        # Without a number it can be neither read nor confirmed.
        numbered = [one for one in updates if number(obj(one).get("update_id")) is not None]
        if updates and not numbered:
            raise TransientError("Telegram answered getUpdates with updates that bear no update_id")
        brought = [self._reader.bear(one, json.dumps(one).encode(), now) for one in numbered]
        newest = max((one["update_id"] for one in numbered), default=None)
        return Batch(_together(brought), cursor if newest is None else str(newest + 1), more=len(updates) == _MOST)

    def close(self) -> None:
        """End the question that is being held."""
        self._bot.close()


def _together(brought: list[Arrivals]) -> Arrivals:
    return Arrivals(
        messages=tuple(one for each in brought for one in each.messages),
        reaches=tuple(one for each in brought for one in each.reaches),
        claims=tuple(one for each in brought for one in each.claims),
        greetings=tuple(one for each in brought for one in each.greetings),
        numbers=tuple(one for each in brought for one in each.numbers),
    )
