"""The token in a reply address, `help+<token>@...`: it names the inquiry and cannot be guessed or made up.

Mail systems lower-case local parts, so a token reads the same in any case.
"""

import base64
import hashlib
import hmac

_LENGTH = 16
"""Characters of base32: 80 bits."""


def reply_token(secret: bytes, reference: str) -> str:
    """The token for `reference`, such as `rx-7kq4-m2pd.abcdefgh23456777`: fit for a local part, under 40 characters."""
    name = reference.lower()
    digest = hmac.new(secret, b"reply token 1\0" + name.encode(), hashlib.sha256).digest()
    return f"{name}.{base64.b32encode(digest)[:_LENGTH].decode().lower()}"


def read_token(secret: bytes, token: str) -> str | None:
    """The reference (in capitals) that a token was made for; None where we did not make it. In constant time."""
    name = token.strip().lower().rpartition(".")[0]
    if not name.isascii() or not token.isascii():
        return None
    made = reply_token(secret, name)
    return name.upper() if hmac.compare_digest(made.encode(), token.strip().lower().encode()) else None


def reply_address(mailbox: str, token: str) -> str:
    """`help@example.org` with the token after a plus sign."""
    local, _, domain = mailbox.rpartition("@")
    return f"{local}+{token}@{domain}"
