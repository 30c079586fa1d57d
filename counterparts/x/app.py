"""The stand-in as an application: `app.mount("/x", x(Arrangement(...)))`, or alone."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from counterparts.mailroom.faults import Faults
from counterparts.x.account import Account, Credentials
from counterparts.x.api import api_router
from counterparts.x.control import control_router, write_chat, write_message, write_post
from counterparts.x.desk import Desk
from counterparts.x.hooks import Hooks
from counterparts.x.pages import CONTENT_SECURITY, people_page, person_page
from counterparts.x.world import Person, World


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How it is set up: where events are posted (None: nowhere), and our account there.

    The defaults are what the channel takes for granted in development. A lost event takes `tries` tries.
    """

    webhook_url: str | None = None
    user_id: str = "1"
    username: str = "help"
    name: str = "Help"
    credentials: Credentials = field(default_factory=Credentials)
    tries: int = 8
    clock: Callable[[], float] = time.time


def x(arrangement: Arrangement) -> FastAPI:
    """Set it up, with one person to begin with. Everything is in memory."""
    us = Person(arrangement.user_id, arrangement.name, arrangement.username)
    faults, account = Faults(), Account(arrangement.credentials, arrangement.clock)
    world = World(us, arrangement.clock)
    world.join("Ana", "ana")
    desk = Desk(world, account, Hooks(arrangement.webhook_url, account, faults, arrangement.tries), faults)
    app = FastAPI(title="X", summary="A stand-in for X")
    for router in (api_router(desk), control_router(desk), _pages(desk)):
        app.include_router(router)
    return app


def _pages(desk: Desk) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    async def people(request: Request) -> HTMLResponse:
        """Show who there is."""
        return _html(people_page(desk.world, _root(request)))

    @router.post("/people")
    async def join(
        request: Request,
        name: Annotated[str, Form(max_length=50)],
        username: Annotated[str, Form(pattern=r"^[A-Za-z0-9_]{1,15}$")],
    ) -> RedirectResponse:
        """Join."""
        return _back(request, desk.world.join(name, username))

    @router.get("/people/{person_id}")
    async def person(request: Request, person_id: str) -> HTMLResponse:
        """Show one person."""
        known = desk.world.people.get(person_id)
        if known is None or known is desk.world.us:
            return HTMLResponse("There is no such person; this process may have been started anew.", 404)
        return _html(person_page(desk.world, known, _root(request)))

    @router.post("/people/{person_id}/{act}")
    async def write(
        request: Request,
        person_id: str,
        act: str,
        text: Annotated[str, Form(max_length=10_000)] = "",
        open_: Annotated[bool, Form(alias="open")] = True,  # noqa: FBT002 - a field of the form
    ) -> RedirectResponse:
        """Write something, or open and close direct messages."""
        known = desk.world.people.get(person_id)
        if known is None or known is desk.world.us:
            return RedirectResponse(f"{_root(request)}/", 303)
        if act == "messages" and text.strip():
            write_message(desk, known, text)
        elif act == "chats":
            write_chat(desk, known)
        elif act == "posts" and text.strip():
            write_post(desk, known, text)
        elif act == "open":
            known.open = open_
        return _back(request, known)

    return router


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", ""))


def _back(request: Request, person: Person) -> RedirectResponse:
    return RedirectResponse(f"{_root(request)}/people/{person.id}", 303)


def _html(page: str) -> HTMLResponse:
    return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY})
