"""Who asks, where a sign-in provider says so: its bearer token, checked as RFC 8725 wants it.

The header chooses nothing but one of the provider's own keys: where it points elsewhere (`jku`, `x5u`, `jwk`, ...) it
is not read, and nothing is ever fetched from there.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from models.errors import VerificationError
from models.inquiry import Actor, Role
from records.keys import HOLDERS
from starter.admin.jwks import ProviderKeys
from starter.admin.oidc_settings import OidcSettings

LONGEST = 8 * 1024
LEEWAY = 30
"""Seconds that the provider's clock may differ from ours."""

_NEVER = 1e12
_KID = re.compile(r"[\x21-\x7e]{1,200}")
_AREA = re.compile(r"[a-z][a-z0-9_]{1,31}")


class SignedIn(NamedTuple):
    """Who comes in. `areas` is None where nothing is said of them; `subject` is a token's `sub`, personal data."""

    actor: Actor
    areas: frozenset[str] | None
    subject: str = ""


class NoRole(VerificationError):
    """The token is good, but its bearer has no role here."""


class _Registry(JWSRegistry):
    """Knows EdDSA, which RFC 9864 renamed and providers still write, as what it means with an Ed25519 key."""

    def get_alg(self, name: str) -> Any:
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


class Tokens:
    """Reads the tokens of one provider."""

    def __init__(self, settings: OidcSettings, keys: ProviderKeys) -> None:
        self._settings, self._keys = settings, keys
        names = settings.allowed | ({"Ed25519"} if "EdDSA" in settings.allowed else set())
        self._algorithms = sorted(names)
        self._registry = _Registry(algorithms=self._algorithms)

    def read(self, token: str, now: datetime) -> SignedIn:
        """Check signature, issuer, audience and times, and read who it is, as yet a stranger. `now` is aware UTC.

        Raises VerificationError, whatever is wrong, NoRole, and ProviderAway.
        """
        if len(token) > LONGEST:
            raise VerificationError("the token is too long")
        header = _header(token)
        if header.get("alg") not in self._algorithms or "crit" in header:
            raise VerificationError("the token's algorithm is not allowed here")
        kid = header.get("kid")
        if not isinstance(kid, str) or not _KID.fullmatch(kid):
            raise VerificationError("the token names no key")
        key = self._keys.key(kid)
        if key is None:
            raise VerificationError("the provider has no such key")
        try:
            claims = jwt.decode(token, key, algorithms=self._algorithms, registry=self._registry).claims
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise VerificationError("the token is not signed with a key of the provider") from None
        self._check(claims, now.timestamp())
        subject = _subject(claims)
        stranger = hashlib.sha256(f"{self.issuer} {subject}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
        return SignedIn(Actor(id=f"oidc-{stranger}", role=self._role(claims)), self._areas(claims), subject)

    @property
    def issuer(self) -> str:
        """The provider, as it writes itself."""
        return self._settings.issuer

    def _check(self, claims: Mapping[str, Any], now: float) -> None:
        if claims.get("iss") != self._settings.issuer:
            raise VerificationError("the token was issued by somebody else")
        audience = claims.get("aud")
        if self._settings.audience not in (audience if isinstance(audience, list) else [audience]):
            raise VerificationError("the token is meant for somebody else")
        if now >= _time(claims, "exp") + LEEWAY:
            raise VerificationError("the token has ended")
        begins = [_time(claims, name) for name in ("iat", "nbf") if name in claims]
        if max(begins, default=now) > now + LEEWAY:
            raise VerificationError("the token begins in the future")

    def _role(self, claims: Mapping[str, Any]) -> Role:
        value: Any = claims
        for part in self._settings.role_claim.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        named = {one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)}
        roles = [role for role in HOLDERS if role.value in named]
        if len(roles) != 1:
            raise NoRole(f"the claim {self._settings.role_claim} must name one role; it names {len(roles)}")
        return roles[0]

    def _areas(self, claims: Mapping[str, Any]) -> frozenset[str] | None:
        value = claims.get(self._settings.areas_claim)
        if value is None:
            return None
        named = value if isinstance(value, list) else str(value).replace(",", " ").split()
        return frozenset(one for one in named if isinstance(one, str) and _AREA.fullmatch(one))


def _header(token: str) -> Mapping[str, Any]:
    encoded = token.partition(".")[0]
    try:
        header = json.loads(base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise VerificationError("the token cannot be read") from None
    if not isinstance(header, dict):
        raise VerificationError("the token cannot be read")
    return header


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _NEVER:
        raise VerificationError(f"the token needs a time as {name}")
    return value


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not (0 < len(subject) <= 255 and subject.isprintable()):  # noqa: PLR2004  as OpenID Connect says
        raise VerificationError("the token names nobody")
    return subject
