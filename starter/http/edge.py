"""The edge: how often one caller may knock before anything else of a request is looked at.

A flood slows the flooder, not the cases. Counted are calls (of one key, or of one network address without any) and, far
stricter, refusals: status links that open nothing and keys that are not believed, which only somebody who guesses makes
many of. What channels' providers post is not counted: they all come from few addresses, and what is not theirs is
turned down before its body is read or by its signature.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from settings import Section
from starter.http.limits import Rate, network
from starter.http.problems import Problem


class EdgeSettings(Section):
    """How much is enough of one caller: `PLAZO_EDGE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="PLAZO_EDGE_")

    links_per_minute: Annotated[int, Field(ge=1)] = 20
    """Status links that open nothing, of one network address."""
    keys_per_minute: Annotated[int, Field(ge=1)] = 120
    """Calls with a key or token that is not believed, of one network address."""
    calls_per_minute: Annotated[int, Field(ge=1)] = 1200
    """Calls of the API with one key, or of status pages from one network address."""
    connections: Annotated[int, Field(ge=1)] = 100
    """Connections that one network address holds open; this machine and trusted proxies speak for many."""


@dataclass
class Edge:
    """Stands before an application (ASGI) and turns away who comes too often, with 429 and the seconds to wait."""

    app: ASGIApp
    settings: EdgeSettings
    clock: Callable[[], datetime]
    guessed: dict[str, tuple[HTTPStatus, Rate]] = field(init=False)
    """Where something can be guessed: the answer to a wrong guess, and how many there were."""
    calls: Rate = field(init=False)

    def __post_init__(self) -> None:
        """Begin to count."""
        links, keys = Rate(self.settings.links_per_minute), Rate(self.settings.keys_per_minute)
        self.guessed = {
            "/s/": (HTTPStatus.NOT_FOUND, links),
            "/api/": (HTTPStatus.UNAUTHORIZED, keys),
            "/codec/": (HTTPStatus.UNAUTHORIZED, keys),
        }
        self.calls = Rate(self.settings.calls_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or turn it away."""
        path = scope["path"] if scope["type"] == "http" else ""
        found = next((self.guessed[place] for place in self.guessed if path.startswith(place)), None)
        if found is None:
            await self.app(scope, receive, send)
            return
        wrong, guesses = found
        address = network(scope["client"][0] if scope["client"] else None)
        now = self.clock()
        # Counted before it is known to be wrong: many side by side would all be looked up else.
        seconds = guesses.wait(address, now)
        if not seconds and (seconds := self.calls.wait(_caller(scope, address), now)):
            guesses.give_back(address)
        if seconds:
            await _too_often(seconds).response()(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] != wrong:
                guesses.give_back(address)
            await send(message)

        await self.app(scope, receive, watched)


def _caller(scope: Scope, address: str) -> str:
    """Who calls: a key's hash, since colleagues share an address; else the address."""
    said = Headers(scope=scope).get("authorization")
    return hashlib.sha256(said.encode()).hexdigest() if said else address


def _too_often(seconds: int) -> Problem:
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "edge.too-often",
        "that was a lot in a short time; nothing was done, wait a little and send it again",
        headers={"Retry-After": str(seconds)},
    )
