"""Reading JSON that may hold anything: what is not of the expected kind reads as empty, and nothing is ever raised."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Table = Mapping[str, Any]

_NUMBER = re.compile(r"[0-9]{1,20}", re.ASCII)
_MARK = re.compile(r"[A-Za-z0-9_.:\-]{1,100}", re.ASCII)
_MOST_ROWS = 1_000
_EPOCH_2010 = 1_262_304_000_000
"""Milliseconds; no event of X's present kind is older."""


def text(table: Table, key: str) -> str:
    """A string."""
    value = table.get(key)
    return value if isinstance(value, str) else ""


def sub(table: Table, key: str) -> dict[str, Any]:
    """An object."""
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def rows(table: Table, key: str) -> list[dict[str, Any]]:
    """The objects of an array."""
    value = table.get(key)
    return [one for one in value[:_MOST_ROWS] if isinstance(one, dict)] if isinstance(value, list) else []


def number(table: Table, key: str) -> str:
    """The id of a person, a post or a message: digits, as a string, whether it came as string or number."""
    value = table.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64:
        return str(value)
    return value if isinstance(value, str) and _NUMBER.fullmatch(value) else ""


def mark(table: Table, key: str) -> str:
    """An id of any other form, at most 100 harmless characters."""
    value = table.get(key)
    return value if isinstance(value, str) and _MARK.fullmatch(value) else number(table, key)


def moment(table: Table, *keys: str) -> datetime | None:
    """The first time under these keys as aware UTC: milliseconds since 1970 or ISO 8601; None where there is none."""
    for key in keys:
        digits = number(table, key)
        at = _from_milliseconds(int(digits)) if digits else _from_iso(text(table, key))
        if at is not None:
            return at
    return None


def _from_milliseconds(count: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(count / 1000, UTC) if count >= _EPOCH_2010 else None
    except (ValueError, OverflowError, OSError):
        return None


def _from_iso(written: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(written[:40])
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.timestamp() * 1000 >= _EPOCH_2010 else None
