"""Bodies of the admin API: JSON of a bounded size that every table, log and program can hold.

Python's JSON reader takes more than JSON allows (NaN, numbers of any size, half characters). What it lets through would
surface much later, as a failure; here it is a refusal.
"""

import json
import math
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

from starter.http.body import read_body, too_large
from starter.http.problems import Problem

MOST_BYTES = 256 * 1024
DEEPEST = 20
LARGEST = 2**53
"""Whole numbers up to here are the same in every JSON reader."""


class PlainJsonRoute(APIRoute):
    """A route whose body is checked before anything else reads it; an absent body is read as `{}`."""

    most_bytes = MOST_BYTES

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put the check before FastAPI's own handler."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if request.method != "POST":
                return await handle(request)
            try:
                body = await _body(request, self.most_bytes)
            except Problem as problem:
                return problem.response()
            return await handle(_with_body(request, body))

        return checked


async def _body(request: Request, most: int) -> bytes:
    body, whole = await read_body(request, most)
    if not whole:
        raise too_large(most)
    if not body:
        return b"{}"
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "body.not-json", "send the body as Content-Type: application/json"
        )
    # Written anew, so that what the handler reads is what was checked.
    return json.dumps(plain(body)).encode()


def plain(body: bytes) -> Any:
    """Read JSON strictly. Raises Problem."""
    try:
        value = json.loads(body, parse_constant=_constant)
    except Problem:
        raise
    except (ValueError, RecursionError):
        raise _malformed("the body is not JSON") from None
    _check(value, 0)
    return value


def _constant(name: str) -> None:
    raise _malformed(f"{name} is not JSON")


def _check(value: object, depth: int) -> None:
    if depth > DEEPEST:
        raise _malformed(f"the body is nested deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        for key, inner in value.items():
            _check(key, depth + 1)
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)
    elif isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise _malformed("a text holds a NUL or half a character")
    elif isinstance(value, int):
        if abs(value) > LARGEST:
            raise _malformed("a number is too large")
    elif isinstance(value, float) and not math.isfinite(value):
        raise _malformed("a number is too large")


def _malformed(detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "body.malformed", detail)


def _with_body(request: Request, body: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    ours = {b"content-type", b"content-length"}
    headers = [(name, value) for name, value in request.scope["headers"] if name not in ours]
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return Request({**request.scope, "headers": headers}, receive)
