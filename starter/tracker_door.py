"""Where trackers outside say what changed: `POST /trackers/<name>/events` (M5.6).

The signature is checked on the raw bytes before anything is parsed, and whatever is answered with 2xx is stored. An
event that was taken in before changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from models.errors import UnreadableMessage, VerificationError
from records import incidents
from records.database import Database
from starter.admin.tracker_word import take_in
from starter.http.body import Bodies, read_body, too_large
from starter.http.problems import Problem, refusals
from starter.http.threads import Threads
from trackers.port import Change, Tracker
from trackers.registry import Trackers

MOST_BYTES = 1024 * 1024
"""What a post may weigh."""

LONGEST_EVENT = 200

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Learned(BaseModel):
    """What a post brought."""

    changes: int = Field(description="changes of our incidents that were news")


@dataclass(frozen=True)
class Door:
    """What the door needs. `clock` gives aware UTC; `wake` tells the dispatcher that something waits for Temporal."""

    database: Database
    trackers: Trackers
    clock: Callable[[], datetime]
    threads: Threads
    wake: Callable[[], None]


def tracker_router(door: Door) -> APIRouter:
    """Return the route under `/trackers`."""
    router = APIRouter(prefix="/trackers", tags=["incidents"])
    bodies = Bodies()

    @router.post(
        "/{tracker}/events",
        responses=refusals(401, 404, 413, 422, 503),
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
        },
    )
    async def events(tracker: str, request: Request) -> Learned:
        """Take in what a tracker says of our incidents."""
        known = door.trackers.by_name.get(tracker)
        if known is None or not known.outside:
            raise Problem(HTTPStatus.NOT_FOUND, "tracker.no-door", f"no tracker {tracker[:40]!r} posts here")
        headers = {name.lower(): value for name, value in request.headers.items()}
        async with bodies.room(request):
            body, whole = await read_body(request, MOST_BYTES)
            if not whole:
                raise too_large(MOST_BYTES)
            return Learned(changes=await door.threads.work(lambda: _take(door, known, headers, body)))

    return router


def _take(door: Door, tracker: Tracker, headers: Mapping[str, str], body: bytes) -> int:
    """Verify, read, store."""
    now = door.clock()
    try:
        tracker.verify(headers, body, now)
        changes = tracker.parse(headers, body, now)
    except VerificationError as error:
        log.warning("tracker.unverified", tracker=tracker.name, why=str(error))
        raise Problem(HTTPStatus.UNAUTHORIZED, "tracker.unverified", str(error)) from None
    except UnreadableMessage as error:
        log.warning("tracker.unreadable", tracker=tracker.name, why=str(error))
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "tracker.unreadable", str(error)) from None
    news = _store(door.database, tracker, changes, now)
    if news:
        door.wake()
    return news


def _store(database: Database, tracker: Tracker, changes: tuple[Change, ...], now: datetime) -> int:
    news = 0
    with database.write() as session:
        for change in changes:
            row = incidents.named(session, tracker.name, key=change.key, tracker_id=change.id)
            if row is None or not incidents.told(session, tracker.name, change.event[:LONGEST_EVENT], now):
                continue
            if change.id and change.url and not row.tracker_id:
                # Its own word came before its answer to us, or in its place.
                row = incidents.linked(session, row.key, incidents.Link(change.id, change.url), now)
            news += take_in(session, row, tracker.name, change, now)
    return news
