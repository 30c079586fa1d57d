"""The codec endpoint: lets Temporal's own UI and command line read and write sealed payloads.

`POST /codec/decode` and `POST /codec/encode` take and give `{"payloads": [{"metadata": ..., "data": ...}]}` in
protobuf's JSON form. Only two may ask: a caller on this machine, and who bears the compliance key. What is encoded here
is sealed for no workflow, so it never counts as spoken by the application (see `models.sealing`).

Mount the router on the loopback listener only.
"""

import asyncio
import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from temporalio.api.common.v1 import Payload, Payloads

from codec import SealingCodec
from keys import KeyRing
from models.sealing import MARK
from records import audit
from records.audit import Outcome
from records.database import Database
from settings import Settings
from starter.http.body import read_body, too_large
from starter.http.problems import Problem

MAX_PAYLOADS = 2000
MAX_BODY = 8 * 1024 * 1024
DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
METHODS = "POST, OPTIONS"
HEADERS = "X-Namespace, Content-Type, Authorization"

Noted = Callable[[str, Outcome, str], None]
"""Takes note of a caller, an outcome and a code. Raises RecordsUnavailable."""

Work = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def audited(database: Database, settings: Settings, clock: Callable[[], datetime]) -> Noted:
    """Return what writes the endpoint's lines of the audit log."""

    def note(caller: str, outcome: Outcome, detail: str) -> None:
        with database.write() as session:
            audit.note(session, clock(), f"codec:{caller}", "codec.decode", settings.namespace, outcome, detail)

    return note


def codec_router(settings: Settings, ring: KeyRing, noted: Noted) -> APIRouter:
    """Return the router of the endpoint, with its own CORS: only the UI's origin is let in.

    Every opening and every refusal goes to `noted`, which writes the audit log; what cannot be noted is not opened.
    """
    codec = SealingCodec(ring)
    origins = {f"http://{host}:{settings.temporal_ui_port}" for host in ("127.0.0.1", "localhost")}
    secret = settings.codec_secret.get_secret_value() if settings.codec_secret else ""
    router = APIRouter(prefix="/codec", include_in_schema=False)

    async def answer(request: Request, action: str, work: Work) -> Response:
        cors = _cors(request, origins)
        try:
            _check_browser(request, origins)
            caller = _caller(request, secret)
            _check_namespace(request, settings.namespace)
            payloads = _payloads(await _body(request))
            if action == "decode":
                await asyncio.to_thread(noted, caller, Outcome.DONE, f"{len(payloads)} payloads")
        except Problem as problem:
            if problem.status_code in DENIED:
                await asyncio.to_thread(noted, "stranger", Outcome.DENIED, problem.code)
            return _told(problem, cors)
        log.info("codec.asked", action=action, caller=caller, payloads=len(payloads))
        return JSONResponse({"payloads": [_as_json(payload) for payload in await work(payloads)]}, headers=cors)

    @router.post("/encode")
    async def encode(request: Request) -> Response:
        return await answer(request, "encode", codec.encode)

    @router.post("/decode")
    async def decode(request: Request) -> Response:
        return await answer(request, "decode", codec.decode)

    @router.options("/encode")
    @router.options("/decode")
    async def preflight(request: Request) -> Response:
        cors = _cors(request, origins)
        try:
            _check_browser(request, origins)
        except Problem as problem:
            return _told(problem, cors)
        allowed = {"Access-Control-Allow-Methods": METHODS, "Access-Control-Allow-Headers": HEADERS}
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={**cors, **allowed})

    return router


def _cors(request: Request, origins: set[str]) -> dict[str, str]:
    origin = request.headers.get("origin", "")
    return {"Vary": "Origin", **({"Access-Control-Allow-Origin": origin} if origin in origins else {})}


def _check_browser(request: Request, origins: set[str]) -> None:
    # Only browsers name an origin; command lines do not.
    if request.headers.get("origin") not in (None, *origins):
        raise Problem(HTTPStatus.FORBIDDEN, "codec.origin", "only Temporal's own UI may ask from a browser")


def _check_namespace(request: Request, namespace: str) -> None:
    if request.headers.get("x-namespace", namespace) != namespace:
        raise Problem(HTTPStatus.FORBIDDEN, "codec.namespace", f"this endpoint serves the namespace {namespace}")


def _caller(request: Request, secret: str) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if secret and scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), secret.encode()):
        return "compliance"
    # A proxy on this machine makes strangers look local, and so does a web page whose name was pointed at us.
    forwarded = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip"))
    if request.client is not None and _is_loopback(request.client.host) and not forwarded and _names_us(request):
        return "loopback"
    raise Problem(
        HTTPStatus.UNAUTHORIZED,
        "codec.stranger",
        "ask from this machine, or with the compliance key as a bearer token",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _names_us(request: Request) -> bool:
    host = request.headers.get("host", "")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name == "localhost" or _is_loopback(name)


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


async def _body(request: Request) -> bytes:
    body, whole = await read_body(request, MAX_BODY)
    if not whole:
        raise too_large(MAX_BODY)
    return body


def _payloads(body: bytes) -> list[Payload]:
    try:
        document = json.loads(body)
        # The command line leaves out an empty list, as protobuf's JSON form allows.
        payloads = document.get("payloads", []) if isinstance(document, dict) else None
        if not isinstance(payloads, list):
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "codec.malformed", 'want {"payloads": [...]}')
        if len(payloads) > MAX_PAYLOADS:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "codec.too-many", f"at most {MAX_PAYLOADS} payloads at a time"
            )
        parsed = ParseDict({"payloads": payloads}, Payloads(), ignore_unknown_fields=True)
    except (ValueError, RecursionError, ParseError) as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "codec.malformed", "the body is not payloads in protobuf's JSON form"
        ) from error
    return list(parsed.payloads)


def _as_json(payload: Payload) -> dict[str, Any]:
    shown = Payload()
    shown.CopyFrom(payload)
    # The mark means something to workflows alone.
    shown.metadata.pop(MARK, None)
    return MessageToDict(shown)


def _told(problem: Problem, cors: dict[str, str]) -> Response:
    response = problem.response()
    response.headers.update(cors)
    return response
