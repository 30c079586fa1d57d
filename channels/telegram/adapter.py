"""The channel `telegram`: what people write to the bot, and the letters it writes back."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from channels.letter import Accepted, OutboundLetter
from channels.message import RemoteFile
from channels.port import Adapter, Arrivals, Door, Feed, Greeting, Parts, Post, Surroundings
from channels.telegram.answers import of_file
from channels.telegram.bot import Bot
from channels.telegram.contents import LARGEST_FILE
from channels.telegram.feed import TelegramFeed
from channels.telegram.fields import obj
from channels.telegram.greeting import greeting as words_of
from channels.telegram.messages import NAME
from channels.telegram.send import TelegramSender
from channels.telegram.settings import TELEGRAM, TelegramSettings
from channels.telegram.updates import KINDS, UpdateReader
from channels.telegram.verify import verify_secret
from models.errors import OperatorError, TransientError
from settings import read_section

UPDATES = "updates"
LIMIT = 1024 * 1024
"""Bytes of a post; an update is a few kilobytes."""

_FILE_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def build(surroundings: Surroundings) -> "Telegram":
    """Set the channel up from its settings. Raises SettingsError."""
    settings = read_section(TelegramSettings, surroundings.settings)
    stand_in = f"{surroundings.counterparts}/{NAME}"
    host = settings.host or (stand_in if settings.stand_in else TELEGRAM)
    return Telegram(settings, host, surroundings.operator, surroundings.clock, surroundings.limits.text)


class Telegram(Adapter):
    """A bot on Telegram, both ways."""

    name = NAME
    doors = {UPDATES: Door(LIMIT)}  # noqa: RUF012 - the port declares it as a Mapping, which nobody changes

    def __init__(
        self,
        settings: TelegramSettings,
        host: str,
        operator: str,
        clock: Callable[[], datetime],
        text_limit: int = 1_000_000,
    ) -> None:
        self._settings, self._host, self._operator = settings, host, operator
        self._bot = Bot(settings.token.get_secret_value(), host)
        self._reader = UpdateReader(settings.bot_id, text_limit, settings.groups)
        self._sender = TelegramSender(self._bot, clock)

    def knock(self, door: str, headers: Mapping[str, str]) -> None:  # noqa: ARG002 - there is one door
        """Check the webhook's secret."""
        verify_secret(self._settings.secret.get_secret_value(), headers)

    def verify(self, post: Post, now: datetime) -> None:  # noqa: ARG002 - Telegram's posts bear no time
        """Check the webhook's secret."""
        verify_secret(self._settings.secret.get_secret_value(), post.headers)

    def parse(self, post: Post, stored_at: datetime) -> Arrivals:
        """Read an update."""
        return self._reader.read(post.body, stored_at)

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        """Send a letter as the bot's messages, or as a document of the bot's."""
        return self._sender.send(letter, parts)

    def greet(self, greeting: Greeting) -> None:
        """Say what the bot is for, or what became of a code."""
        self._sender.say(greeting.to, words_of(self._operator, greeting.language, greeting.what))

    def fetch(self, file: RemoteFile) -> bytes:
        """Fetch a file of 20 MB at most."""
        try:
            found = obj(self._bot.ask("getFile", {"file_id": file.id}))
        except OperatorError as error:
            raise of_file(error) from None
        path = found.get("file_path")
        if not isinstance(path, str) or not _FILE_PATH.fullmatch(path):
            raise TransientError("Telegram named no path of the file")
        return self._bot.download(path, LARGEST_FILE)

    def close(self) -> None:
        """Hang up on Telegram."""
        super().close()
        self._bot.close()

    def feeds(self) -> tuple[Feed, ...]:
        """Long polling, unless a webhook tells of updates."""
        if self._settings.mode == "webhook":
            return ()
        # A connection of its own: closing the feed closes it, and letters go on.
        return (TelegramFeed(Bot(self._settings.token.get_secret_value(), self._host, connections=1), self._reader),)

    def link(self, code: str) -> str:
        """Return the link that opens the conversation with the bot and shows it the code."""
        return f"https://t.me/{self._settings.bot}?start={code}"

    def set_webhook(self, url: str) -> None:
        """Have Telegram post updates to `url`, with the secret; what waits is not dropped. Raises ChannelError."""
        secret = self._settings.secret.get_secret_value()
        if not secret:
            raise OperatorError("PLAZO_TELEGRAM_SECRET is not set: set 32 random characters or more, and call again")
        self._bot.do("setWebhook", {"url": url, "secret_token": secret, "allowed_updates": list(KINDS)})

    def delete_webhook(self) -> None:
        """Have Telegram keep updates for long polling; what waits is not dropped. Raises ChannelError."""
        self._bot.do("deleteWebhook", {"drop_pending_updates": False})

    def webhook_info(self) -> Mapping[str, Any]:
        """Return what Telegram says of the webhook: `url`, `pending_update_count`, `last_error_message`, ...

        Raises ChannelError.
        """
        return obj(self._bot.ask("getWebhookInfo", {}))
