"""The payload codec: everything the application hands to Temporal is compressed and sealed with AES-256-GCM.

A sealed payload has `encoding: binary/encrypted` and, in clear, the key's id, the compression and the workflow it is
meant for; all three are bound into the seal, so none can be changed. Decoding never raises: what cannot be opened is
handed on as it came, because one bad payload must not stop a workflow. Plain payloads, as the stock command line sends
them, pass through.
"""

import copy
import secrets
import zlib
from collections.abc import Sequence
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from keys import KeyRing
from models.sealing import MARK

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
COMPRESSION = "encryption-compression"
SCOPE = "encryption-scope"
MAX_INFLATED = 8 * 1024 * 1024
"""Bytes a compressed payload may grow to; one that would grow further is handed on unopened."""

NONCE_BYTES = 12
# Shorter ones rarely shrink, and the attempt costs more than the cipher.
MIN_COMPRESSED = 256


class SealingCodec(PayloadCodec, WithSerializationContext):
    """Seals with the ring's first key, opens with any of them.

    `scope` is the id of the workflow the payload belongs to; the SDK gives it through `with_context`. A payload that
    was opened and was sealed for the same scope gets the mark of `models.sealing`: one copied from another case, or
    sealed by the codec endpoint for whoever asked, is readable but not trusted.
    """

    def __init__(self, ring: KeyRing, scope: str = "") -> None:
        self._ring = ring
        self._ciphers: dict[str, AESGCM] = {}
        self._scope = scope

    def with_context(self, context: SerializationContext) -> Self:
        """Return the codec of one workflow."""
        if not isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
            return self
        bound = copy.copy(self)
        bound._scope = context.workflow_id or ""  # noqa: SLF001  of our own kind
        return bound

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal each payload."""
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open what can be opened and hand on the rest unchanged, without the mark. Never raises."""
        return [self._open(payload) for payload in payloads]

    def _cipher(self, key_id: str) -> AESGCM | None:
        """The cipher of a key, made once; None for a key that nobody knows."""
        if key_id not in self._ciphers:
            key = self._ring.find(key_id)
            if key is None:
                return None
            self._ciphers[key_id] = AESGCM(key)
        return self._ciphers[key_id]

    def _seal(self, payload: Payload) -> Payload:
        plain = _without_mark(payload).SerializeToString()
        compression = b""
        if MIN_COMPRESSED <= len(plain) <= MAX_INFLATED:
            compressed = _deflate(plain)
            if len(compressed) < len(plain):
                plain, compression = compressed, b"zlib"
        first = self._ring.first
        key_id, scope = first.encode(), self._scope.encode()
        nonce = secrets.token_bytes(NONCE_BYTES)
        cipher = AESGCM(self._ring.keys[first])
        sealed = cipher.encrypt(nonce, plain, _bound(key_id, compression, scope))
        metadata = {"encoding": ENCODING, KEY_ID: key_id, COMPRESSION: compression, SCOPE: scope}
        return Payload(metadata={name: value for name, value in metadata.items() if value}, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        metadata = payload.metadata
        if metadata.get("encoding") != ENCODING:
            return _without_mark(payload)
        key_id, compression = metadata.get(KEY_ID, b""), metadata.get(COMPRESSION, b"")
        scope = metadata.get(SCOPE, b"")
        cipher = self._cipher(key_id.decode("utf-8", "replace"))
        if cipher is None or compression not in (b"", b"zlib"):
            return _without_mark(payload)
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            plain = cipher.decrypt(nonce, sealed, _bound(key_id, compression, scope))
            opened = Payload.FromString(_inflate(plain) if compression else plain)
        except (InvalidTag, ValueError, OverflowError, zlib.error, DecodeError):
            return _without_mark(payload)
        if scope == self._scope.encode():
            opened.metadata[MARK] = b"1"
        return opened


def _bound(*parts: bytes) -> bytes:
    # Lengths in front keep two different triples from reading the same.
    return b"plazo/1" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _deflate(plain: bytes) -> bytes:
    # An 8 KiB window: the usual one costs five times the time on payloads of a kilobyte and saves nothing there.
    deflater = zlib.compressobj(level=6, wbits=13, memLevel=6)
    return deflater.compress(plain) + deflater.flush()


def _inflate(compressed: bytes) -> bytes:
    inflater = zlib.decompressobj()
    plain = inflater.decompress(compressed, MAX_INFLATED + 1)
    if len(plain) > MAX_INFLATED or not inflater.eof:
        raise ValueError("too large or cut short")
    return plain


def _without_mark(payload: Payload) -> Payload:
    if MARK not in payload.metadata:
        return payload
    copy = Payload()
    copy.CopyFrom(payload)
    del copy.metadata[MARK]
    return copy
