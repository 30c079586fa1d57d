"""`POST /v3/mail/send` as SendGrid answers it. It never deduplicates: what is sent twice is accepted twice."""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from counterparts.mailroom.checks import error_body, problems
from counterparts.mailroom.events import Poster, event
from counterparts.mailroom.faults import Fault, Faults
from counterparts.mailroom.letters import Letter
from counterparts.mailroom.store import Store

LARGEST = 30 * 1024 * 1024
HANG_UP = "mailroom.hang_up"
"""Where the request's scope keeps the function that closes its connection."""

_RATE_LIMIT = 600
_TOO_MANY = 429
_DUPLICATE_AFTER_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Keys:
    """API keys. Without `valid` ones every key is, but for those `without_rights`."""

    valid: frozenset[str] = frozenset()
    without_rights: frozenset[str] = frozenset()

    def check(self, authorization: str) -> None:
        """Raise Refusal unless an Authorization header is good for sending."""
        scheme, _, key = authorization.partition(" ")
        if scheme != "Bearer" or not key.strip():
            raise Refusal(401, (None, "Permission denied, wrong credentials"))
        if key in self.without_rights:
            raise Refusal(403, (None, "access forbidden"))
        if self.valid and key not in self.valid:
            raise Refusal(401, (None, "The provided authorization grant is invalid, expired, or revoked"))


class Refusal(Exception):
    """An answer other than an acceptance."""

    def __init__(self, status: int, *found: tuple[str | None, str]) -> None:
        self.response = JSONResponse(error_body(*found), status)


@dataclass(frozen=True, slots=True)
class Counter:
    """Where mail is handed in. `events_delay` is in seconds from accepting a letter to posting its events."""

    store: Store
    poster: Poster
    faults: Faults
    keys: Keys
    events_delay: float

    async def serve(self, request: Request) -> Response:
        """Accept a mail, or suffer a fault. Raises Refusal."""
        if (delay := self.faults.take("delay")) is not None:
            await asyncio.sleep(delay.seconds)
        if (fault := self.faults.take("status", "hang_up_before")) is not None:
            return _refused(fault) if fault.kind == "status" else await _hang_up(request)
        self.keys.check(request.headers.get("authorization", ""))
        mail = await _mail(request)
        if mail.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return Response(status_code=200)
        message_id = self.accept(mail)
        if self.faults.take("hang_up_after_accept") is not None:
            return await _hang_up(request)
        return Response(status_code=202, headers={"X-Message-Id": message_id})

    def accept(self, mail: dict[str, Any]) -> str:
        """Keep the letters of a request and what is to be told of them; returns the request's X-Message-Id."""
        now = time.time()
        message_id = secrets.token_urlsafe(16)
        letters = [
            Letter(f"{message_id}-{number}" if number else message_id, datetime.fromtimestamp(now, UTC), mail, number)
            for number in range(len(mail["personalizations"]))
        ]
        told = []
        if self.faults.take("lose_events") is None:
            twice = self.faults.take("duplicate_events") is not None
            for one in letters:
                sent = event(one, "processed", now), event(one, "delivered", now, response="250 OK")
                told += [(one.id, now + self.events_delay, each) for each in sent]
                if twice:
                    told += [(one.id, now + self.events_delay + _DUPLICATE_AFTER_SECONDS, each) for each in sent]
        self.store.accept(letters, told)
        self.poster.wake()
        return message_id


def send_router(counter: Counter) -> APIRouter:
    """The one route."""
    router = APIRouter()

    @router.post("/v3/mail/send")
    async def send(request: Request) -> Response:
        """Send a mail."""
        try:
            return await counter.serve(request)
        except Refusal as refusal:
            return refusal.response

    return router


async def _mail(request: Request) -> dict[str, Any]:
    """The request's JSON, checked."""
    body = await _body(request)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refusal(415, (None, "Content-Type should be application/json."))
    try:
        mail = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, (None, "Bad Request")) from None
    found = problems(mail)
    if found:
        raise Refusal(400, *found)
    checked: dict[str, Any] = mail
    return checked


async def _body(request: Request) -> bytes:
    """The request's body. Raises Refusal where it is too large."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > LARGEST:
            raise Refusal(413, (None, "Payload Too Large"))
    return bytes(received)


def _refused(fault: Fault) -> Response:
    headers = {}
    if fault.status == _TOO_MANY:
        reset = int(time.time()) + (60 if fault.retry_after is None else fault.retry_after)
        headers = {
            "X-RateLimit-Limit": str(_RATE_LIMIT),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(reset),
        }
    elif fault.retry_after is not None:
        headers = {"Retry-After": str(fault.retry_after)}
    messages = {
        401: "The provided authorization grant is invalid, expired, or revoked",
        403: "access forbidden",
        429: "too many requests",
    }
    return JSONResponse(error_body((None, messages.get(fault.status, "internal error"))), fault.status, headers)


async def _hang_up(request: Request) -> Response:
    request.scope[HANG_UP]()
    # The server learns of the closed connection in the loop's next rounds, and then sends no answer.
    await asyncio.sleep(0.05)
    return Response(status_code=503)
