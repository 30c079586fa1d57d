"""What comes in over HTTP: mail from Inbound Parse, events of our letters, the web form.

Whatever is answered with 2xx is stored; while the database is away the sender gets 503 and sends again. A secret is
checked before the body is read, a signature on its raw bytes before anything is parsed. The event loop only reads
bodies; the rest runs in threads.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, Field, ValidationError

from channels.email_events import read_events
from channels.email_in import Reader
from channels.verify import verify_inbound, verify_signature
from models.errors import UnreadableMessage, VerificationError
from settings import Settings
from starter.body import Bodies, closed_form, read_body, too_large
from starter.intake import Intake
from starter.problems import RETRY_AFTER, Problem, ProblemDocument, malformed
from starter.receipt import Receipt
from starter.web_form import WebForm

MAIL_LIMIT = 40_000_000
"""Bytes of a mail's post that are looked at; the provider takes no mail beyond 30 MB."""

EVENTS_LIMIT = 10_000_000
AT_ONCE = 256
"""Requests that may wait for a thread; more are asked to come again."""

DEVELOPMENT_KEY = "mailroom/public.key"
"""Where, below `var`, the local mailroom keeps the public key of its events."""

T = TypeVar("T")
log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Taken(BaseModel):
    """What became of a message."""

    reference: str | None = Field(examples=["RX-7KQ4-M2PD"], description="none while it waits in quarantine")
    disposition: str = Field(examples=["message"])
    new: bool = Field(description="it opened the inquiry")
    duplicate: bool = Field(description="it was here before")
    acknowledge_by: datetime | None = Field(examples=["2026-02-09T23:59:59-06:00"])
    answer_by: datetime | None = Field(examples=["2026-03-16T23:59:59-06:00"])


class Counted(BaseModel):
    """How many events were new."""

    new: int


@dataclass
class Door:
    """What the webhooks need: where mail is read, where it goes, and the threads that do it."""

    settings: Settings
    intake: Intake
    reader: Reader
    zone: ZoneInfo
    clock: Callable[[], datetime]
    executor: Executor
    most_form_bytes: int
    inside: int = 0

    async def work(self, task: Callable[[], T]) -> T:
        """Run a task in a thread. Raises Problem (503) when too many wait already."""
        if self.inside >= AT_ONCE:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "intake.busy",
                "too much comes in at once; send it again",
                headers={"Retry-After": str(RETRY_AFTER)},
            )
        self.inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.executor, task)
        finally:
            self.inside -= 1

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

    def events_key(self) -> str:
        """The event webhook's public key; in development the local mailroom's. Raises VerificationError."""
        if self.settings.sendgrid_events_public_key:
            return self.settings.sendgrid_events_public_key
        path = self.settings.var / DEVELOPMENT_KEY
        if self.settings.environment == "development" and path.is_file():
            return path.read_text(encoding="ascii").strip()
        raise VerificationError("no public key is set; set PLAZO_SENDGRID_EVENTS_PUBLIC_KEY")


def intake_router(door: Door) -> APIRouter:
    """Return the routes under `/intake`."""
    mails, reports = Bodies(), Bodies()
    router = APIRouter(prefix="/intake", tags=["intake"], responses=_problems(401, 413, 503))

    @router.post("/sendgrid/inbound", openapi_extra=_takes("multipart/form-data", {"type": "object"}))
    async def inbound(request: Request) -> Taken:
        """Take in a mail as Inbound Parse posts it, raw or taken apart."""
        if not door.settings.inbound_public_key:
            # A secret needs no body to be checked: strangers get no room for one.
            _verify_mail(door, request, b"")
        async with mails.room(request):
            body, whole = await read_body(request, MAIL_LIMIT)
            return door.taken(await door.work(lambda: _take_mail(door, request, body, whole=whole)))

    @router.post("/sendgrid/events", openapi_extra=_takes("application/json", {"type": "array"}))
    async def events(request: Request) -> Counted:
        """Take in what the event webhook reports of our letters."""
        async with reports.room(request):
            body, whole = await read_body(request, EVENTS_LIMIT)
            if not whole:
                raise too_large(EVENTS_LIMIT)
            return Counted(new=await door.work(lambda: _take_events(door, request, body)))

    @router.post(
        "/web",
        status_code=HTTPStatus.ACCEPTED,
        responses=_problems(422),
        openapi_extra=_takes("application/json", WebForm.model_json_schema()),
    )
    async def web(
        request: Request,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
    ) -> Taken:
        """Take in the web form. Send an Idempotency-Key and the same post is safe to send again."""
        body, whole = await read_body(request, door.most_form_bytes)
        if not whole:
            raise too_large(door.most_form_bytes)
        form = _form(body)
        return door.taken(await door.work(lambda: door.intake.receive_form(form, idempotency_key)))

    return router


def _take_mail(door: Door, request: Request, body: bytes, *, whole: bool) -> Receipt:
    now = door.clock()
    if door.settings.inbound_public_key:
        if not whole:
            # A signature covers all of it, so a cut one can be neither believed nor taken.
            raise too_large(MAIL_LIMIT)
        _verify_mail(door, request, body)
    content_type = request.headers.get("content-type", "")
    try:
        message = door.reader.read(content_type, body if whole else closed_form(content_type, body), now)
    except UnreadableMessage:
        log.warning("intake.unreadable", bytes=len(body))
        return door.intake.receive_unreadable(body)
    return door.intake.receive(message)


def _verify_mail(door: Door, request: Request, body: bytes) -> None:
    settings = door.settings
    secret = settings.inbound_secret.get_secret_value() if settings.inbound_secret else None
    try:
        verify_inbound(request.headers, body, door.clock(), public_key=settings.inbound_public_key, secret=secret)
    except VerificationError as error:
        raise _unverified("inbound", error) from None


def _take_events(door: Door, request: Request, body: bytes) -> int:
    now = door.clock()
    try:
        verify_signature(door.events_key(), request.headers, body, now)
        return door.intake.notice_event(read_events(body, now))
    except VerificationError as error:
        raise _unverified("events", error) from None
    except UnreadableMessage as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "events.unreadable", str(error)) from None


def _unverified(what: str, error: VerificationError) -> Problem:
    log.warning("intake.unverified", what=what, why=str(error))
    return Problem(
        HTTPStatus.UNAUTHORIZED, "intake.unverified", str(error), headers={"WWW-Authenticate": 'Basic realm="intake"'}
    )


def _form(body: bytes) -> WebForm:
    try:
        return WebForm.model_validate_json(body)
    except ValidationError as error:
        raise malformed("form.malformed", error) from None


def _takes(media_type: str, schema: dict[str, object]) -> dict[str, object]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def _problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    return {status: {"model": ProblemDocument, "description": HTTPStatus(status).phrase} for status in statuses}
