"""The key ring that seals what Temporal stores: 256-bit keys with ids; the first encodes, all decode.

To rotate, put a new key in front (`plazo ring rotate`) and keep the old ones for as long as histories sealed with them
are kept.
"""

import base64
import binascii
import contextlib
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from models.errors import SettingsError

KEY_BYTES = 32
LOOK_AGAIN = 10.0
"""Seconds after which a process sees that another key is in front."""

FORM = "want id:base64,id2:base64, each key 32 random bytes (make one with: openssl rand -base64 32)"


class KeyRing:
    """Keys by id, in order. Its text never shows a key.

    One that was read from a file follows it: a changed file is read again, so a process need not be started anew when
    a key is added. What it knew once it goes on opening.
    """

    def __init__(self, keys: Mapping[str, bytes], source: Path | None = None) -> None:
        """Hold `keys`, the encoding one first; `source` is the file that they come from, where it is one."""
        self._keys, self._source = dict(keys), source
        self._seen, self._looked = _state(source), time.monotonic()

    def __repr__(self) -> str:
        """Name the keys."""
        return f"KeyRing({', '.join(self._keys)})"

    @property
    def keys(self) -> Mapping[str, bytes]:
        """The keys by id, the encoding one first."""
        return MappingProxyType(self._keys)

    @property
    def source(self) -> Path | None:
        """The file that it follows."""
        return self._source

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, the encoding one first."""
        return tuple(self._keys)

    @property
    def first(self) -> str:
        """The id of the key that encodes; a key put in front of the file is it within LOOK_AGAIN seconds."""
        if time.monotonic() - self._looked > LOOK_AGAIN:
            self._look()
        return next(iter(self._keys))

    def find(self, key_id: str) -> bytes | None:
        """Return a key. An unknown one may have come into the file a moment ago, through another process."""
        if key_id not in self._keys:
            self._look()
        return self._keys.get(key_id)

    def _look(self) -> None:
        self._looked = time.monotonic()
        state = _state(self._source)
        if self._source is None or state is None or state == self._seen:
            return
        # A file that is being replaced by hand may be half there: what is known stays, and it is looked at again.
        with contextlib.suppress(SettingsError):
            self._keys = {**read_keys(self._source).keys, **self._keys}
            self._seen = state


def _state(path: Path | None) -> tuple[int, int, int] | None:
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino, found.st_size) if found else None


def parse_keys(text: str, where: str, source: Path | None = None) -> KeyRing:
    """Read `id:base64` entries separated by commas or line breaks.

    Raises SettingsError that names `where` and the entry's number, never the key itself.
    """
    entries = [entry.strip() for entry in re.split(r"[,\n]", text) if entry.strip()]
    if not entries:
        raise SettingsError(f"{where}: holds no key; {FORM}")
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(entries, start=1):
        key_id, _, encoded = entry.partition(":")
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", key_id):
            raise SettingsError(f"{where}: entry {number} has no id of letters, digits, '_', '.' or '-'; {FORM}")
        if key_id in keys:
            raise SettingsError(f"{where}: entry {number} repeats the id {key_id}; every key needs an id of its own")
        keys[key_id] = _decoded(encoded, f"{where}: entry {number} ({key_id})")
    return KeyRing(keys, source)


def read_keys(path: Path) -> KeyRing:
    """Read a key file. Raises SettingsError when it cannot be read or does not hold keys."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the key file cannot be read ({type(error).__name__}); {FORM}") from None
    return parse_keys(text, str(path), path)


def development_key(var: Path) -> Path:
    """Return the path of the development key `<var>/dev.key`, made with mode 0600 when it is missing.

    Several processes may ask at once; all see the same complete file. Raises SettingsError when it cannot be written.
    """
    path = var / "dev.key"
    if path.exists():
        return path
    entry = f"dev-{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode('ascii')}\n"
    draft = var / f".dev.key.{secrets.token_hex(4)}"
    try:
        var.mkdir(parents=True, exist_ok=True)
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(entry, encoding="ascii")
        # A hard link appears whole or not at all, and never replaces a key another process has just made.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    except OSError as error:
        problem = f"{path}: cannot be written ({type(error).__name__})"
        raise SettingsError(f"{problem}; make PLAZO_VAR a folder that can be, or set PLAZO_KEYS") from None
    return path


def _decoded(encoded: str, where: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(f"{where} is not base64; {FORM}") from None
    if len(key) != KEY_BYTES:
        raise SettingsError(f"{where} has {len(key)} bytes instead of {KEY_BYTES}; {FORM}")
    return key
