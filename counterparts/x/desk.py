"""Where every call of X's API arrives: what is checked before anything else, and how an answer may fail to come."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from counterparts.mailroom.faults import Fault, Faults
from counterparts.mailroom.send import HANG_UP
from counterparts.x.account import Account
from counterparts.x.hooks import Hooks
from counterparts.x.problems import Refusal, plain
from counterparts.x.world import World

_PRICES = {"dm_events": 0.01, "dm_send": 0.015, "tweets": 0.015, "mentions": 0.005, "users_me": 0.001, "dm_media": 0.0}

Route = Callable[..., Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes work with."""

    world: World
    account: Account
    hooks: Hooks
    faults: Faults

    async def user(self, request: Request, endpoint: str) -> dict[str, str]:
        """Let a call of the account's through, or suffer a fault; the headers of its answer. Raises Refusal."""
        if (delay := self.faults.take("delay")) is not None:
            await asyncio.sleep(delay.seconds)
        if self.faults.take("hang_up_before") is not None:
            raise HungUp
        if (fault := self.faults.take("status")) is not None:
            raise refused(fault)
        self.account.check_user(request.headers.get("authorization", ""))
        headers = self.account.count(endpoint)
        self.account.pay(_PRICES[endpoint], self.world.us.id)
        return headers

    async def answer(self, body: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
        """Answer what was done, or hang up on it."""
        if self.faults.take("hang_up_after_accept") is not None:
            raise HungUp
        return JSONResponse(body, status, headers)


class HungUp(Exception):
    """The connection is closed without an answer."""


def answered(route: Route) -> Route:
    """Turn a route's refusals into answers."""

    @wraps(route)
    async def serve(*given: Any, request: Request, **named: Any) -> Response:
        try:
            return await route(*given, request=request, **named)
        except Refusal as refusal:
            return refusal.response
        except HungUp:
            request.scope[HANG_UP]()
            # The server learns of the closed connection in the loop's next rounds, and then sends no answer.
            await asyncio.sleep(0.05)
            return Response(status_code=503)

    return serve


def refused(fault: Fault) -> Refusal:
    """The refusal that a fault asks for."""
    titles = {401: "Unauthorized", 403: "Forbidden", 429: "Too Many Requests", 503: "Service Unavailable"}
    return plain(fault.status, titles.get(fault.status, "Internal Server Error"))
