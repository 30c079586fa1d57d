"""Who may have payloads opened: whoever signs in and has the right, the compliance key, and in places this machine."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from fastapi import Request

from models.inquiry import Role
from models.sections.staff import Rights
from models.sight import Eyes
from networks import is_loopback
from starter.admin.oidc import SignedIn
from starter.http.problems import Problem

STRANGER = "codec:stranger"

SignIn = Callable[[str], SignedIn]
"""Says whom a bearer token or an API key speaks for. Raises a Problem."""


class Caller(NamedTuple):
    """Who asks, as the audit log names them; without `eyes` they see every case. `role` is that of a person."""

    name: str
    role: Role | None = None
    eyes: Eyes | None = None


@dataclass(frozen=True)
class Callers:
    """Knows who asks. `local`: a caller on this machine needs no token; `secret` is the compliance key, or empty."""

    secret: str
    local: bool
    rights: Rights
    sign_in: SignIn | None = None

    def of(self, request: Request) -> Caller:
        """Say who asks; it may look into the database and at the provider. Raises Problem."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        if self.secret and token and hmac.compare_digest(token.encode(), self.secret.encode()):
            return Caller("codec:compliance")
        if token and self.sign_in is not None:
            found = self.sign_in(token)
            actor = found.actor
            return Caller(actor.id, actor.role, Eyes.of(actor.id, actor.role, found.areas or (), self.rights))
        # A proxy on this machine makes strangers look local, and so does a web page whose name was pointed at us.
        forwarded = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip"))
        here = request.client is not None and is_loopback(request.client.host) and not forwarded
        if self.local and here and _names_us(request):
            return Caller("codec:loopback")
        where = "from this machine, or " if self.local else ""
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "codec.stranger",
            f"ask {where}with a bearer token of the sign-in provider, an API key or the compliance key",
            headers={"WWW-Authenticate": "Bearer"},
        )


def _names_us(request: Request) -> bool:
    host = request.headers.get("host", "")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return is_loopback(name)
