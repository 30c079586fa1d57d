"""Opaque random ids: a prefix that says of what, then 80 bits that say nothing."""

import base64
import secrets


def new_id(prefix: str) -> str:
    """Make an id such as `ct_7h2k...`: 16 characters of a to z and 2 to 7 after the prefix."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(10)).decode().lower()}"
