"""Who asks: an API key as a bearer token names an actor and a role.

Keys are stored hashed and verified in constant time. Agents, supervisors and compliance command; an auditor reads.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from models.commands import READS_ONLY
from models.inquiry import Actor
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


def caller(
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


def commander(actor: Annotated[Actor, Depends(caller)]) -> Actor:
    """An actor who may command. Raises a 403 problem."""
    if actor.role in READS_ONLY:
        raise Problem(
            HTTPStatus.FORBIDDEN, "actor.reads-only", f"an {actor.role.value} reads; commands need another role's key"
        )
    return actor


Caller = Annotated[Actor, Depends(caller)]
Commander = Annotated[Actor, Depends(commander)]
