"""The Bot API's addresses: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

import asyncio
import re
import secrets
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from counterparts.telegram.arguments import read_arguments
from counterparts.telegram.faults import Fault, Faults
from counterparts.telegram.methods import Methods
from counterparts.telegram.refusals import Refusal, too_many
from counterparts.telegram.town import Town

_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
_TOO_MANY = 429
_USUAL = {
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def api_router(token: str, town: Town, methods: Methods, faults: Faults) -> APIRouter:
    """The routes of one bot."""
    router = APIRouter()

    @router.api_route("/bot{given}/{method}", methods=["GET", "POST"])
    async def call(given: str, method: str, request: Request) -> Response:
        """Carry out a method."""
        try:
            _check(token, given)
            if (delay := faults.take(method, "delay")) is not None:
                await asyncio.sleep(delay.seconds)
            if (fault := faults.take(method, "status", "hang_up_before")) is not None:
                return _refused(fault) if fault.kind == "status" else await _hang_up(request)
            arguments = await read_arguments(request)
            result: Any = await methods.call(method, arguments, request.is_disconnected)
        except Refusal as refusal:
            return refusal.response
        if faults.take(method, "hang_up_after_accept") is not None:
            return await _hang_up(request)
        return JSONResponse({"ok": True, "result": result})

    @router.get("/file/bot{given}/{path:path}")
    async def download(given: str, path: str) -> Response:
        """Give a file."""
        try:
            _check(token, given)
        except Refusal as refusal:
            return refusal.response
        file = next((one for one in town.files.values() if one.path == path), None)
        if file is None:
            return Refusal(404, "Not Found").response
        return Response(file.content, media_type="application/octet-stream")

    return router


def _check(token: str, given: str) -> None:
    if not _TOKEN.fullmatch(given):
        raise Refusal(404, "Not Found")
    if not secrets.compare_digest(token, given):
        raise Refusal(401, "Unauthorized")


def _refused(fault: Fault) -> Response:
    if fault.status == _TOO_MANY:
        return too_many(fault.retry_after).response
    return Refusal(fault.status, fault.description or _USUAL.get(fault.status, "Bad Request: told to fail")).response


async def _hang_up(request: Request) -> Response:
    # uvicorn's `receive` is a method of the object that holds the transport; ASGI itself knows no way to hang up.
    cycle: Any = getattr(request.receive, "__self__", None)
    if cycle is not None:
        cycle.transport.abort()
    # The server learns of the closed connection in the loop's next rounds, and then sends no answer.
    await asyncio.sleep(0.05)
    return Response(status_code=503)
