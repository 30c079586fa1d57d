"""The routes of the chat, under `/chat/v1`: small, so that any page can use them."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel
from sse_starlette import EventSourceResponse

from channels.chat.post import ChatPost
from models.tables import ChatSession
from records.chat_sessions import present
from starter.chat import sessions, talk
from starter.chat.desk import ChatDesk, too_many
from starter.chat.sessions import Described, Description, Opened, Opening, Ticket
from starter.chat.talk import LARGEST_SEQ, Posted, Seen
from starter.chat.views import History
from starter.http.problems import RETRY_AFTER, refusals

STUCK = 30.0
"""Seconds after which a stream that takes nothing is closed."""

After = Annotated[int, Query(ge=0, le=LARGEST_SEQ, description="the number of the last event known")]


def chat_router(desk: ChatDesk) -> APIRouter:
    """Return the routes under `/chat/v1`."""
    router = APIRouter(
        prefix="/chat/v1", tags=["chat"], responses=refusals(401, 422, 429, 503), dependencies=[Depends(_kept_nowhere)]
    )

    async def visitor(request: Request) -> ChatSession:
        return await desk.enter(request)

    Here = Annotated[ChatSession, Depends(visitor)]  # noqa: N806 - a type

    @router.post("/sessions", status_code=HTTPStatus.CREATED, openapi_extra=_takes(Opening))
    async def open_session(request: Request) -> Opened:
        """Begin a conversation. Nobody needs an account; a signed identity joins it to a registered user."""
        return await sessions.open_session(desk, request)

    @router.patch("/session", responses=refusals(409), openapi_extra=_takes(Description))
    async def describe(request: Request, row: Here) -> Described:
        """Leave an e-mail address, which answers go to once the visitor has left, or a name."""
        return await sessions.describe(desk, row, request)

    @router.post("/tickets", status_code=HTTPStatus.CREATED)
    async def make_ticket(row: Here) -> Ticket:
        """Get a ticket for a stream that can send no header."""
        return await sessions.make_ticket(desk, row)

    @router.post(
        "/messages",
        status_code=HTTPStatus.ACCEPTED,
        responses=refusals(409, 413),
        openapi_extra=_takes(ChatPost, "/chat/v1/messages"),
    )
    async def post_message(request: Request, row: Here) -> Posted:
        """Say something, at any hour. Sent again under the same id it counts once."""
        return await talk.post_message(desk, row, request)

    @router.get("/history")
    async def history(row: Here, after: After = 0) -> History:
        """The conversation behind a number, at most 200 events."""
        return await talk.history(desk, row, after)

    @router.post("/seen", openapi_extra=_takes(Seen))
    async def see(request: Request, row: Here) -> Seen:
        """Say up to which number the visitor has seen what we wrote."""
        return await talk.see(desk, row, request)

    @router.post("/typing", status_code=HTTPStatus.NO_CONTENT)
    async def typing(row: Here) -> None:
        """Say that the visitor is typing."""
        talk.typing(desk, row)

    @router.get("/events", response_class=EventSourceResponse, responses={200: {"content": {"text/event-stream": {}}}})
    async def events(
        request: Request,
        ticket: str = "",
        after: After = 0,
        last_event_id: Annotated[int | None, Header(ge=0, le=LARGEST_SEQ)] = None,
    ) -> EventSourceResponse:
        """Everything behind Last-Event-ID, or `after`, then whatever comes: `message`, `letter`, `typing`, `read`."""
        row = await (sessions.redeem(desk, ticket) if ticket else desk.enter(request))
        if desk.streams.full(row.id):
            raise too_many("this conversation is open in too many places; close one of them", RETRY_AFTER)
        await desk.threads.work(lambda: _arrived(desk, row.id))
        content = desk.streams.follow(row, after if last_event_id is None else last_event_id)
        return EventSourceResponse(content, ping=desk.heartbeat, send_timeout=STUCK)

    return router


def _arrived(desk: ChatDesk, session_id: str) -> None:
    now = desk.clock()
    with desk.database.write() as session:
        present(session, [session_id], now)


def _kept_nowhere(response: Response) -> None:
    """Nothing between us and the visitor may keep what is said."""
    response.headers["Cache-Control"] = "no-store"


def _takes(model: type[BaseModel], path: str = "", method: str = "post") -> dict[str, object]:
    """Describe a body. `path` is that of its route, where the model holds others: they are referred to by place."""
    place = f"#/paths/{path.replace('/', '~1')}/{method}/requestBody/content/application~1json/schema/$defs/{{model}}"
    schema = model.model_json_schema(ref_template=place)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
