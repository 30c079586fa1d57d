"""The codec endpoint: lets Temporal's own UI and command line read and write sealed payloads.

`POST /codec/decode` and `POST /codec/encode` take and give `{"payloads": [{"metadata": ..., "data": ...}]}` in
protobuf's JSON form. Who may ask `starter.codec_callers` knows. What belongs to a case that is kept from whoever asks
is handed back as it came; every opening leaves a line for each case, without a word of what was in it. What is encoded
here is sealed for no workflow, so it never counts as spoken by the application (see `models.sealing`).
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from temporalio.api.common.v1 import Payload, Payloads

from codec import SCOPE, SealingCodec
from keys import KeyRing
from models.policy import Policy
from models.reference import WORKFLOW_PREFIX, is_reference
from models.rights import may
from models.sealing import MARK
from models.sight import Eyes
from networks import is_loopback
from records import audit, visibility
from records.audit import Outcome
from records.database import Database
from settings import Settings
from starter.admin.oidc import SignedIn
from starter.admin.signing_in import signed_in
from starter.codec_callers import STRANGER, Caller, Callers
from starter.http.body import read_body, too_large
from starter.http.problems import Problem

MAX_PAYLOADS = 2000
MAX_BODY = 8 * 1024 * 1024
DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
METHODS = "POST, OPTIONS"
HEADERS = "X-Namespace, Content-Type, Authorization, Authorization-Extras"

ACTION = "codec.decode"


class Line(NamedTuple):
    """A line of the audit log: who, on which workflow or namespace, what came of it, and a code or a number."""

    caller: str
    object: str
    outcome: Outcome
    detail: str


class Book(Protocol):
    """What the endpoint asks of the records. Both raise RecordsUnavailable."""

    def note(self, lines: Sequence[Line]) -> None:
        """Write lines into the audit log."""

    def hidden(self, eyes: Eyes, reference: str) -> str:
        """Return the code of what hides a case from somebody; empty where they see it."""


Work = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Records:
    """The records' part of it. `clock` gives aware UTC."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def note(self, lines: Sequence[Line]) -> None:
        """Write lines into the audit log, in one transaction."""
        now = self._clock()
        with self._database.write() as session:
            for line in lines:
                audit.note(session, now, line.caller, ACTION, line.object, line.outcome, line.detail)

    def hidden(self, eyes: Eyes, reference: str) -> str:
        """Return the code of what hides a case from somebody; empty where they see it."""
        with self._database.read() as session:
            return visibility.hidden(session, reference, eyes)


def codec_router(settings: Settings, ring: KeyRing, book: Book, callers: Callers) -> APIRouter:
    """Return the router of the endpoint, with its own CORS: only the UI's origin is let in.

    Every opening and every refusal goes into the book; what cannot be noted is not opened.
    """
    codec = SealingCodec(ring)
    origins = {f"http://{host}:{settings.temporal_ui_port}" for host in ("127.0.0.1", "localhost")}
    if settings.ui_origin:
        origins = {settings.ui_origin}
    router = APIRouter(prefix="/codec", include_in_schema=False)

    async def answer(request: Request, action: str, work: Work) -> Response:
        cors, caller = _cors(request, origins), Caller(STRANGER)
        try:
            _check_browser(request, origins)
            caller = await asyncio.to_thread(callers.of, request)
            _check_right(caller)
            _check_namespace(request, settings.namespace)
            payloads = _payloads(await _body(request))
            kept: frozenset[str] = frozenset()
            if action == "decode":
                kept = await asyncio.to_thread(_noted, book, caller, payloads, settings.namespace)
        except Problem as problem:
            if problem.status_code in DENIED:
                line = Line(caller.name, settings.namespace, Outcome.DENIED, problem.code)
                await asyncio.to_thread(book.note, [line])
            return _told(problem, cors)
        log.info("codec.asked", action=action, caller=caller.name, payloads=len(payloads))
        done = iter(await work([one for one in payloads if _case(one) not in kept]))
        shown = [one if _case(one) in kept else next(done) for one in payloads]
        return JSONResponse({"payloads": [_as_json(payload) for payload in shown]}, headers=cors)

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


def _check_right(caller: Caller) -> None:
    if caller.role is not None and not may(caller.role, ACTION):
        raise Problem(HTTPStatus.FORBIDDEN, "codec.role", f"this is not for the role {caller.role.value}")


def _noted(book: Book, caller: Caller, payloads: Sequence[Payload], namespace: str) -> frozenset[str]:
    """Write a line for each case that is looked at, and one for what is no case's; return the cases that are kept."""
    kept: set[str] = set()
    lines: list[Line] = []
    for reference, count in Counter(map(_case, payloads)).items():
        named = is_reference(reference)
        why = "codec.scope" if reference and not named else ""
        if named and caller.eyes:
            why = book.hidden(caller.eyes, reference)
        if why:
            kept.add(reference)
        outcome = Outcome.DENIED if why else Outcome.DONE
        lines.append(Line(caller.name, reference if named else namespace, outcome, why or f"{count} payloads"))
    book.note(lines or [Line(caller.name, namespace, Outcome.DONE, "0 payloads")])
    return frozenset(kept)


def _case(payload: Payload) -> str:
    """What inquiry a payload says it was sealed for; empty for none. A lie opens nothing: it is bound in."""
    scope = payload.metadata.get(SCOPE, b"").decode(errors="replace")
    return scope.removeprefix(WORKFLOW_PREFIX) if scope.startswith(WORKFLOW_PREFIX) else ""


def _check_namespace(request: Request, namespace: str) -> None:
    if request.headers.get("x-namespace", namespace) != namespace:
        raise Problem(HTTPStatus.FORBIDDEN, "codec.namespace", f"this endpoint serves the namespace {namespace}")


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


def add_codec(app: FastAPI, settings: Settings, policy: Policy, book: Records, *, signs_in: bool) -> None:
    """What lets Temporal's UI read what is sealed: on loopback, or where a UI elsewhere is named that signs in.

    In production this machine alone is not enough where people can sign in: then each opening names one of them.
    """
    here = is_loopback(settings.web_host)
    secret = settings.codec_secret.get_secret_value() if settings.codec_secret else ""
    if not here and not (settings.ui_origin and (signs_in or secret)):
        return

    def sign_in(token: str) -> SignedIn:
        return signed_in(app.state.desk, HTTPAuthorizationCredentials(scheme="Bearer", credentials=token))

    local = here and not (signs_in and settings.environment == "production")
    callers = Callers(secret, local, policy.rights, sign_in)
    app.include_router(codec_router(settings, settings.key_ring(), book, callers))
