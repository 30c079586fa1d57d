"""A file sealed with a key of the ring, written and read as a stream: AES-256-GCM over pieces of a mebibyte.

The first line names format, key and the nonces' beginning. Each piece is bound to its number and to whether it is the
last, so none can be left out, exchanged or cut off. A plain file has none of this.
"""

import json
import secrets
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys import KeyRing
from models.errors import SettingsError

FORMAT = "plazo-sealed/1"
PIECE = 1 << 20
NONCE_BEGINS = 8
TAG = 16
LONGEST_HEAD = 200


class Sealer:
    """What is written here goes sealed into `target`; `close` writes the last piece and leaves the target open."""

    def __init__(self, target: BinaryIO, ring: KeyRing) -> None:
        """Seal with the ring's first key."""
        self._target, self._waiting, self._n = target, bytearray(), 0
        self._begins = secrets.token_bytes(NONCE_BEGINS)
        first = ring.first
        self._head = json.dumps({"format": FORMAT, "key": first, "nonce": self._begins.hex()}).encode() + b"\n"
        self._cipher = AESGCM(ring.keys[first])
        target.write(self._head)

    def write(self, data: bytes) -> int:
        """Take bytes; whole pieces leave at once."""
        self._waiting += data
        while len(self._waiting) > PIECE:
            self._put(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(data)

    def close(self) -> None:
        """Write the last piece."""
        self._put(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _put(self, piece: bytes, *, last: bool) -> None:
        nonce, bound = _place(self._begins, self._n, self._head, last=last)
        self._target.write(self._cipher.encrypt(nonce, piece, bound))
        self._n += 1


class Opener:
    """Reads what a Sealer wrote. SettingsError for a key that the ring lacks, or a file that is not whole."""

    def __init__(self, source: BinaryIO, ring: KeyRing) -> None:
        """Read the first line of `source`."""
        self._source, self._ready, self._n, self._over = source, b"", 0, False
        self._head = source.readline(LONGEST_HEAD)
        try:
            told = json.loads(self._head)
            self._begins, key = bytes.fromhex(told["nonce"]), str(told["key"])
        except (ValueError, KeyError, TypeError):
            raise SettingsError("this is no backup of ours, or its beginning is damaged") from None
        if key not in ring.keys:
            raise SettingsError(f"the backup is sealed with the key {key}; put that key into the ring first")
        self._cipher = AESGCM(ring.keys[key])
        self._next = source.read(PIECE + TAG)

    def read(self, size: int) -> bytes:
        """Return up to `size` opened bytes; none at the end."""
        while len(self._ready) < size and not self._over:
            self._ready += self._piece()
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken

    def _piece(self) -> bytes:
        piece, self._next = self._next, self._source.read(PIECE + TAG)
        self._over = not self._next
        nonce, bound = _place(self._begins, self._n, self._head, last=self._over)
        self._n += 1
        try:
            return self._cipher.decrypt(nonce, piece, bound)
        except (InvalidTag, ValueError):
            raise SettingsError("the backup is damaged or cut off; take another one") from None


def is_sealed(beginning: bytes) -> bool:
    """Say whether a file that begins like this is sealed."""
    return beginning.startswith(b'{"format": "plazo-sealed')


def _place(begins: bytes, n: int, head: bytes, *, last: bool) -> tuple[bytes, bytes]:
    number = n.to_bytes(4, "big")
    return begins + number, head + number + (b"1" if last else b"0")
