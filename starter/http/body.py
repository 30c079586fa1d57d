"""Reading the body of a post: bounded in size, in time, and in how many large ones are held at once."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from http import HTTPStatus
from io import BytesIO

from fastapi import Request
from starlette.requests import ClientDisconnect

from starter.http.problems import Problem

LARGE = 1024 * 1024
"""Bytes from which a body counts as large; so does one of undeclared length."""

PATIENCE = 60.0
"""Seconds that a sender may take for a body."""

DRAIN = 4
"""How many times the limit is read on, and thrown away, before the sender is turned down."""


class Bodies:
    """Reads bodies; at most `large_at_once` large ones are in memory at a time, the others wait at the door."""

    def __init__(self, large_at_once: int = 4) -> None:
        self._large = asyncio.Semaphore(large_at_once)

    def room(self, request: Request) -> AbstractAsyncContextManager[None]:
        """Enter this before reading a body, and stay until it is not needed any more."""
        length = declared(request)
        return self._large if length is None or length > LARGE else nullcontext()


def declared(request: Request) -> int | None:
    """Return the declared length in bytes; None without a sensible one."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None  # noqa: PLR2004


async def read_body(request: Request, limit: int) -> tuple[bytes, bool]:
    """Return the body, at most `limit` bytes of it, and whether that is all.

    What comes beyond the limit is read on and thrown away, since some senders look at no answer before they are done.
    Raises Problem: 408 when it takes too long, 400 when the sender goes away, 413 far beyond the limit.
    """
    body, seen = BytesIO(), 0  # unlike a bytearray it gives its bytes away without a copy
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                seen += len(chunk)
                body.write(chunk[: max(0, limit - body.tell())])
                if seen > DRAIN * limit:
                    raise too_large(limit)
    except TimeoutError:
        raise Problem(
            HTTPStatus.REQUEST_TIMEOUT, "body.slow", f"the body took longer than {PATIENCE:g} s; send it again"
        ) from None
    except ClientDisconnect:
        raise Problem(HTTPStatus.BAD_REQUEST, "body.cut", "the body ended early; send it again") from None
    return body.getvalue(), seen <= limit


def too_large(limit: int) -> Problem:
    """The refusal of a body beyond its limit in bytes."""
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body.too-large", f"a body may have {limit} bytes; shorten it")
