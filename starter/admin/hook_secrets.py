"""The secrets that sign webhooks, kept sealed with the key ring: whoever reads the database alone cannot sign.

Each is bound to the URL that it signs for, so a sealed secret that is copied to a receiver elsewhere opens nothing.
"""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys import KeyRing
from models.hooks import SECRET_BYTES, new_secret

NONCE_BYTES = 12


def make() -> str:
    """Return a new secret."""
    return new_secret(secrets.token_bytes(SECRET_BYTES))


def seal(ring: KeyRing, url: str, secret: str) -> str:
    """Seal a secret for the subscription of `url` with the ring's first key."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    first = ring.first
    sealed = AESGCM(ring.keys[first]).encrypt(nonce, secret.encode(), _bound(first, url))
    return f"{first}:{base64.b64encode(nonce + sealed).decode('ascii')}"


def unseal(ring: KeyRing, url: str, sealed: str) -> str | None:
    """Return the secret; None where no key of the ring opens it."""
    key_id, _, text = sealed.partition(":")
    key = ring.find(key_id)
    if key is None:
        return None
    raw = base64.b64decode(text)
    try:
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(key_id, url)).decode()
    except InvalidTag:
        return None


def _bound(key_id: str, url: str) -> bytes:
    return f"plazo/webhook/{key_id}\0{url}".encode()
