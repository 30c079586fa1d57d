"""The inquiries over HTTP: the list, each of them whole, its letters and its conversation."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from models.causes import CauseCode
from models.inquiry import ActorId, Area, Channel, Kind, Status
from models.messages import When
from records import case_list
from starter.admin.api import ONE, READING, Here, Reference, private
from starter.admin.case_views import CaseView, LineView, PageView, case_view, checked
from starter.admin.letter_views import LetterText, letter_text
from starter.admin.moments import beginning
from starter.admin.rights import Caller, Sight
from starter.admin.thread import ThreadView, thread
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem

SANDBOX = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""A letter shown in a browser runs nothing and loads nothing."""

router = APIRouter(prefix="/api", route_class=PlainJsonRoute, dependencies=[private])


@router.get("/inquiries", tags=["inquiries"], responses=READING)
def list_inquiries(
    desk: Here,
    _actor: Caller,
    eyes: Sight,
    *,
    status: Status | None = None,
    kind: Kind | None = None,
    channel: Annotated[Channel | None, Query(examples=["email"])] = None,
    area: Annotated[Area | None, Query(examples=["cx"])] = None,
    owner: Annotated[ActorId | None, Query(examples=["cx-lead"])] = None,
    cause: Annotated[CauseCode | None, Query(examples=["withdrawal.delayed"])] = None,
    due_before: Annotated[
        When | None, Query(description="Due before this time, or before this day begins.", examples=["2026-03-16"])
    ] = None,
    follow_up_before: Annotated[
        When | None, Query(description="With a follow-up that is not done, before this time or day.")
    ] = None,
    text: Annotated[
        str | None,
        Query(max_length=200, pattern=r"^[^\x00]*$", description="In reference, subject or the first words."),
    ] = None,
    cursor: Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=case_list.MOST)] = 50,
) -> PageView:
    """The inquiries, the next due first; those that owe nothing come last."""
    days = desk.policy.whole_calendar()
    before = None if due_before is None else beginning(due_before, days, "due_before")
    follow_up = None if follow_up_before is None else beginning(follow_up_before, days, "follow_up_before")
    with desk.database.read() as session:
        page = case_list.page(
            session,
            status=status,
            kind=kind,
            channel=channel,
            area=area,
            owner=owner,
            cause=cause,
            due_before=before,
            follow_up_before=follow_up,
            text=text,
            eyes=eyes,
            cursor=cursor,
            limit=limit,
        )
    return PageView(items=tuple(LineView.model_validate(line) for line in page.items), next_cursor=page.next_cursor)


@router.get("/inquiries/{reference}", tags=["inquiries"], responses=ONE)
def show_inquiry(desk: Here, _actor: Caller, reference: Reference, response: Response) -> CaseView:
    """One inquiry: how it stands, what is owed, what happened, messages and letters. The ETag goes into If-Match."""
    with desk.database.read() as session:
        view = case_view(session, checked(reference))
    response.headers["ETag"] = etag(view.state.version)
    return view


@router.get("/inquiries/{reference}/letters/{name:path}", tags=["inquiries"], responses=ONE, response_model=LetterText)
def show_letter(
    desk: Here,
    _actor: Caller,
    reference: Reference,
    name: Annotated[str, Path(examples=["acknowledgement/1"], max_length=120, description="Its name, or its place.")],
    form: Annotated[Literal["json", "text", "html"], Query(description="The record, or the words alone.")] = "json",
) -> LetterText | Response:
    """A letter's words exactly as they left."""
    with desk.database.read() as session:
        case_list.line(session, checked(reference))
        letter = letter_text(session, checked(reference), name)
    if letter is None:
        raise Problem(HTTPStatus.NOT_FOUND, "letter.unknown", "no such letter has been written; the inquiry lists them")
    if form == "text":
        return PlainTextResponse(letter.text, headers=SANDBOX)
    return HTMLResponse(letter.html, headers=SANDBOX) if form == "html" else letter


@router.get("/inquiries/{reference}/thread", tags=["inquiries"], responses=ONE)
def conversation(desk: Here, _actor: Caller, reference: Reference) -> ThreadView:
    """Show the conversation of an inquiry: messages and letters on all channels, in order."""
    with desk.database.read() as session:
        return ThreadView(items=thread(session, checked(reference)))


def etag(version: int) -> str:
    """The entity tag of a case at that version."""
    return f'"{version}"'
