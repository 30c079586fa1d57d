"""Whether a post really comes from SendGrid. Every doubt is a VerificationError, and nothing else is ever raised.

The signature is ECDSA P-256 with SHA-256 over the timestamp header's bytes and the body's, exactly as they arrived: a
body that was decoded, parsed or stripped of its last line end no longer fits. SendGrid's own helper takes no bytes,
checks no age and raises whatever a broken header leads to, so it is not used.
"""

import base64
import binascii
import functools
import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from models.errors import VerificationError

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
FRESH_SECONDS = 300
"""SendGrid documents no tolerance; this is what other providers advise."""

_LONGEST_HEADER = 512
_TIME = re.compile(r"[0-9]{1,12}")


def verify_signature(public_key: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Check the signature and freshness of a post.

    `public_key` is the base64 of a DER SubjectPublicKeyInfo, as SendGrid shows it; `headers` are looked up without
    regard to case; `body` is the raw body; `now` is aware.
    """
    found = {name.lower(): value for name, value in headers.items()}
    signature, timestamp = found.get(SIGNATURE.lower(), ""), found.get(TIMESTAMP.lower(), "")
    if not signature or not timestamp:
        raise VerificationError("the signature headers are missing; switch on the signature in the provider's settings")
    if len(signature) > _LONGEST_HEADER or not _TIME.fullmatch(timestamp):
        raise VerificationError("the signature headers are garbled")
    try:
        decoded = base64.b64decode(signature, validate=True)
        _key(public_key).verify(decoded, timestamp.encode("ascii") + body, ECDSA(SHA256()))
    except (binascii.Error, ValueError, InvalidSignature):
        raise VerificationError(
            "the signature does not fit; is the public key in the settings the provider's?"
        ) from None
    age = now.timestamp() - int(timestamp)
    if abs(age) > FRESH_SECONDS:
        raise VerificationError(
            f"the signature is {age:.0f} seconds old; it counts for {FRESH_SECONDS}. Is the clock right?"
        )


def verify_secret(secret: str, authorization: str | None) -> None:
    """Check a shared secret in an Authorization header: as a bearer token, or as the password of basic authentication.

    A post address of the form `https://any:SECRET@host/path` makes the provider send the latter.
    """
    scheme, _, value = (authorization or "").partition(" ")
    given = value.strip()
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, ValueError):
            given = ""
    elif scheme.lower() != "bearer":
        given = ""
    if not secret or not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode("utf-8", "replace")):
        raise VerificationError("the shared secret is missing or wrong; it belongs into the webhook's address")


def verify_inbound(
    headers: Mapping[str, str], body: bytes, now: datetime, *, public_key: str | None, secret: str | None
) -> None:
    """Check a post of Inbound Parse: by its signature where a public key is set, else by the shared secret.

    With neither set nothing is believed.
    """
    if public_key:
        verify_signature(public_key, headers, body, now)
    else:
        found = {name.lower(): value for name, value in headers.items()}
        verify_secret(secret or "", found.get("authorization"))


@functools.lru_cache(maxsize=8)
def _key(public_key: str) -> EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(public_key, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise VerificationError("the public key in the settings is not the base64 of a P-256 key in DER; copy it again")
    return key
