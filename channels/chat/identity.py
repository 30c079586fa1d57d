"""Who a visitor is, where the operator's platform says so: a JWT of at most ten minutes (RFC 7519, RFC 8725).

Nothing in its header chooses a key: the algorithm picks one of the two that the settings hold, and a header that points
anywhere (`jku`, `x5u`, `jwk`, ...) is refused.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol, Key, OctKey
from joserfc.jws import JWSRegistry
from pydantic import BaseModel, ConfigDict, EmailStr, Field, TypeAdapter, ValidationError

from channels.chat.settings import ChatSettings, read_key
from channels.text import one_line
from models.errors import VerificationError

LONGEST = 4096
LONGEST_LIFE = 600
"""Seconds between `iat` and `exp`."""

SKEW = 30
"""Seconds that the platform's clock may differ from ours."""

_NEVER = 1e12
_HEADERS = {"alg", "typ", "kid"}
_KID = re.compile(r"[A-Za-z0-9._:=-]{1,64}")
_SUBJECT = re.compile(r"[\x21-\x7e]{1,128}")
_EMAIL: TypeAdapter[str] = TypeAdapter(EmailStr)


class Identity(BaseModel):
    """A registered user: the platform's own id of the account, and the address and name registered with it."""

    model_config = ConfigDict(frozen=True)

    account: str = Field(repr=False)
    email: str = Field(repr=False)
    name: str = Field(repr=False)


class _Registry(JWSRegistry):
    """Knows EdDSA, which RFC 9864 renamed and platforms still write, as what it means with an Ed25519 key."""

    def get_alg(self, name: str) -> Any:
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


class Verifier:
    """Reads identities signed with the keys of the settings."""

    def __init__(self, settings: ChatSettings) -> None:
        self._issuer, self._audience = settings.issuer, settings.audience
        self._keys: dict[str, Key] = {}
        if settings.identity_secret is not None:
            self._keys["HS256"] = OctKey.import_key(settings.identity_secret.get_secret_value())
        if settings.identity_key is not None:
            key = read_key(settings.identity_key)
            names = ("ES256",) if isinstance(key, ECKey) else ("EdDSA", "Ed25519")
            self._keys |= dict.fromkeys(names, key)
        self._registry = _Registry(algorithms=list(self._keys))

    def read(self, token: str, now: datetime) -> Identity:
        """Check signature, issuer, audience and times, and read who it is.

        `now` is aware UTC. Raises VerificationError, whatever is wrong.
        """
        if not self._keys:
            raise VerificationError("no identity is believed here; set PLAZO_CHAT_IDENTITY_SECRET or _IDENTITY_KEY")
        if len(token) > LONGEST:
            raise VerificationError("the identity is too long")
        try:
            read = jwt.decode(token, self._key, algorithms=list(self._keys), registry=self._registry)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise VerificationError("the identity is not signed with a key that is believed here") from None
        _check_header(read.header)
        self._check_claims(read.claims, now.timestamp())
        return _identity(read.claims)

    def _key(self, token: GuestProtocol) -> Key:
        key = self._keys.get(str(token.headers().get("alg")))
        if key is None:
            raise ValueError("no key for this algorithm")
        return key

    def _check_claims(self, claims: Mapping[str, object], now: float) -> None:
        if claims.get("iss") != self._issuer:
            raise VerificationError("the identity was issued by somebody else")
        audience = claims.get("aud")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise VerificationError("the identity is meant for somebody else")
        issued, ends = _time(claims, "iat"), _time(claims, "exp")
        begins = _time(claims, "nbf") if "nbf" in claims else issued
        if ends - issued > LONGEST_LIFE:
            raise VerificationError(f"the identity may last {LONGEST_LIFE} seconds")
        if now >= ends + SKEW:
            raise VerificationError("the identity has ended; sign a new one")
        if max(issued, begins) > now + SKEW:
            raise VerificationError("the identity begins in the future")


def _check_header(header: Mapping[str, object]) -> None:
    strange = header.keys() - _HEADERS
    if strange or str(header.get("typ", "JWT")).upper() != "JWT" or not _KID.fullmatch(str(header.get("kid", "-"))):
        raise VerificationError("the identity's header may hold alg, typ JWT and a plain kid")


def _time(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _NEVER:
        raise VerificationError(f"the identity needs a time as {name}")
    return value


def _identity(claims: Mapping[str, object]) -> Identity:
    account, email, name = claims.get("sub"), claims.get("email") or "", claims.get("name") or ""
    if not isinstance(account, str) or not _SUBJECT.fullmatch(account):
        raise VerificationError("the identity needs an account as sub: 1 to 128 signs without blanks")
    try:
        address = _EMAIL.validate_python(email) if email else ""
    except ValidationError:
        raise VerificationError("the identity's email is no address") from None
    return Identity(account=account, email=address, name=one_line(name) if isinstance(name, str) else "")
