"""Who asks: an API key as a bearer token names an actor and a role.

Keys are stored hashed and verified in constant time. Agents, representatives, supervisors and compliance command; an
auditor reads; an intake service hands inquiries in and does nothing else.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from models.commands import READS_ONLY
from models.inquiry import Actor, Role
from records import keys
from starter.admin.desk import Desk, desk_of
from starter.http.problems import Problem

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="plazo"'}
LONGEST_SECRET = 200

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="A key made with `plazo keys create`; `make run` prints one for development.",
)


def holder(
    desk: Annotated[Desk, Depends(desk_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Actor:
    """The actor behind the key. Raises a 401 problem."""
    if credentials is None:
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "key.missing",
            "send an API key: Authorization: Bearer <key>; `plazo keys create` makes one",
            headers=CHALLENGE,
        )
    with desk.database.read() as session:
        actor = keys.verify(session, credentials.credentials[:LONGEST_SECRET])
    if actor is None:
        raise Problem(
            HTTPStatus.UNAUTHORIZED, "key.unknown", "the key is unknown or revoked; ask for another", headers=CHALLENGE
        )
    return actor


def caller(actor: Annotated[Actor, Depends(holder)]) -> Actor:
    """An actor who may read. Raises a 403 problem."""
    if actor.role is Role.INTAKE:
        raise Problem(HTTPStatus.FORBIDDEN, "actor.hands-in", "an intake service hands inquiries in and reads nothing")
    return actor


def commander(actor: Annotated[Actor, Depends(caller)]) -> Actor:
    """An actor who may command. Raises a 403 problem."""
    if actor.role in READS_ONLY:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "actor.reads-only",
            f"the role {actor.role.value} commands nothing; that needs another key",
        )
    return actor


Holder = Annotated[Actor, Depends(holder)]
Caller = Annotated[Actor, Depends(caller)]
Commander = Annotated[Actor, Depends(commander)]
