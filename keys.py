"""The key ring that seals what Temporal stores: 256-bit keys with ids; the first encodes, all decode.

To rotate, put a new key in front and keep the old ones for as long as histories sealed with them are kept.
"""

import base64
import binascii
import contextlib
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from models.errors import SettingsError

KEY_BYTES = 32
FORM = "want id:base64,id2:base64, each key 32 random bytes (make one with: openssl rand -base64 32)"


@dataclass(frozen=True)
class KeyRing:
    """Keys by id, in order. Its text never shows a key."""

    keys: MappingProxyType[str, bytes] = field(repr=False)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, the encoding one first."""
        return tuple(self.keys)

    @property
    def first(self) -> str:
        """The id of the key that encodes."""
        return self.ids[0]


def parse_keys(text: str, where: str) -> KeyRing:
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
    return KeyRing(MappingProxyType(keys))


def read_keys(path: Path) -> KeyRing:
    """Read a key file. Raises SettingsError when it cannot be read or does not hold keys."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the key file cannot be read ({type(error).__name__}); {FORM}") from None
    return parse_keys(text, str(path))


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
