"""Jira's webhook, as an administrator registers it with a secret: signed, and posted again when it was not taken."""

import asyncio
import hashlib
import hmac
import json
import uuid
from collections import deque
from contextlib import suppress
from typing import Any

import httpx2

from counterparts.mailroom.faults import Faults

RETRIED = frozenset({408, 409, 425, 429, *range(500, 600)})
"""Answers after which it is posted again; any other one ends it."""

_TAKEN = range(200, 300)


class Hooks:
    """One webhook at `url` (None: nowhere). A post is tried `tries` times, `pause` seconds apart; then it is lost."""

    def __init__(self, url: str | None, secret: str, faults: Faults, *, tries: int, pause: float) -> None:
        self.url, self.secret, self.pause = url, secret, pause
        self.delivered, self.lost = 0, 0
        self._faults, self._tries = faults, tries
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many posts are on their way."""
        return len(self._waiting)

    def tell(self, post: dict[str, Any]) -> None:
        """Post something as soon as what was before is through."""
        if self.url is None:
            return
        if self._faults.take("lose_events") is not None:
            self.lost += 1
            return
        whole = (str(uuid.uuid4()), json.dumps(post, ensure_ascii=False).encode())
        self._waiting += [whole, whole] if self._faults.take("duplicate_events") is not None else [whole]
        if self._worker is None or self._worker.done():
            # Not when the app starts: mounted beside the mailroom it hears nothing of that.
            self._worker = asyncio.create_task(self._deliver(self.url))

    async def _deliver(self, url: str) -> None:
        async with httpx2.AsyncClient(timeout=10) as client:
            while self._waiting:
                if await self._posted(client, url, *self._waiting[0]):
                    self.delivered += 1
                else:
                    self.lost += 1
                self._waiting.popleft()

    async def _posted(self, client: httpx2.AsyncClient, url: str, identifier: str, body: bytes) -> bool:
        for tried in range(self._tries):
            if tried:
                await asyncio.sleep(self.pause)
            headers = {
                "content-type": "application/json; charset=UTF-8",
                "user-agent": "Atlassian Webhook HTTP Client",
                "x-atlassian-webhook-identifier": identifier,
                "x-atlassian-webhook-flow": "Primary",
                "x-hub-signature": f"sha256={hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()}",
                **({"x-atlassian-webhook-retry": str(tried)} if tried else {}),
            }
            with suppress(httpx2.HTTPError):
                answer = await client.post(url, content=body, headers=headers)
                if answer.status_code in _TAKEN:
                    return True
                if answer.status_code not in RETRIED:
                    return False
        return False
