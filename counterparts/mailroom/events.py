"""Events of letters, and their way to the event webhook: batched, signed, repeated until they are taken."""

import asyncio
import json
import secrets
import time
from contextlib import suppress
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from counterparts.inbound_parse import sign
from counterparts.mailroom.letters import Letter
from counterparts.mailroom.store import Store, Waiting

_PAUSE_SECONDS = (0.2, 60.0)
"""Between tries: the first pause, doubled up to the second."""
_KEPT_SECONDS = 24 * 3600
_TAKEN = range(200, 300)


def event(letter: Letter, kind: str, at: float, **more: Any) -> dict[str, Any]:
    """An event as SendGrid tells it; custom arguments stand beside its own keys."""
    return {
        **letter.custom_args,
        "email": letter.to[0],
        "timestamp": int(at),
        "smtp-id": letter.message_id,
        "event": kind,
        "category": letter.request.get("categories", []),
        "sg_event_id": secrets.token_urlsafe(16),
        "sg_message_id": f"{letter.id}.recvd-mailroom-1-{int(letter.accepted_at.timestamp()):X}.0",
        **more,
    }


class Poster:
    """Posts waiting events to `url`, oldest first; while it does not take them, nothing overtakes."""

    def __init__(self, store: Store, key: EllipticCurvePrivateKey, url: str | None) -> None:
        """Without a `url` events are kept and posted nowhere."""
        self._store, self._key, self._url = store, key, url
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that there may be something to post."""
        self._woken.set()

    async def run(self) -> None:
        """Post until cancelled."""
        if self._url is None:
            return
        pause = _PAUSE_SECONDS[0]
        async with httpx2.AsyncClient(timeout=10) as client:
            while True:
                now = time.time()
                batch = self._store.waiting(now)
                if not batch:
                    await self._rest(now)
                elif await self._post(client, self._url, batch):
                    self._store.posted(batch, time.time())
                    pause = _PAUSE_SECONDS[0]
                else:
                    old = [one for one in batch if now - one.event["timestamp"] > _KEPT_SECONDS]
                    self._store.posted(old, now)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _PAUSE_SECONDS[1])

    async def _rest(self, now: float) -> None:
        self._woken.clear()
        due = self._store.next_due()
        # Not wait_for: before Python 3.12 it may swallow the cancellation that ends `run`.
        with suppress(TimeoutError):
            async with asyncio.timeout(None if due is None else max(0.01, due - now)):
                await self._woken.wait()

    async def _post(self, client: httpx2.AsyncClient, url: str, batch: list[Waiting]) -> bool:
        # The real payload ends with a line end, and the signature covers it.
        body = json.dumps([one.event for one in batch]).encode() + b"\r\n"
        headers = {"Content-Type": "application/json", **sign(self._key, int(time.time()), body)}
        try:
            answer = await client.post(url, content=body, headers=headers)
        except httpx2.HTTPError:
            return False
        return answer.status_code in _TAKEN
