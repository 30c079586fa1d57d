"""X's calls: events posted to the webhook, signed and repeated, and the handshake (CRC) that keeps it valid."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from collections import deque
from contextlib import suppress
from typing import Any

import httpx2

from counterparts.mailroom.faults import Faults
from counterparts.x.account import Account

PRICE = 0.01
"""US dollars for an event."""

_TAKEN = range(200, 300)
_PAUSES = (0.1, 5.0)
_HANDSHAKE_SECONDS = 3


class Hooks:
    """One webhook at `url` (None: nowhere). An event is tried `tries` times with growing pauses; then it is lost.

    While the webhook is not `valid`, or not `calling` (an outage on X's side), events are lost at once.
    """

    def __init__(self, url: str | None, account: Account, faults: Faults, tries: int) -> None:
        self.url, self._account, self._faults, self._tries = url, account, faults, tries
        self.id, self.valid, self.calling = "1234567890", True, True
        self.delivered, self.lost = 0, 0
        self._waiting: deque[bytes] = deque()
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many events are on their way."""
        return len(self._waiting)

    def tell(self, event: dict[str, Any]) -> None:
        """Post an event as soon as those before it are through."""
        if self.url is None:
            return
        sent = event["data"]["event_type"] == "dm.sent"
        lost = self._faults.take("lose_events") is not None
        if lost or not (self.valid and self.calling) or not (sent or self._account.can_pay(PRICE)):
            self.lost += 1
            return
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        self._waiting += [body, body] if self._faults.take("duplicate_events") is not None else [body]
        if self._worker is None or self._worker.done():
            # Not when the app starts: mounted beside the mailroom it hears nothing of that.
            self._worker = asyncio.create_task(self._deliver(self.url))

    async def _deliver(self, url: str) -> None:
        async with httpx2.AsyncClient(timeout=10) as client:
            while self._waiting:
                if await self._posted(client, url, self._waiting[0]):
                    self.delivered += 1
                else:
                    self.lost += 1
                self._waiting.popleft()

    async def _posted(self, client: httpx2.AsyncClient, url: str, body: bytes) -> bool:
        pause, longest = _PAUSES
        for tried in range(self._tries):
            if tried:
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)
            with suppress(httpx2.HTTPError):
                answer = await client.post(url, content=body, headers=self.signed(body))
                if answer.status_code in _TAKEN:
                    return True
        return False

    def signed(self, body: bytes) -> dict[str, str]:
        """The headers of a post: both signatures, as for an app that has both secrets."""
        known = self._account.credentials
        return {
            "content-type": "application/json",
            "x-twitter-webhooks-signature": _signature(known.consumer_secret, body),
            "x-twitter-webhooks-signature-oauth2": _signature(known.client_secret, body),
        }

    async def handshake(self) -> bool:
        """Ask the webhook to show that it knows the consumer secret; from its answer on it is valid, or not."""
        token = secrets.token_urlsafe(24)
        self.valid = False
        if self.url is not None:
            async with httpx2.AsyncClient(timeout=_HANDSHAKE_SECONDS) as client:
                with suppress(httpx2.HTTPError, ValueError, AttributeError):
                    answer = await client.get(self.url, params={"crc_token": token})
                    wanted = _signature(self._account.credentials.consumer_secret, token.encode())
                    self.valid = answer.is_success and answer.json().get("response_token") == wanted
        return self.valid


def _signature(secret: str, message: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()
