"""The REST API: `/rest/api/3/...`, signed in to with an e-mail address and an API token."""

import asyncio
import base64
import binascii
import json
import secrets
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from counterparts.jira.adf import is_document
from counterparts.jira.checks import NO_DOCUMENT, read_jql, wrong_with
from counterparts.jira.issues import TRANSITIONS, Issue, Project, status_view
from counterparts.mailroom.faults import Fault, Faults

REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API."
    " A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
MISSING = "Issue does not exist or you do not have permission to see it."
NOTHING = "There is no such resource here."
MOST_FOUND = 100


@dataclass
class Site:
    """A site with one project. A new issue is found by searches only after `search_delay` seconds."""

    project: Project
    faults: Faults
    login: str
    types: frozenset[str]
    search_delay: float


class Refusal(Exception):
    """An answer that is no success, in Jira's shape."""

    def __init__(
        self, status: int, *messages: str, errors: dict[str, str] | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(status)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        body = {"errorMessages": list(messages), "errors": errors or {}}
        self.response = JSONResponse(body, status, headers)


def api_router(site: Site) -> APIRouter:
    """All routes; each call is checked for its login, suffers its faults, and may be hung up on in the end."""
    router = APIRouter(prefix="/rest/api/3")

    @router.api_route("/{path:path}", methods=["GET", "POST"])
    async def call(path: str, request: Request, body: Annotated[bytes, Depends(_read)]) -> Response:
        """Carry out a call."""
        try:
            _check_login(request.headers.get("authorization", ""), site.login)
            if (delay := site.faults.take("delay")) is not None:
                await asyncio.sleep(delay.seconds)
            if (fault := site.faults.take("status", "hang_up_before")) is not None:
                return _failed(fault) if fault.kind == "status" else await _hang_up(request)
            answer = _answer(site, request, path.strip("/").split("/"), body)
        except Refusal as refusal:
            return refusal.response
        if site.faults.take("hang_up_after_accept") is not None:
            return await _hang_up(request)
        return answer

    return router


async def _read(request: Request) -> bytes:
    return await request.body()


def _answer(site: Site, request: Request, path: list[str], body: bytes) -> Response:
    """Carry out what the method and the path name."""
    match request.method, path:
        case "POST", ["issue"]:
            return _create(site, _object(body))
        case method, ["issue", name, *rest]:
            return _of_issue(site, request, (method, *rest), _found(site, name), body)
        case method, ["search", "jql"]:
            return _search(site, dict(request.query_params) if method == "GET" else _object(body))
        case _, ["search"]:
            raise Refusal(410, REMOVED)
        case _:
            raise Refusal(404, NOTHING)


def _of_issue(site: Site, request: Request, wanted: tuple[str, ...], issue: Issue, body: bytes) -> Response:
    match wanted:
        case ("GET",):
            return JSONResponse(_shown(site, issue, _wanted(request.query_params.get("fields"), "*all")))
        case "POST", "comment":
            return _comment(site, issue, _object(body))
        case "GET", "transitions":
            return _transitions(issue)
        case "POST", "transitions":
            return _move(site, issue, _object(body))
        case _:
            raise Refusal(404, NOTHING)


def _create(site: Site, body: dict[str, Any]) -> Response:
    fields = body.get("fields")
    if not isinstance(fields, dict):
        raise Refusal(400, "Field 'fields' is required")
    if wrong := wrong_with(fields, site.project.name, site.types):
        raise Refusal(400, errors=wrong)
    issue = site.project.add(fields)
    return JSONResponse({"id": issue.id, "key": issue.key, "self": site.project.place(issue)}, 201)


def _comment(site: Site, issue: Issue, body: dict[str, Any]) -> Response:
    if not is_document(body.get("body")):
        raise Refusal(400, errors={"comment": NO_DOCUMENT})
    comment = site.project.comment(issue, site.project.us, body["body"])
    place = f"{site.project.place(issue)}/comment/{comment.id}"
    return JSONResponse({"id": comment.id, "self": place, "body": comment.body}, 201)


def _transitions(issue: Issue) -> Response:
    ways = [
        {"id": id_, "name": name, "to": status_view(name), "isAvailable": True}
        for id_, name in TRANSITIONS.items()
        if name != issue.status
    ]
    return JSONResponse({"expand": "transitions", "transitions": ways})


def _move(site: Site, issue: Issue, body: dict[str, Any]) -> Response:
    wanted = body.get("transition")
    id_ = str(wanted.get("id", "")) if isinstance(wanted, dict) else ""
    if id_ not in TRANSITIONS or TRANSITIONS[id_] == issue.status:
        raise Refusal(400, f"Transition id '{id_}' is not valid for this issue.")
    site.project.move(issue, TRANSITIONS[id_])
    return Response(status_code=204)


def _search(site: Site, asked: dict[str, Any]) -> Response:
    search = read_jql(str(asked.get("jql", "")))
    if isinstance(search, str):
        raise Refusal(400, search)
    known = site.project.clock() - site.search_delay
    hits = [
        one for one in site.project.issues.values() if one.created <= known and search.finds(one, site.project.name)
    ]
    hits.sort(key=lambda one: int(one.id), reverse=search.newest_first)
    most = min(int(asked.get("maxResults") or 50), MOST_FOUND)
    wanted = _wanted(asked.get("fields"), "id")
    shown = [{"id": one.id} if wanted == ["id"] else _shown(site, one, wanted) for one in hits[:most]]
    return JSONResponse({"issues": shown, "isLast": len(hits) <= most})


def _shown(site: Site, issue: Issue, wanted: list[str]) -> dict[str, Any]:
    fields = site.project.shown(issue)
    if "*all" not in wanted:
        fields = {name: value for name, value in fields.items() if name in wanted}
    return {"id": issue.id, "key": issue.key, "self": site.project.place(issue), "fields": fields}


def _wanted(fields: object, usual: str) -> list[str]:
    """The fields asked for: a list, or their names with commas between."""
    if isinstance(fields, list):
        return [str(one) for one in fields]
    return str(fields).split(",") if fields else [usual]


def _found(site: Site, name: str) -> Issue:
    issue = site.project.find(name)
    if issue is None:
        raise Refusal(404, MISSING)
    return issue


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refusal(400, "There was an error parsing JSON. Check that your request body is valid.")
    return value


def _check_login(given: str, login: str) -> None:
    scheme, _, encoded = given.partition(" ")
    try:
        known = base64.b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        known = ""
    if not secrets.compare_digest(known.encode(), login.encode()):
        raise Refusal(401, "Client must be authenticated to access this resource.")


def _failed(fault: Fault) -> Response:
    return Refusal(fault.status, "Told to fail.", retry_after=fault.retry_after).response


async def _hang_up(request: Request) -> Response:
    # uvicorn's `receive` is a method of the object that holds the transport; ASGI itself knows no way to hang up.
    cycle: Any = getattr(request.receive, "__self__", None)
    if cycle is not None:
        cycle.transport.abort()
    # The server learns of the closed connection in the loop's next rounds, and then sends no answer.
    await asyncio.sleep(0.05)
    return Response(status_code=503)
