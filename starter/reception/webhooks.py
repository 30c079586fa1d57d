"""What comes in over HTTP: posts at the channels' doors, and the web form.

Whatever is answered with 2xx is stored; while the database is away the sender gets 503 and sends again. A secret is
checked before the body is read, a signature on its raw bytes before anything is parsed. The event loop only reads
bodies; the rest runs in threads.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, Field, ValidationError

from channels.port import Adapter, Post
from channels.registry import Adapters
from models.errors import VerificationError
from starter.http.body import Bodies, read_body, too_large
from starter.http.limits import Rate, network
from starter.http.problems import Problem, malformed, refusals
from starter.reception.intake import Brought
from starter.reception.posts import Posts
from starter.reception.receipt import Receipt
from starter.reception.web_form import FormEntrance, KeyedForm, WebForm

WAITING = "waiting"
"""What becomes of a form that is kept and not read yet."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Taken(BaseModel):
    """What became of a message."""

    reference: str | None = Field(
        None, examples=["RX-7KQ4-M2PD"], description="none while it waits, or is in quarantine"
    )
    disposition: str = Field(
        examples=["message"], description="`waiting`: stored, and read in its turn; the rest follows"
    )
    new: bool = Field(default=False, description="it opened the inquiry")
    duplicate: bool = Field(default=False, description="it was here before")
    acknowledge_by: datetime | None = Field(None, examples=["2026-02-09T23:59:59-06:00"])
    answer_by: datetime | None = Field(None, examples=["2026-03-16T23:59:59-06:00"])


class TakenIn(BaseModel):
    """What a post brought."""

    messages: list[Taken] = []
    reports: int = Field(default=0, description="events of letters that are new")
    waiting: bool = Field(default=False, description="it is stored, and what it brings is not known yet")


@dataclass
class Hall:
    """What the webhooks need: the channels, where everything goes, and the threads that do it."""

    posts: Posts
    channels: Adapters
    form_entrance: FormEntrance
    zone: ZoneInfo
    clock: Callable[[], datetime]
    most_form_bytes: int
    forms: Rate
    """Web forms of one network address."""

    def taken(self, receipt: Receipt) -> Taken:
        """The receipt as it is told, its dates in the operator's zone."""
        due = (receipt.acknowledge_by, receipt.answer_by)
        acknowledge_by, answer_by = (at.astimezone(self.zone) if at else None for at in due)
        return Taken(
            reference=receipt.reference,
            disposition=receipt.disposition,
            new=receipt.new,
            duplicate=receipt.duplicate,
            acknowledge_by=acknowledge_by,
            answer_by=answer_by,
        )


def intake_router(hall: Hall) -> APIRouter:
    """Return the routes under `/intake`."""
    bodies = {name: Bodies() for name in hall.channels}
    router = APIRouter(prefix="/intake", tags=["intake"], responses=refusals(401, 404, 413, 503))

    @router.post(
        "/web",
        status_code=HTTPStatus.ACCEPTED,
        responses=refusals(422, 429),
        openapi_extra=_takes("application/json", WebForm.model_json_schema()),
    )
    async def web(
        request: Request,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
    ) -> Taken:
        """Take in the web form. Send an Idempotency-Key and the same post is safe to send again.

        `disposition` `waiting` says that it is stored, and read in its turn: more comes in than can be read at once.
        The reference and the dates are in the acknowledgement; the same post sent again later is told them too.
        """
        if seconds := hall.forms.wait(network(request.client.host if request.client else None), hall.clock()):
            raise _too_many_forms(seconds)
        body, whole = await read_body(request, hall.most_form_bytes)
        if not whole:
            raise too_large(hall.most_form_bytes)
        keyed = KeyedForm.of(_form(body), idempotency_key)
        brought = await hall.posts.take(hall.form_entrance, keyed.post())
        return Taken(disposition=WAITING) if brought is None else hall.taken(brought.receipts[0])

    @router.get("/{channel}/{door}", responses=refusals(400))
    async def shake(channel: str, door: str, request: Request) -> dict[str, str]:
        """Answer a provider's handshake; it needs neither the database nor Temporal."""
        adapter = _adapter(hall, channel, door)
        try:
            answer = adapter.shake(door, request.query_params)
        except VerificationError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "intake.handshake", str(error)) from None
        if answer is None:
            raise _nowhere(channel, door)
        return answer

    @router.post("/{channel}/{door}", openapi_extra=_takes("application/octet-stream", {"type": "string"}))
    async def post(channel: str, door: str, request: Request, response: Response) -> TakenIn:
        """Take in what a channel's provider posts: messages, reports of letters.

        202 says that it is stored as it came, and read in its turn: more comes in than can be read at once.
        """
        adapter = _adapter(hall, channel, door)
        headers = {name.lower(): value for name, value in request.headers.items()}
        with _verified(channel, door):
            # A secret in a header needs no body to be checked: strangers get no room for one.
            adapter.knock(door, headers)
        async with bodies[channel].room(request):
            limit, cut = adapter.doors[door]
            body, whole = await read_body(request, limit)
            if not whole and not cut:
                raise too_large(limit)
            with _verified(channel, door):
                brought = await hall.posts.take(adapter, Post(door, headers, body, whole))
        if brought is None:
            response.status_code = HTTPStatus.ACCEPTED
            return TakenIn(waiting=True)
        return _taken_in(hall, brought)

    return router


def _adapter(hall: Hall, channel: str, door: str) -> Adapter:
    adapter = hall.channels.get(channel)
    if adapter is None or door not in adapter.doors:
        raise _nowhere(channel, door)
    return adapter


def _nowhere(channel: str, door: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "intake.no-door", f"there is no door {channel[:40]}/{door[:40]} here")


def _too_many_forms(seconds: int) -> Problem:
    words = "that were many forms from one place; nothing was stored, send this one again a little later"
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, "form.too-many", words, headers={"Retry-After": str(seconds)})


def _taken_in(hall: Hall, brought: Brought) -> TakenIn:
    return TakenIn(messages=[hall.taken(receipt) for receipt in brought.receipts], reports=brought.reports)


@contextmanager
def _verified(channel: str, door: str) -> Iterator[None]:
    try:
        yield
    except VerificationError as error:
        log.warning("intake.unverified", channel=channel, door=door, why=str(error))
        headers = {"WWW-Authenticate": 'Basic realm="intake"'}
        raise Problem(HTTPStatus.UNAUTHORIZED, "intake.unverified", str(error), headers=headers) from None


def _form(body: bytes) -> WebForm:
    try:
        return WebForm.model_validate_json(body)
    except ValidationError as error:
        raise malformed("form.malformed", error) from None


def _takes(media_type: str, schema: dict[str, object]) -> dict[str, object]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}
