"""The key ring's file changed: a key put in front or behind, moved to the front, taken out. No key is ever shown.

The file is replaced by a rename, with the rights that it had: whoever reads it sees the ring before or after.
"""

import base64
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from keys import KEY_BYTES, KeyRing, read_keys
from models.errors import Refused, SettingsError

RETIRED = ".retired"
"""What the name of the file ends in that keeps the keys which were taken out."""


def add(path: Path, at: datetime, *, behind: bool = False) -> str:
    """Put a new key in front, or behind all, where it only decodes; return its id, which says when it was made.

    Raises SettingsError where the file cannot be read or written.
    """
    ring = read_keys(path)
    name = f"k{at:%Y%m%d}-{secrets.token_hex(3)}"
    new = {name: secrets.token_bytes(KEY_BYTES)}
    _write(path, {**ring.keys, **new} if behind else {**new, **ring.keys})
    return name


def promote(path: Path, key_id: str) -> None:
    """Put a key in front. Raises Refused for one that the ring lacks, and SettingsError."""
    keys = _holding(path, key_id).keys
    _write(path, {key_id: keys[key_id], **keys})


def retire(path: Path, key_id: str) -> None:
    """Take a key out of the ring and keep it beside: backups and old copies may want it.

    Raises Refused for one that the ring lacks, or that encodes; SettingsError.
    """
    ring = _holding(path, key_id)
    if key_id == ring.first:
        raise Refused("ring.first", f"{key_id} encodes; put another key in front first: plazo ring rotate")
    beside = path.with_name(path.name + RETIRED)
    earlier = read_keys(beside).keys if beside.exists() else {}
    _write(beside, {key_id: ring.keys[key_id], **earlier}, mode=0o600)
    _write(path, {name: key for name, key in ring.keys.items() if name != key_id})


def made_on(key_id: str) -> datetime | None:
    """The day in an id that was given here; None for one that somebody else gave."""
    day, _, rest = key_id.removeprefix("k").partition("-")
    try:
        return datetime.strptime(f"{day}+0000", "%Y%m%d%z") if rest else None
    except ValueError:
        return None


def _holding(path: Path, key_id: str) -> KeyRing:
    ring = read_keys(path)
    if key_id not in ring.keys:
        raise Refused("ring.unknown", "the ring has no key with this id; see `plazo ring list`")
    return ring


def _write(path: Path, keys: Mapping[str, bytes], mode: int | None = None) -> None:
    text = "".join(f"{name}:{base64.b64encode(key).decode('ascii')}\n" for name, key in keys.items())
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        kept = path.stat() if path.exists() else None
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if kept:
            os.chown(beside, kept.st_uid, kept.st_gid)
            beside.chmod(kept.st_mode & 0o777 if mode is None else mode)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise SettingsError(f"{path}: cannot be written ({error.strerror}); nothing was changed") from None
