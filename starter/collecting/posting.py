"""Posting webhooks: one collector at a time shares events out, and each subscription has posts of its own under way.

So a receiver that is slow or away holds up nobody else. What was under way when a process died is posted again under
the same `webhook-id`.
"""

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx2
import structlog
from sqlmodel import Session

from keys import KeyRing
from models import hooks as published
from models.errors import RecordsUnavailable
from models.tables import Delivery, Webhook
from records import deliveries, feeds, hooks, ledger, visibility
from records.database import Database
from records.deliveries import Tried
from starter.admin import hook_secrets
from starter.http import outside

NAME = "webhooks"
LEASE, RENEWED = timedelta(seconds=120), timedelta(seconds=30)
AT_ONCE = 8
"""Posts under way to one receiver, each of another inquiry."""

PAUSE, LONG_PAUSE = 0.5, 15.0
"""Seconds between looks; the longer one while another collector posts or the records are away."""

TIDIED = timedelta(hours=1)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Posting:
    """All webhooks of the house, in a thread of its own. `holder` names this process; `clock` gives aware UTC."""

    def __init__(
        self,
        database: Database,
        ring: KeyRing,
        allowed: Sequence[outside.Network],
        clock: Callable[[], datetime],
        holder: str,
    ) -> None:
        self._database, self._ring, self._allowed = database, ring, allowed
        self._clock, self._holder = clock, holder
        self._held_at: datetime | None = None
        self._tidied_at: datetime | None = None
        self._posts: dict[str, asyncio.Task[None]] = {}
        self._ending = False

    def run(self, stop: threading.Event) -> None:
        """Post until told to stop; nothing that goes wrong ends it before."""
        asyncio.run(self._run(stop))

    async def _run(self, stop: threading.Event) -> None:
        async with outside.client() as client:
            while not stop.is_set():
                pause = await self._guarded(self.round(client))
                await asyncio.to_thread(stop.wait, pause or LONG_PAUSE)
            self._ending = True
            await self.finished()
        with suppress(RecordsUnavailable, KeyError):
            await asyncio.to_thread(self._let_go)

    async def round(self, client: httpx2.AsyncClient) -> float:
        """Share out what waits and see that each receiver is posted to; return the seconds until the next look."""
        now = self._clock()
        if not await asyncio.to_thread(self._held, now):
            return LONG_PAUSE
        for webhook in await asyncio.to_thread(self._look, now):
            if webhook.id not in self._posts:
                task = asyncio.create_task(self._post_all(client, webhook))
                self._posts[webhook.id] = task
                task.add_done_callback(partial(self._ended, webhook.id))
        return PAUSE

    def _ended(self, webhook: str, _task: asyncio.Task[None]) -> None:
        del self._posts[webhook]

    async def finished(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(*self._posts.values())

    async def _post_all(self, client: httpx2.AsyncClient, webhook: Webhook) -> None:
        """Post what is due to one receiver, for as long as it takes something."""
        while await self._guarded(self._post_some(client, webhook)):
            pass

    async def _post_some(self, client: httpx2.AsyncClient, webhook: Webhook) -> bool:
        batch = await asyncio.to_thread(self._due, webhook)
        if not batch:
            return False
        tried = await asyncio.gather(*(self._post(client, webhook, one, content) for one, content in batch))
        await asyncio.to_thread(self._settle, webhook, tried)
        return any(one.taken for one in tried) and self._may_go_on()

    async def _post(
        self, client: httpx2.AsyncClient, webhook: Webhook, delivery: Delivery, content: bytes | None
    ) -> Tried:
        number = delivery.id or 0
        if content is None:
            return Tried(number, 0, withheld=True)
        now = self._clock()
        secrets = self._secrets(webhook, now)
        if not secrets:
            return Tried(number, 0, "no key of the key ring opens its secret; rotate it")
        id_ = published.event_id(delivery.reference, delivery.seq)
        headers = published.headers(secrets, id_, now, content)
        status, error = await outside.post(client, webhook.url, headers, content, self._allowed)
        return Tried(number, status, error)

    def _secrets(self, webhook: Webhook, now: datetime) -> list[str]:
        sealed = [webhook.secret]
        if webhook.former_until is not None and webhook.former_until > now:
            sealed.append(webhook.former_secret)
        opened = (hook_secrets.unseal(self._ring, webhook.url, one) for one in sealed)
        return [secret for secret in opened if secret is not None]

    def _held(self, now: datetime) -> bool:
        """Take the lease, or renew it in good time; False while another process has it."""
        if self._held_at is not None and now - self._held_at < RENEWED:
            return True
        with self._database.write() as session:
            cursor = feeds.hold(session, NAME, NAME, self._holder, now=now, lease=LEASE)
            if cursor is None:
                self._held_at = None
                return False
            feeds.looked(session, NAME, cursor, now, holder=self._holder)
        self._held_at = now
        return True

    def _may_go_on(self) -> bool:
        held = self._held_at is not None and self._clock() - self._held_at < LEASE
        return held and not self._ending

    def _look(self, now: datetime) -> list[Webhook]:
        with self._database.read() as session:
            waits = deliveries.anything_waits(session)
        if waits:
            with self._database.write() as session:
                deliveries.share_out(session, now)
        if self._tidied_at is None or now - self._tidied_at >= TIDIED:
            self._tidied_at = now
            with self._database.write() as session:
                given_up = deliveries.tidy(session, now)
            if given_up:
                log.error("webhooks.given-up", events=given_up)
        with self._database.read() as session:
            return [row for row in hooks.ready(session, now) if deliveries.due(session, row.id, now, 1)]

    def _due(self, webhook: Webhook) -> list[tuple[Delivery, bytes | None]]:
        """What may be posted now, each with its content; None for what must not leave."""
        with self._database.read() as session:
            rows = deliveries.due(session, webhook.id, self._clock(), AT_ONCE)
            return [(row, content(session, row)) for row in rows]

    def _settle(self, webhook: Webhook, tried: Sequence[Tried]) -> None:
        jitter = random.uniform(0.8, 1.2)  # noqa: S311  so that not all come back in the same second
        now = self._clock()
        with self._database.write() as session:
            deliveries.settle(session, webhook.id, tried, now, jitter)
        gone = any(one.status == deliveries.GONE for one in tried)
        if gone or not any(one.taken for one in tried):
            why = next(one.error for one in tried if not one.taken)
            log.error("webhook.off" if gone else "webhook.fails", webhook=webhook.id, why=why)

    def _let_go(self) -> None:
        if self._held_at is not None:
            with self._database.write() as session:
                feeds.release(session, NAME, self._holder)

    async def _guarded(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What the work returns; None where it failed, which is logged and never ends the thread."""
        try:
            return await work
        except RecordsUnavailable:
            log.warning("webhooks.later", why="the records database is away")
        except Exception:
            log.exception("webhooks.broken")
        return None


def content(session: Session, delivery: Delivery) -> bytes | None:
    """Return what is posted; None for what must not leave the house."""
    event = ledger.event(session, delivery.reference, delivery.seq)
    if event is None or event.type not in published.PUBLISHED or visibility.secret(session, delivery.reference):
        return None
    return published.body(event)
