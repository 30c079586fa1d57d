"""The stand-in as an application: `app.mount("/issuer", issuer(Arrangement(...)))`, or alone. All is in memory."""

import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import FastAPI, Form, HTTPException, Response
from joserfc import jwt
from joserfc.jwk import RSAKey

LIFE = 600
"""Seconds that a token is good for."""

DEVELOPMENT: dict[str, tuple[str, tuple[str, ...]]] = {
    "dev-agent": ("agent", ("cx",)),
    "dev-representative": ("representative", ("operations",)),
    "dev-supervisor": ("supervisor", ()),
    "dev-compliance": ("compliance", ("compliance",)),
    "dev-auditor": ("auditor", ()),
    "dev-intake": ("intake", ()),
}
"""The users of development, each with a role and areas; whoever asks is believed."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How it is set up: its own address, whom tokens are for, and who may ask for one."""

    url: str = "http://127.0.0.1:8025/issuer"
    audience: str = "plazo"
    users: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=lambda: dict(DEVELOPMENT))
    clock: Callable[[], float] = time.time


class Keys:
    """The provider's keys: the newest signs, all of them verify."""

    def __init__(self) -> None:
        self.all: list[RSAKey] = []
        self.rotate()

    def rotate(self, *, keep: bool = True) -> None:
        """Make a new key; those before stay, or are gone."""
        made = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"}, private=True)
        self.all = [made, *(self.all if keep else [])]


def issuer(arrangement: Arrangement) -> FastAPI:
    """Set it up with one key. `app.state.keys` and `app.state.asked` are for tests."""
    app = FastAPI(title="Issuer", summary="A stand-in for an OpenID Connect provider")
    keys, asked = Keys(), Counter[str]()
    app.state.keys, app.state.asked = keys, asked

    @app.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        asked["discovery"] += 1
        return {
            "issuer": arrangement.url,
            "jwks_uri": f"{arrangement.url}/jwks",
            "token_endpoint": f"{arrangement.url}/token",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    @app.get("/jwks")
    def jwks() -> dict[str, Any]:
        asked["jwks"] += 1
        return {"keys": [key.as_dict(private=False) for key in keys.all]}

    @app.post("/token")
    def token(username: Annotated[str, Form(max_length=64)], response: Response) -> dict[str, Any]:
        """Give a token to one of the users, who need no password here."""
        if username not in arrangement.users:
            raise HTTPException(400, "invalid_grant")
        role, areas = arrangement.users[username]
        now = int(arrangement.clock())
        claims = {
            "iss": arrangement.url,
            "aud": arrangement.audience,
            "sub": username,
            "iat": now,
            "nbf": now,
            "exp": now + LIFE,
            "role": role,
            "areas": list(areas),
        }
        key = keys.all[0]
        response.headers["Cache-Control"] = "no-store"
        signed = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
        return {"access_token": signed, "token_type": "Bearer", "expires_in": LIFE}

    @app.post("/control/rotate")
    def rotate(*, keep: bool = True) -> dict[str, list[str | None]]:
        """Make a new key."""
        keys.rotate(keep=keep)
        return {"kids": [key.kid for key in keys.all]}

    @app.get("/control/asked")
    def looks() -> dict[str, int]:
        """Count the looks at each document."""
        return dict(asked)

    return app
