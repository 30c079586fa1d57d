"""Tells of requests, where traces are wanted: of such as went well and were about an inquiry, by their route alone."""

from dataclasses import dataclass
from http import HTTPStatus

from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import tracing

NOTHING_TOLD = TelemetryConfig(tracing=False, metrics=False, logs=False, operation_spans=False, auto_configure=False)
"""FastAPI's own telemetry tells paths and what exceptions say: status links, addresses. Ours is below."""


@dataclass
class Traced:
    """Stands before an application (ASGI). A path may hold a secret or an address: the route's template is told."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, and tell of it once it has ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with tracing.occasion("request", "SERVER") as request:

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _look(request, scope, message["status"])
                await send(message)

            await self.app(scope, receive, watched)


def _look(request: tracing.Occasion, scope: Scope, status: int) -> None:
    """See which route it was; what is refused may name no inquiry that there is."""
    route = getattr(scope.get("route"), "path", "")
    if not route:
        return
    request.name = f"{scope['method']} {route}"
    request.told |= {"http.request.method": scope["method"], "http.route": route, "http.response.status_code": status}
    if status < HTTPStatus.BAD_REQUEST:
        tracing.concerns(scope.get("path_params", {}).get("reference"))
