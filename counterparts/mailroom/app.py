"""The mailroom as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from counterparts.mailroom.events import Poster
from counterparts.mailroom.faults import Faults
from counterparts.mailroom.keys import mailroom_private_key, mailroom_public_key
from counterparts.mailroom.office import Office, office_router
from counterparts.mailroom.send import HANG_UP, Counter, Keys, send_router
from counterparts.mailroom.store import Store


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a mailroom is set up: its folder, and where events and incoming mail go (None: nowhere)."""

    folder: Path
    events_url: str | None = None
    inbound_url: str | None = None
    inbound_secret: str = field(default="", repr=False)
    keys: Keys = field(default_factory=Keys, repr=False)
    events_delay: float = 0.05
    """Seconds from accepting a letter to telling of it."""
    beside: Mapping[str, ASGIApp] = field(default_factory=dict)
    """Other stand-ins in the same process, by the path they answer below."""


class HangUps:
    """Gives each request a function that closes its connection without an answer, which ASGI itself knows no way to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        if scope["type"] == "http":
            # uvicorn's `receive` is a method of the object that holds the transport.
            cycle: Any = getattr(receive, "__self__", None)
            hang_up: Callable[[], None] = cycle.transport.abort if cycle is not None else lambda: None
            scope[HANG_UP] = hang_up
        await self._app(scope, receive, send)


def mailroom(arrangement: Arrangement) -> ASGIApp:
    """Set up a mailroom; its files are opened when it starts."""
    store = Store(arrangement.folder)
    key = mailroom_private_key(arrangement.folder)
    poster = Poster(store, key, arrangement.events_url)
    faults = Faults()

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        posting = asyncio.create_task(poster.run())
        try:
            yield
        finally:
            posting.cancel()
            with suppress(asyncio.CancelledError):
                await posting
            store.close()

    app = FastAPI(title="Mailroom", summary="A stand-in for SendGrid", lifespan=life)
    app.include_router(send_router(Counter(store, poster, faults, arrangement.keys, arrangement.events_delay)))
    public_key = mailroom_public_key(arrangement.folder)
    office = Office(store, poster, faults, key, public_key, arrangement.inbound_url, arrangement.inbound_secret)
    app.include_router(office_router(office))
    for path, other in arrangement.beside.items():
        app.mount(path, other)
    return HangUps(app)
