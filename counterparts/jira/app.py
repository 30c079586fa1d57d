"""The stand-in as an application: `app.mount("/jira", jira(Arrangement(...)))`, or alone."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from counterparts.jira.adf import document
from counterparts.jira.api import Site, api_router
from counterparts.jira.control import Move, control_router, issue_of, moved
from counterparts.jira.hooks import Hooks
from counterparts.jira.issues import Project
from counterparts.jira.pages import CONTENT_SECURITY, board_page
from counterparts.mailroom.faults import Faults

_SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How it is set up: its project, our account, and where it posts (None: nowhere).

    The defaults are what the tracker takes for granted in development. A new issue is found by searches after
    `search_delay` seconds; a post that is not taken is posted again after `retry_seconds`, `tries` times in all.
    `first` is the first id: from the clock, none comes twice when the stand-in is started again.
    """

    webhook_url: str | None = None
    project: str = "OPS"
    types: frozenset[str] = frozenset({"Task", "Bug", "Story"})
    email: str = "plazo@example.org"
    token: str = field(default="development", repr=False)
    secret: str = field(default="development", repr=False)
    site: str = "http://127.0.0.1:8025/jira"
    search_delay: float = 3
    retry_seconds: float = 5
    tries: int = 5
    first: int = field(default_factory=lambda: int(time.time()))
    clock: Callable[[], float] = time.time


def jira(arrangement: Arrangement) -> FastAPI:
    """Set it up. Everything is in memory."""
    faults = Faults()
    hooks = Hooks(
        arrangement.webhook_url, arrangement.secret, faults, tries=arrangement.tries, pause=arrangement.retry_seconds
    )
    project = Project(arrangement.project, arrangement.email, arrangement.site, arrangement.clock, arrangement.first)
    project.tell = hooks.tell
    login = f"{arrangement.email}:{arrangement.token}"
    site = Site(project, faults, login, arrangement.types, arrangement.search_delay)
    app = FastAPI(title="Jira", summary="A stand-in for Jira Cloud")
    for router in (api_router(site), control_router(site, hooks), _pages(site)):
        app.include_router(router)
    return app


def _pages(site: Site) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    @router.get("/browse/{key}")
    async def board(request: Request) -> HTMLResponse:
        """Show the issues."""
        headers = {"Content-Security-Policy": CONTENT_SECURITY}
        return HTMLResponse(board_page(site.project, _root(request)), headers=headers)

    @router.post("/issues/{name}/move")
    async def move(request: Request, name: str, wanted: Annotated[Move, Form()]) -> RedirectResponse:
        """Move an issue."""
        moved(site, issue_of(site, name), wanted)
        return RedirectResponse(f"{_root(request)}/", _SEE_OTHER)

    @router.post("/issues/{name}/comments")
    async def comment(request: Request, name: str, text: Annotated[str, Form(max_length=4_000)]) -> RedirectResponse:
        """Write below an issue."""
        if text.strip():
            site.project.comment(issue_of(site, name), "Specialist", document(text))
        return RedirectResponse(f"{_root(request)}/", _SEE_OTHER)

    return router


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", ""))
