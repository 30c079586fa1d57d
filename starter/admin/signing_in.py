"""Who asks: an API key, or a token of the operator's sign-in provider, as a bearer token names an actor and a role.

Keys are stored hashed and verified in constant time. A token speaks for whom of the staff its `sub` names, else for a
stranger: one person is one actor, however they come in. What each role may do stands in `models.rights`.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from models.errors import VerificationError
from models.inquiry import Actor
from records import keys, sign_ins, staff
from starter.admin.desk import Desk, desk_of
from starter.admin.jwks import PAUSE, ProviderAway
from starter.admin.oidc import NoRole, SignedIn
from starter.http.problems import Problem

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="plazo"'}
LONGEST_SECRET = 200
DOTS = 2
"""A token has three parts, and a key has no dot."""

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="Key or token",
    description="A key made with `plazo keys create`, or a token of the operator's sign-in provider; `make run` prints"
    " a key for development, `plazo token` a token.",
)


def signed_in(
    desk: Annotated[Desk, Depends(desk_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> SignedIn:
    """Whoever the key or the token speaks for. Raises a 401, 403 or 503 problem."""
    if credentials is None:
        raise _stranger("key.missing", "send an API key: Authorization: Bearer <key>; `plazo keys create` makes one")
    secret = credentials.credentials
    found = _by_token(desk, secret) if secret.count(".") == DOTS else _by_key(desk, secret)
    with desk.database.read() as session:
        known = staff.person(session, found.actor.id)
    if known is not None and known.left_at is not None:
        raise _stranger("key.unknown", "whoever it speaks for has left")
    if found.areas is not None:
        return found
    return found._replace(areas=frozenset(known.areas if known else ()))


def _by_key(desk: Desk, secret: str) -> SignedIn:
    with desk.database.read() as session:
        actor = keys.verify(session, secret[:LONGEST_SECRET])
    if actor is None:
        raise _stranger("key.unknown", "the key is unknown or revoked; ask for another")
    return SignedIn(actor, None)


def _by_token(desk: Desk, token: str) -> SignedIn:
    if desk.tokens is None:
        raise _stranger("token.unwanted", "no sign-in provider is set up here; send an API key")
    try:
        found = desk.tokens.read(token, desk.clock())
    except NoRole as error:
        raise Problem(HTTPStatus.FORBIDDEN, "token.no-role", str(error)) from None
    except VerificationError as error:
        raise _stranger("token.refused", str(error)) from None
    except ProviderAway as error:
        headers = {"Retry-After": str(int(PAUSE))}
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "token.provider-away", str(error), headers=headers) from None
    with desk.database.read() as session:
        who = sign_ins.whose(session, desk.tokens.issuer, found.subject)
    return found._replace(actor=Actor(id=who, role=found.actor.role)) if who else found


def _stranger(code: str, detail: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, code, detail, headers=CHALLENGE)
