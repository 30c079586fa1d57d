"""Whether a post really comes from X, and the answer to its handshake. Every doubt is a VerificationError.

Both are HMAC-SHA256 in base64 behind `sha256=`: over the raw body of a post, over the token of a handshake. There is no
timestamp, so freshness is not the signature's to give: every event carries an id, and a repetition changes nothing.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping

from models.errors import VerificationError

BY_CONSUMER_SECRET = "x-twitter-webhooks-signature"  # noqa: S105 - a header's name
BY_CLIENT_SECRET = "x-twitter-webhooks-signature-oauth2"  # noqa: S105 - the same
"""The newer header; an app that has both secrets may get both."""

_SCHEME = "sha256="
_LONGEST_SIGNATURE = 100
_TOKEN = re.compile(r"[A-Za-z0-9_+/=.-]{1,256}")
"""What X sends as `crc_token`. Whoever asks gets it signed, so nothing that could be a post may be one."""


class Signatures:
    """Checks and makes signatures with an app's secrets; an empty one is not there and never fits."""

    def __init__(self, consumer_secret: str, client_secret: str) -> None:
        self._secrets = {
            header: secret.encode()
            for header, secret in ((BY_CONSUMER_SECRET, consumer_secret), (BY_CLIENT_SECRET, client_secret))
            if secret
        }

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Check a post's signature over its raw bytes; `headers` have lower-case names.

        Only a JSON object is a post: handshakes are signed with the same secret, for whoever asks.
        """
        if not body.lstrip().startswith(b"{"):
            raise VerificationError("the post is no JSON object")
        present = [header for header in self._secrets if header in headers]
        if not present:
            raise VerificationError("the signature header is missing, or its secret is not set; set PLAZO_X_*_SECRET")
        if not any(_fits(headers[header], self._secrets[header], body) for header in present):
            raise VerificationError("the signature does not fit; is the secret in the settings that of the app on X?")

    def answer(self, query: Mapping[str, str]) -> dict[str, str]:
        """Answer a handshake (CRC), with the consumer secret where there is one."""
        token = query.get("crc_token", "")
        if not _TOKEN.fullmatch(token):
            raise VerificationError("the handshake's crc_token is missing, too long, or none that X would send")
        if not self._secrets:
            raise VerificationError("no secret is set; set PLAZO_X_CONSUMER_SECRET or PLAZO_X_CLIENT_SECRET")
        secret = next(iter(self._secrets.values()))
        return {"response_token": _SCHEME + base64.b64encode(_digest(secret, token.encode())).decode()}


def _digest(secret: bytes, message: bytes) -> bytes:
    return hmac.new(secret, message, hashlib.sha256).digest()


def _fits(signature: str, secret: bytes, body: bytes) -> bool:
    if len(signature) > _LONGEST_SIGNATURE or not signature.startswith(_SCHEME):
        return False
    try:
        given = base64.b64decode(signature.removeprefix(_SCHEME), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, _digest(secret, body))
