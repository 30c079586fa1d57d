"""Updates on their way to the bot's owner: asked for by long polling, or posted to a webhook until it takes them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2

from counterparts.telegram.refusals import Refusal

Update = dict[str, Any]

USUAL = ("message", "edited_message", "channel_post", "edited_channel_post", "callback_query", "my_chat_member")
"""What is handed over where nothing was chosen."""

_LOOK_SECONDS = 0.5
_LONGEST_WAIT = 60.0
_POST_SECONDS = 10
_FORGIVEN = 10
"""An offset that far beyond the newest update is taken for another row's, and the oldest is given."""


@dataclass
class Webhook:
    """Where updates are posted. The last failure is told by getWebhookInfo."""

    url: str
    secret: str = field(repr=False)
    connections: int
    error: str = ""
    error_at: int = 0


class Updates:
    """What waits, numbered. Used from one thread; `retry_seconds` is the first pause after a failed post."""

    def __init__(self, first: int, retry_seconds: float) -> None:
        self.webhook: Webhook | None = None
        self.allowed: tuple[str, ...] = USUAL
        self._next, self._retry_seconds = first, retry_seconds
        self._waiting: dict[int, tuple[int, Update]] = {}
        self._poller = 0
        self.asking = 0
        """How many questions are being held."""
        self._news = asyncio.Event()
        self._posting: dict[int, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(1)

    @property
    def pending(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def push(self, kind: str, body: dict[str, Any], chat: int) -> None:
        """Number what happened in a chat and hand it over, unless nobody asked for such."""
        if kind not in self.allowed:
            return
        self.push_raw({"update_id": self._next, kind: body}, chat)

    def push_raw(self, update: Update, chat: int) -> None:
        """Hand over an update as it is."""
        self._waiting[self._next] = (chat, update)
        self._next += 1
        self._news.set()
        self._deliver(chat)

    async def get(
        self, offset: int, limit: int, seconds: float, disconnected: Callable[[], Awaitable[bool]]
    ) -> list[Update]:
        """Confirm what came before `offset` and give what comes from there on. Raises Refusal."""
        if self.webhook is not None:
            raise Refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook"
                " first",
            )
        self._poller += 1
        ours, end = self._poller, time.monotonic() + seconds
        if offset < 0:
            self._confirm(self._next + offset)
        elif offset <= self._next + _FORGIVEN:
            self._confirm(offset)
        self.asking += 1
        try:
            await self._hold(ours, end, disconnected)
        finally:
            self.asking -= 1
        return [update for _, update in list(self._waiting.values())[: min(max(limit, 1), 100)]]

    async def _hold(self, ours: int, end: float, disconnected: Callable[[], Awaitable[bool]]) -> None:
        """Wait until there is an update, the time is over, or nobody waits for the answer. Raises Refusal."""
        while True:
            if self._waiting or time.monotonic() >= end or await disconnected():
                return
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(_LOOK_SECONDS, max(end - time.monotonic(), 0.01)))
            if ours != self._poller:
                raise Refusal(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )

    def set_webhook(self, webhook: Webhook | None) -> None:
        """Post to a webhook from now on, or keep updates for whoever asks."""
        self.webhook = webhook
        self._slots = asyncio.Semaphore(1 if webhook is None else webhook.connections)
        self._poller += 1
        self._news.set()
        for chat in {chat for chat, _ in self._waiting.values()}:
            self._deliver(chat)

    def drop(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

    def _confirm(self, offset: int) -> None:
        for number in [one for one in self._waiting if one < offset]:
            del self._waiting[number]

    def _deliver(self, chat: int) -> None:
        """Post what waits of a chat, one after the other; different chats at once."""
        if self.webhook is not None and chat not in self._posting:
            self._posting[chat] = asyncio.create_task(self._post_all(chat))

    async def _post_all(self, chat: int) -> None:
        try:
            await self._post_each(chat)
        finally:
            del self._posting[chat]
        # What came while the last connection was being closed.
        if self._oldest(chat) is not None:
            self._deliver(chat)

    async def _post_each(self, chat: int) -> None:
        wait = self._retry_seconds
        async with httpx2.AsyncClient(timeout=_POST_SECONDS) as client:
            while (webhook := self.webhook) is not None and (number := self._oldest(chat)) is not None:
                async with self._slots:
                    _, update = self._waiting.get(number, (chat, None))
                    taken = update is None or await _post(client, webhook, update)
                if taken:
                    self._waiting.pop(number, None)
                    wait = self._retry_seconds
                else:
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, _LONGEST_WAIT)

    def _oldest(self, chat: int) -> int | None:
        return next((number for number, (where, _) in self._waiting.items() if where == chat), None)


async def _post(client: httpx2.AsyncClient, webhook: Webhook, update: Update) -> bool:
    headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
    try:
        answer = await client.post(webhook.url, json=update, headers=headers)
    except httpx2.HTTPError as error:
        failed = f"{type(error).__name__}"
    else:
        if answer.is_success:
            return True
        failed = f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"
    webhook.error, webhook.error_at = failed, int(time.time())
    return False
