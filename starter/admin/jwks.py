"""The keys of a sign-in provider (JWKS), fetched when they are wanted and kept for a while.

A provider that is away does not lock anybody out at once: what is known stays good for a day. A stranger who makes up
key ids causes one look at most every half minute.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx2
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from models.errors import PlazoError

FRESH, OLDEST = 3600.0, 86_400.0
"""Seconds for which keys are taken as they are, and for which they stay good while the provider is away."""

PAUSE = 30.0
"""Seconds between two looks at the provider."""

PATIENCE = 3.0
MOST_BYTES = 512 * 1024
SHORTEST_MODULUS = 342
"""Characters of base64 that 2048 bits take; a shorter RSA key is too weak."""

DISCOVERY = "/.well-known/openid-configuration"

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class ProviderAway(PlazoError):
    """The provider's keys are not known and cannot be fetched."""


class _Known(NamedTuple):
    keys: Mapping[str, Key]
    at: float


class ProviderKeys:
    """The public keys of one provider by id. `clock` gives seconds that only grow."""

    def __init__(self, issuer: str, jwks_url: str, clock: Callable[[], float]) -> None:
        """Nothing is fetched before the first token."""
        self._issuer, self._jwks_url, self._clock = issuer, jwks_url, clock
        self._known: _Known | None = None
        self._looked: float | None = None
        self._lock = threading.Lock()

    def key(self, kid: str) -> Key | None:
        """The key of that id, or None where the provider has no such one. Raises ProviderAway."""
        known = self._known
        if known is None or self._clock() - known.at > FRESH or kid not in known.keys:
            known = self._look(kid)
        if known is None or self._clock() - known.at > OLDEST:
            raise ProviderAway("the sign-in provider does not answer, and its keys are not known (any more)")
        return known.keys.get(kid)

    def _look(self, kid: str) -> _Known | None:
        # Whoever has keys to go on with does not wait for somebody else's look.
        if not self._lock.acquire(blocking=self._known is None):
            return self._known
        try:
            now = self._clock()
            settled = self._known is not None and now - self._known.at <= FRESH and kid in self._known.keys
            if settled or (self._looked is not None and now - self._looked < PAUSE):
                return self._known
            self._looked = now
            self._known = _Known(self._fetched(), now)
        except (httpx2.HTTPError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            log.warning("sign-in.keys-not-fetched", error=type(error).__name__)
        finally:
            self._lock.release()
        return self._known

    def _fetched(self) -> dict[str, Key]:
        with httpx2.Client(timeout=PATIENCE, follow_redirects=False, trust_env=False) as http:
            url = self._jwks_url or self._discovered(http)
            keys = _json(http, url)["keys"]
        found = (_usable(one) for one in keys)
        return {kid: key for kid, key in found if key is not None}

    def _discovered(self, http: httpx2.Client) -> str:
        document = _json(http, self._issuer.rstrip("/") + DISCOVERY)
        if document["issuer"] != self._issuer:
            raise ValueError("the document is of another issuer")
        url = str(document["jwks_uri"])
        if not url.startswith("https://") and self._issuer.startswith("https://"):
            raise ValueError("keys that could be changed on the way")
        return url


def _json(http: httpx2.Client, url: str) -> Any:
    with http.stream("GET", url) as answer:
        answer.raise_for_status()
        if answer.status_code != httpx2.codes.OK:
            raise ValueError("no document")
        body = b""
        for part in answer.iter_bytes():
            body += part
            if len(body) > MOST_BYTES:
                raise ValueError("a document beyond any sense")
    return httpx2.Response(httpx2.codes.OK, content=body).json()


def _usable(one: Mapping[str, Any]) -> tuple[str, Key | None]:
    """A key's id and the key; None for one that is secret, weak, of no known kind, or meant for something else."""
    kid = one.get("kid")
    if not isinstance(kid, str) or one.get("use", "sig") != "sig" or "d" in one:
        return "", None
    if one.get("kty") == "RSA" and len(str(one.get("n"))) < SHORTEST_MODULUS:
        return kid, None
    try:
        key = import_key(dict(one))
    except (JoseError, ValueError, TypeError, KeyError):
        return kid, None
    return kid, key if isinstance(key, RSAKey | ECKey | OKPKey) else None
