"""What a test asks of the stand-in, as JSON: issues, what specialists do with them, posts, faults."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from counterparts.jira.adf import document, text_of
from counterparts.jira.api import Site
from counterparts.jira.hooks import Hooks
from counterparts.jira.issues import STATUSES, Issue
from counterparts.mailroom.faults import Fault

Words = Annotated[str, Field(max_length=4_000)]


class Move(BaseModel):
    """An issue is moved, perhaps with a comment; at its end with a resolution."""

    status: str
    resolution: Annotated[str, Field(max_length=60)] = ""
    comment: Words = ""


class Written(BaseModel):
    """A comment of a specialist's."""

    text: Annotated[str, Field(min_length=1, max_length=4_000)]


class Manner(BaseModel):
    """How the site behaves: how long searches lag behind, where posts go, how long until they are tried again."""

    search_delay: Annotated[float, Field(ge=0, le=3_600)] | None = None
    webhook_url: Annotated[str, Field(max_length=300)] | None = None
    retry_seconds: Annotated[float, Field(ge=0, le=600)] | None = None


def control_router(site: Site, hooks: Hooks) -> APIRouter:
    """All routes of the control API."""
    router = APIRouter(prefix="/api")
    _issues(router, site)
    _manners(router, site, hooks)
    return router


def issue_of(site: Site, name: str) -> Issue:
    """The issue with that id or key. Raises HTTPException."""
    issue = site.project.find(name)
    if issue is None:
        raise HTTPException(404, "there is no such issue")
    return issue


def moved(site: Site, issue: Issue, move: Move) -> None:
    """Move an issue. Raises HTTPException for a status that does not exist."""
    if move.status not in STATUSES:
        raise HTTPException(422, f"one of {', '.join(STATUSES)} is needed")
    words = document(move.comment) if move.comment.strip() else None
    site.project.move(issue, move.status, move.resolution, words)


def _issues(router: APIRouter, site: Site) -> None:
    @router.get("/issues")
    async def issues() -> list[dict[str, Any]]:
        """Show all issues, their documents as plain text."""
        return [_view(site, one) for one in site.project.issues.values()]

    @router.post("/issues/{name}/move")
    async def move(name: str, wanted: Move) -> dict[str, Any]:
        """Move an issue as a specialist does."""
        issue = issue_of(site, name)
        moved(site, issue, wanted)
        return _view(site, issue)

    @router.post("/issues/{name}/comments")
    async def comment(name: str, written: Written) -> dict[str, Any]:
        """Write below an issue as a specialist does."""
        issue = issue_of(site, name)
        site.project.comment(issue, "Specialist", document(written.text))
        return _view(site, issue)

    @router.post("/issues/{name}/clone")
    async def clone(name: str) -> dict[str, Any]:
        """Copy an issue as people do, its labels with it."""
        return _view(site, site.project.add(dict(issue_of(site, name).fields)))

    @router.delete("/issues/{name}")
    async def delete(name: str) -> None:
        """Delete an issue."""
        site.project.delete(issue_of(site, name))


def _manners(router: APIRouter, site: Site, hooks: Hooks) -> None:
    @router.get("/hooks")
    async def posts() -> dict[str, int]:
        """Say what became of the posts."""
        return {"delivered": hooks.delivered, "lost": hooks.lost, "waiting": hooks.waiting}

    @router.patch("/site")
    async def behave(manner: Manner) -> None:
        """Change how the site behaves."""
        site.search_delay = site.search_delay if manner.search_delay is None else manner.search_delay
        hooks.url = hooks.url if manner.webhook_url is None else manner.webhook_url
        hooks.pause = hooks.pause if manner.retry_seconds is None else manner.retry_seconds

    @router.get("/faults")
    async def faults() -> list[Fault]:
        """Show the faults that wait."""
        return site.faults.all()

    @router.post("/faults")
    async def add_fault(fault: Fault) -> None:
        """Ask for a fault."""
        site.faults.add(fault)

    @router.delete("/faults")
    async def be_well() -> None:
        """Be well again."""
        site.faults.clear()


def _view(site: Site, issue: Issue) -> dict[str, Any]:
    return {
        "id": issue.id,
        "key": issue.key,
        "fields": site.project.shown(issue),
        "description": text_of(issue.fields.get("description")),
        "comments": [{"author": one.author, "text": text_of(one.body)} for one in issue.comments],
    }
