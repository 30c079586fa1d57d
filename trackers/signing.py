"""Signed posts, either way: `t=<unix seconds>,v1=<hex HMAC-SHA256 over "<t>." and the raw body>`.

The time is signed with the body, so an old post cannot be sent again as a new one. Several `v1` may stand side by side
while a secret is changed.
"""

import hashlib
import hmac
from datetime import datetime, timedelta

from models.errors import VerificationError

HEADER = "plazo-signature"
FRESH = timedelta(seconds=300)
"""How far the time of a post may lie from ours."""

_LONGEST = 1_000
_MOST_DIGITS = 12


def sign(secret: bytes, body: bytes, at: datetime) -> str:
    """Return the header of a post made at `at` (aware)."""
    t = int(at.timestamp())
    return f"t={t},v1={_digest(secret, t, body)}"


def check(secret: bytes, header: str, body: bytes, now: datetime) -> None:
    """Check a post's header over its raw body. Raises VerificationError."""
    parts = [part.partition("=") for part in header[:_LONGEST].split(",")]
    times = [value for name, _, value in parts if name.strip() == "t"]
    given = [value for name, _, value in parts if name.strip() == "v1" and value.isascii()]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= _MOST_DIGITS):
        raise VerificationError(f"the header {HEADER} is missing or is not t=<seconds>,v1=<hex>")
    t = int(times[0])
    wanted = _digest(secret, t, body)
    # Every one is looked at, so that the time it takes says nothing.
    fits = [hmac.compare_digest(wanted, one) for one in given]
    if not any(fits):
        raise VerificationError("the signature does not fit; is the secret in the settings the sender's?")
    if abs(now.timestamp() - t) > FRESH.total_seconds():
        raise VerificationError(f"the post was signed more than {FRESH.total_seconds():g} s from now")


def _digest(secret: bytes, t: int, body: bytes) -> str:
    return hmac.new(secret, f"{t}.".encode() + body, hashlib.sha256).hexdigest()
