"""Reading an update's fields, whatever stands in them: nothing here ever raises."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.text import one_line

_LARGEST = 2**63
_OLDEST = timedelta(days=30)
"""Telegram keeps an update for a day: what claims to be much older is not believed."""

Object = Mapping[str, Any]


def obj(value: object) -> Object:
    """The value where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def number(value: object) -> int | None:
    """The value where it is a whole number of 64 bits: ids go beyond 32."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -_LARGEST < value < _LARGEST else None


def said(value: object, limit: int = 200) -> str:
    """A text or a number as one harmless line; anything else is empty."""
    if isinstance(value, str):
        return one_line(value, limit)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.10g}" if isinstance(value, float) else one_line(str(value), limit)
    return ""


def moment(value: object, stored_at: datetime) -> datetime:
    """Telegram's time (seconds since 1970) as aware UTC, never later than `stored_at`; the same for an absurd one."""
    seconds = number(value)
    if seconds is None:
        return stored_at
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return stored_at
    return at if stored_at - _OLDEST <= at <= stored_at else stored_at
