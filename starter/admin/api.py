"""The admin API: the list of inquiries, each inquiry whole, and one route for every command.

Who acts is known from the API key alone. One request's way into a case stands in `starter.admin.commanding`.
"""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from models.causes import CauseCode
from models.commands import READS_ONLY
from models.episodes import Answer
from models.errors import Malformed, Refused
from models.inquiry import ActorId, Area, Channel, Kind, Status
from models.messages import Id, When
from records import case_list, messages, visibility
from starter.admin.auth import Caller, Commander, Holder
from starter.admin.bodies import Body as CommandBody
from starter.admin.case_views import CaseView, LineView, PageView, case_view, checked
from starter.admin.catalogue import BODIES, EXAMPLES
from starter.admin.commanding import Wish, fulfil
from starter.admin.desk import Desk, desk_of
from starter.admin.inbox import InboxView, inbox
from starter.admin.letter_views import LetterText, letter_text
from starter.admin.message_views import Promotion, QuarantineView, message_views
from starter.admin.moments import beginning
from starter.admin.rights import OwnAreas, Sight, turned_down, unnamed
from starter.admin.thread import ThreadView, thread
from starter.admin.views import Me
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem, refusals

SANDBOX = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""A letter shown in a browser runs nothing and loads nothing."""


READING = refusals(
    HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE
)
ONE = READING | refusals(HTTPStatus.NOT_FOUND)
COMMANDING = ONE | refusals(
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)


def _kept_nowhere(response: Response) -> None:
    """Nothing between us and the caller may keep personal data."""
    response.headers["Cache-Control"] = "no-store"


private = Depends(_kept_nowhere)
router = APIRouter(prefix="/api", route_class=PlainJsonRoute, dependencies=[private])

Here = Annotated[Desk, Depends(desk_of)]
Reference = Annotated[str, Path(description="The inquiry's reference.", examples=["RX-7KQ4-M2PD"], max_length=40)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="Any text without blanks, new for each request. The same request sent again gives the same answer.",
    ),
]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=40, description='The ETag of the inquiry as it was read, such as `"12"`.'),
]


@router.get("/me", tags=["access"], responses=READING)
def me(actor: Holder) -> Me:
    """Whose key this is, and what it may do."""
    return Me(id=actor.id, role=actor.role.value, may_command=actor.role not in READS_ONLY)


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


@router.get("/inbox", tags=["quarantine"], responses=READING)
def waiting(desk: Here, _actor: Caller, eyes: Sight) -> InboxView:
    """Show what came in and is not where it belongs yet, and what somebody must look into."""
    with desk.database.read() as session:
        view = inbox(session, desk.clock(), visibility.unseen(session, eyes))
        opened = visibility.open_grants(session, desk.clock())
    if eyes.actor not in desk.policy.rights.break_glass.alarms:
        return view
    broken = (f"{one.reference}: {one.actor} broke the glass, open until {one.until.isoformat()}" for one in opened)
    return view.model_copy(update={"alarms": (*broken, *view.alarms)})


@router.get("/inquiries/{reference}/thread", tags=["inquiries"], responses=ONE)
def conversation(desk: Here, _actor: Caller, reference: Reference) -> ThreadView:
    """Show the conversation of an inquiry: messages and letters on all channels, in order."""
    with desk.database.read() as session:
        return ThreadView(items=thread(session, checked(reference)))


@router.get("/quarantine", tags=["quarantine"], responses=READING)
def quarantine(
    desk: Here, _actor: Caller, eyes: Sight, *, limit: Annotated[int, Query(ge=1, le=case_list.MOST)] = 50
) -> QuarantineView:
    """Automatic replies, bounces and suspected loops that wait for a person, the oldest first."""
    with desk.database.read() as session:
        unseen = visibility.unseen(session, eyes)
        held = [row for row in messages.quarantined(session, limit) if row.reference not in unseen]
        return QuarantineView(items=message_views(session, held))


@router.post("/quarantine/{message}/promote", tags=["quarantine"], responses=COMMANDING)
def promote(desk: Here, actor: Commander, eyes: Sight, message: Id) -> Promotion:
    """It was a person after all: the message opens an inquiry, or joins its own, with its original reception."""
    try:
        with desk.database.read() as session:
            hidden = visibility.hidden(session, messages.get(session, message).reference or "", eyes)
        receipt = None if hidden else unnamed(desk, eyes, desk.intake.promote(message, actor=actor))
    except KeyError:
        receipt = None
    if receipt is None:
        raise Problem(HTTPStatus.NOT_FOUND, "message.unknown", "nothing in quarantine bears that id")
    return Promotion.model_validate(receipt)


def etag(version: int) -> str:
    """The entity tag of a case at that version."""
    return f'"{version}"'


def expected(if_match: str | None) -> int | None:
    """The version that an If-Match names; None without one. Raises Malformed."""
    text = (if_match or "*").strip()
    if text == "*":
        return None
    digits = text.removeprefix("W/").strip('"')
    if not (digits.isascii() and digits.isdigit()):
        raise Malformed("version.malformed", 'If-Match wants the ETag as it was given, such as "12"', field="If-Match")
    return int(digits)


def _add_route(name: str, body_model: type[CommandBody]) -> None:
    # What a command carries of its own is optional only where every field is.
    empty = not any(field.is_required() for field in body_model.model_fields.values())

    async def command(
        *,
        desk: Here,
        actor: Commander,
        eyes: Sight,
        areas: OwnAreas,
        reference: Reference,
        body: Any,
        response: Response,
        idempotency_key: IdempotencyKey = None,
        if_match: IfMatch = None,
    ) -> Answer:
        wish = Wish(name, checked(reference), body, actor, idempotency_key, expected(if_match), eyes, areas)
        try:
            answer = await fulfil(desk, wish)
        except Refused as refusal:
            if not isinstance(refusal, Malformed):
                await asyncio.to_thread(turned_down, desk, actor, name, wish.reference, refusal.code)
            raise
        response.headers["ETag"] = etag(answer.version)
        return answer

    example = Body(openapi_examples={"example": {"value": EXAMPLES[name]}})
    command.__annotations__["body"] = Annotated[body_model, example]
    command.__name__ = name
    command.__doc__ = body_model.__doc__
    router.post(
        f"/inquiries/{{reference}}/{name}",
        tags=["commands"],
        operation_id=name,
        responses=COMMANDING,
        summary=name.replace("_", " "),
        description=body_model.__doc__,
        openapi_extra={"requestBody": {"required": not empty}},
    )(command)


for _name, _body in BODIES.items():
    _add_route(_name, _body)
