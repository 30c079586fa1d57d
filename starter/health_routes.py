"""What Prometheus and whoever runs containers may ask the web process."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from temporalio.client import Client
from temporalio.service import RPCError

import health
from health import AWAY, OK, able
from listener import Door
from metrics import TYPE, House, exposition
from models.errors import EngineUnavailable
from models.policy import Policy
from networks import is_loopback
from records.database import Database
from settings import Settings
from starter.temporal.engine import answering


def door_of(settings: Settings, policy: Policy, database: Database, clock: Callable[[], datetime]) -> Door:
    """What Prometheus and whoever runs containers may ask."""
    figures = partial(exposition, House(database, policy, clock))
    return Door(figures, lambda: True, partial(health.records, database, settings.key_ring))


def health_router(door: Door, settings: Settings) -> APIRouter:
    """Make the routes that say whether the process lives and what answers."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def alive() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def ready(request: Request) -> JSONResponse:
        """Say what answers: without the records and the keys nothing is taken in, without Temporal it waits."""
        found, temporal = await asyncio.gather(asyncio.to_thread(door.ready), _temporal(request.app.state.desk.client))
        return JSONResponse(
            {**found, "temporal": temporal}, HTTPStatus.OK if able(found) else HTTPStatus.SERVICE_UNAVAILABLE
        )

    if is_loopback(settings.web_host):

        @router.get("/metrics", response_class=PlainTextResponse)
        async def figures() -> Response:
            """Give the house's figures to Prometheus: on loopback alone; elsewhere they have a port of their own."""
            return Response(await asyncio.to_thread(door.metrics), media_type=TYPE)

    return router


async def _temporal(client: Client) -> str:
    try:
        async with answering(2.0):
            return OK if await client.service_client.check_health() else AWAY
    except (EngineUnavailable, RPCError):
        return AWAY
