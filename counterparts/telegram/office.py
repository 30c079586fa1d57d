"""The routes behind the pages: forms a newcomer fills in as a user of Telegram would."""

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Form, HTTPException, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

from counterparts.telegram.control import Editing, edited, found, place
from counterparts.telegram.pages import CONTENT_SECURITY, person_page, town_page
from counterparts.telegram.people import File
from counterparts.telegram.town import Town

_SEE_OTHER = 303

Line = Annotated[str, Form(max_length=4096)]


def office_router(town: Town) -> APIRouter:
    """All pages and forms."""
    router = APIRouter()
    _pages(router, town)
    _newcomers(router, town)
    _deeds(router, town)
    return router


def _pages(router: APIRouter, town: Town) -> None:
    @router.get("/")
    async def index(request: Request) -> HTMLResponse:
        """Show everybody."""
        return _html(town_page(town, _root(request)))

    @router.get("/people/{person_id}")
    async def telephone(request: Request, person_id: int, chat: int | None = None) -> HTMLResponse:
        """Show a person's telephone."""
        person = found(town, person_id)
        return _html(person_page(town, person, town.groups.get(chat or 0), _root(request)))

    @router.get("/files/{file_id}")
    async def file(file_id: str) -> Response:
        """Give a file, to be saved and never shown by the browser."""
        kept = town.files.get(file_id)
        if kept is None:
            raise HTTPException(404, "there is no such file")
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return Response(kept.content, media_type="application/octet-stream", headers=headers)


def _newcomers(router: APIRouter, town: Town) -> None:
    @router.post("/people")
    async def add_person(request: Request, first_name: Line, last_name: Line = "", language: Line = "es") -> Response:
        """Add somebody."""
        person = town.add_person(first_name=first_name, last_name=last_name, language=language)
        return _to(request, person.id)

    @router.post("/groups")
    async def add_group(request: Request, title: Line) -> Response:
        """Add a group."""
        town.add_group(title)
        return RedirectResponse(f"{_root(request)}/", _SEE_OTHER)


def _deeds(router: APIRouter, town: Town) -> None:
    @router.post("/people/{person_id}/messages")
    async def write(
        request: Request,
        person_id: int,
        chat: Annotated[int, Form()],
        *,
        files: Annotated[list[UploadFile] | None, Form()] = None,
        text: Line = "",
        reply_to: Line = "",
    ) -> Response:
        """Write, with files or without."""
        person, where = place(town, person_id, chat)
        sent = [await _file(one) for one in files or [] if one.filename]
        if text.strip() or sent:
            town.say(person, where, text, sent, int(reply_to) if reply_to.isdecimal() else None)
        return _to(request, person_id, where)

    @router.post("/people/{person_id}/edits")
    async def edit(
        request: Request, person_id: int, message_id: Annotated[int, Form()], text: Line, chat: Annotated[int, Form()]
    ) -> Response:
        """Edit a message."""
        edited(town, person_id, Editing(message_id=message_id, text=text, chat=chat))
        return _to(request, person_id, chat)

    @router.post("/people/{person_id}/start")
    async def start(request: Request, person_id: int, link: Line = "") -> Response:
        """Press Start, or a link with a code in it."""
        person, where = place(town, person_id, None)
        code = parse_qs(urlsplit(link).query).get("start", [""])[0] if "://" in link else link.strip()
        town.say(person, where, f"/start {code}".rstrip())
        return _to(request, person_id)

    @router.post("/people/{person_id}/block")
    async def block(request: Request, person_id: int) -> Response:
        """Block the bot."""
        town.set_blocked(found(town, person_id), blocked=True)
        return _to(request, person_id)

    @router.post("/people/{person_id}/unblock")
    async def unblock(request: Request, person_id: int) -> Response:
        """Take the bot back."""
        town.set_blocked(found(town, person_id), blocked=False)
        return _to(request, person_id)


async def _file(sent: UploadFile) -> File:
    content = await sent.read()
    return File(sent.filename or "file", sent.content_type or "application/octet-stream", content, len(content))


def _root(request: Request) -> str:
    """Where the stand-in is mounted."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def _to(request: Request, person_id: int, chat: int | None = None) -> Response:
    query = "" if chat in {None, person_id} else f"?chat={chat}"
    return RedirectResponse(f"{_root(request)}/people/{person_id}{query}", _SEE_OTHER)


def _html(page: str) -> HTMLResponse:
    return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY})
