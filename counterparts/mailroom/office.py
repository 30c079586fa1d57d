"""What a person or a test asks of the mailroom: pages, letters as data, faults, events on demand, incoming mail."""

import base64
import binascii
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import httpx2
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import AwareDatetime, BaseModel, ValidationError

from counterparts.inbound_parse import Mode, basic, inbound_body, sign
from counterparts.mailroom.events import Poster, event
from counterparts.mailroom.faults import Fault, Faults
from counterparts.mailroom.letters import Letter
from counterparts.mailroom.pages import CONTENT_SECURITY, letter_page, letters_page
from counterparts.mailroom.store import Store


class EventOrder(BaseModel):
    """An event to be told of a letter."""

    event: Literal["processed", "delivered", "deferred", "bounce", "dropped"]
    type: Literal["bounce", "blocked"] = "bounce"
    reason: str = ""


class Inbound(BaseModel):
    """A mail to be posted to the intake; see `counterparts.inbound_parse.inbound_body`."""

    eml: str
    """base64"""
    mode: Mode = "raw"
    sign: bool = True
    secret: str | None = None
    envelope_to: list[str] = []
    envelope_from: str | None = None
    spf: str = "pass"
    dkim: str | None = None
    charset: str = "utf-8"
    received_at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Office:
    """What the routes work with; `inbound_secret` is the shared secret of the intake's address."""

    store: Store
    poster: Poster
    faults: Faults
    key: EllipticCurvePrivateKey = field(repr=False)
    public_key: str
    inbound_url: str | None
    inbound_secret: str = field(repr=False)
    clock: Callable[[], float] = time.time


def office_router(office: Office) -> APIRouter:
    """All routes but SendGrid's own."""
    router = APIRouter()
    for build in (_pages, _letters, _faults, _inbound):
        build(router, office)
    return router


def _pages(router: APIRouter, office: Office) -> None:
    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that it works."""
        return {"status": "ok"}

    @router.get("/")
    async def index(to: str = "", notice: str = "") -> HTMLResponse:
        """List the letters."""
        return _html(letters_page(office.store.letters(to=to, notice=notice, limit=500)))

    @router.get("/letters/{letter_id}.eml")
    async def eml(letter_id: str) -> Response:
        """Give a letter as it left."""
        return Response(_found(office, letter_id).eml(), media_type="message/rfc822")

    @router.get("/letters/{letter_id}")
    async def page(letter_id: str) -> HTMLResponse:
        """Show a letter."""
        return _html(letter_page(_found(office, letter_id)))


def _letters(router: APIRouter, office: Office) -> None:
    @router.get("/api/letters")
    async def letters(
        to: str = "",
        notice: str = "",
        since: AwareDatetime | None = None,
        limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
    ) -> list[dict[str, Any]]:
        """List letters, newest first."""
        return [_data(one) for one in office.store.letters(to=to, notice=notice, since=since, limit=limit)]

    @router.get("/api/letters/{letter_id}")
    async def letter(letter_id: str) -> dict[str, Any]:
        """Give a letter with the events told of it."""
        told = [{"event": one, "posted": posted} for one, posted in office.store.events_of(letter_id)]
        return {**_data(_found(office, letter_id)), "events": told}

    @router.post("/api/letters/{letter_id}/events", status_code=202)
    async def tell(letter_id: str, order: EventOrder) -> dict[str, Any]:
        """Tell an event of a letter."""
        about = {"type": order.type, "status": "5.1.1"} if order.event == "bounce" else {}
        reason = {"reason": order.reason} if order.reason else {}
        found = _found(office, letter_id)
        made = event(found, order.event, office.clock(), **about, **reason)
        office.store.accept([], [(found.id, office.clock(), made)])
        office.poster.wake()
        return made

    @router.get("/api/counts")
    async def counts() -> dict[str, Any]:
        """Count the letters by notice key and by Message-ID."""
        by_message_id = office.store.counts("message_id")
        return {
            "letters": sum(by_message_id.values()),
            "by_notice": office.store.counts("notice"),
            "by_message_id": by_message_id,
        }

    @router.get("/api/public-key")
    async def public_key() -> dict[str, str]:
        """Give the key that the mailroom's signatures fit."""
        return {"public_key": office.public_key}


def _faults(router: APIRouter, office: Office) -> None:
    @router.post("/api/faults", status_code=201)
    async def add(fault: Fault) -> list[Fault]:
        """Ask for a fault."""
        office.faults.add(fault)
        return office.faults.all()

    @router.get("/api/faults")
    async def waiting() -> list[Fault]:
        """List the faults that wait."""
        return office.faults.all()

    @router.delete("/api/faults", status_code=204)
    async def clear() -> None:
        """Clear all faults."""
        office.faults.clear()


def _inbound(router: APIRouter, office: Office) -> None:
    @router.post("/api/inbound")
    async def inbound(request: Request) -> dict[str, Any]:
        """Post a mail to the intake: JSON, or the mail itself with the options in the query."""
        if office.inbound_url is None:
            raise HTTPException(409, "the mailroom was started without --inbound-url")
        order, eml = await _order(request)
        headers, body = inbound_body(
            eml,
            mode=order.mode,
            envelope_to=order.envelope_to,
            envelope_from=order.envelope_from,
            spf=order.spf,
            dkim=order.dkim,
            charset=order.charset,
            received_at=order.received_at or datetime.fromtimestamp(office.clock(), UTC),
        )
        secret = office.inbound_secret if order.secret is None else order.secret
        headers |= basic(secret) if secret else {}
        headers |= sign(office.key, int(office.clock()), body) if order.sign else {}
        async with httpx2.AsyncClient(timeout=30) as client:
            try:
                answer = await client.post(office.inbound_url, content=body, headers=headers)
            except httpx2.HTTPError as error:
                raise HTTPException(502, f"the intake cannot be reached: {type(error).__name__}") from None
        return {"status": answer.status_code, "body": answer.text}


async def _order(request: Request) -> tuple[Inbound, bytes]:
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            order = Inbound.model_validate_json(await request.body())
            return order, base64.b64decode(order.eml, validate=True)
        options: dict[str, Any] = dict(request.query_params)
        if "envelope_to" in options:
            options["envelope_to"] = request.query_params.getlist("envelope_to")
        return Inbound.model_validate({**options, "eml": ""}), await request.body()
    except (ValidationError, binascii.Error) as error:
        raise HTTPException(422, str(error)) from None


def _found(office: Office, letter_id: str) -> Letter:
    letter = office.store.letter(letter_id)
    if letter is None:
        raise HTTPException(404, "there is no such letter")
    return letter


def _html(page: str) -> HTMLResponse:
    return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY})


def _data(letter: Letter) -> dict[str, Any]:
    return {
        **{name: value for name, value in asdict(letter).items() if name != "number"},
        "to": letter.to,
        "subject": letter.subject,
        "notice": letter.notice,
        "message_id": letter.message_id,
        "categories": letter.request.get("categories", []),
        "headers": letter.headers,
        "text": letter.part("text/plain"),
        "html": letter.part("text/html"),
    }
