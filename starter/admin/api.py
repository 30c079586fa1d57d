"""What the routes of the admin API have in common, and the one that says whose key this is."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response

from models.commands import READS_ONLY
from starter.admin.desk import Desk, desk_of
from starter.admin.rights import Caller
from starter.admin.views import Me
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import refusals

READING = refusals(
    HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE
)
ONE = READING | refusals(HTTPStatus.NOT_FOUND)
COMMANDING = ONE | refusals(
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)


def _kept_nowhere(response: Response) -> None:
    """Nothing between us and the caller may keep personal data."""
    response.headers["Cache-Control"] = "no-store"


private = Depends(_kept_nowhere)
router = APIRouter(prefix="/api", route_class=PlainJsonRoute, dependencies=[private])

Here = Annotated[Desk, Depends(desk_of)]
Reference = Annotated[str, Path(description="The inquiry's reference.", examples=["RX-7KQ4-M2PD"], max_length=40)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="Any text without blanks, new for each request. The same request sent again gives the same answer.",
    ),
]


@router.get("/me", tags=["access"], responses=READING)
def me(actor: Caller) -> Me:
    """Whose key this is, and what it may do."""
    return Me(id=actor.id, role=actor.role.value, may_command=actor.role not in READS_ONLY)
