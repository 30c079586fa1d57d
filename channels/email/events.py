"""What SendGrid's event webhook tells of letters that left. Verify the raw body first (`channels.email.verify`)."""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from channels.report import Delivery, DeliveryEvent
from channels.text import one_line
from models.errors import UnreadableMessage

_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")


_KINDS = {
    "processed": Delivery.ACCEPTED,
    "delivered": Delivery.DELIVERED,
    "deferred": Delivery.DEFERRED,
    "bounce": Delivery.BOUNCE,
    "dropped": Delivery.DROPPED,
}
"""Opens, clicks, subscriptions and spam reports say nothing of delivery and are passed over."""


def read_events(body: bytes, received_at: datetime) -> list[DeliveryEvent]:
    """The delivery events of a post, in its order; `received_at` (aware) stands in for a missing or absurd time.

    Raises UnreadableMessage where the body is no JSON array. Entries that are no delivery events are passed over.
    """
    try:
        entries = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableMessage("the event webhook's body is no JSON") from None
    if not isinstance(entries, list):
        raise UnreadableMessage("the event webhook's body is no JSON array")
    return [_event(entry, received_at) for entry in entries if isinstance(entry, dict) and _kind(entry) is not None]


def _kind(entry: dict[str, Any]) -> Delivery | None:
    name = entry.get("event")
    return _KINDS.get(name) if isinstance(name, str) else None


def _event(entry: dict[str, Any], received_at: datetime) -> DeliveryEvent:
    kind = _KINDS[entry["event"]]
    reason = _text(entry, "reason") or _text(entry, "response")
    canonical = json.dumps(entry, sort_keys=True).encode()
    return DeliveryEvent(
        event_id=_text(entry, "sg_event_id") or hashlib.sha256(canonical).hexdigest(),
        notice=_text(entry, "notice"),
        message_id=(_text(entry, "smtp-id") or _text(entry, "smtp_id")).strip("<>"),
        kind=kind,
        hard=_hard(kind, _text(entry, "type"), reason),
        at=_time(entry.get("timestamp"), received_at),
        reason=_ADDRESS.sub("<address>", reason),
    )


def _hard(kind: Delivery, bounce_type: str, reason: str) -> bool:
    if kind is Delivery.BOUNCE:
        return bounce_type != "blocked"
    return kind is Delivery.DROPPED and "quota" not in reason.lower()


def _time(stamp: object, received_at: datetime) -> datetime:
    if isinstance(stamp, bool) or not isinstance(stamp, int | float):
        return received_at
    try:
        at = datetime.fromtimestamp(stamp, UTC)
    except (ValueError, OverflowError, OSError):
        return received_at
    # No letter was accepted before there was the provider, and no event lies ahead of us by more than clocks differ.
    return at if at.year > 2000 and (at - received_at).total_seconds() < 300 else received_at  # noqa: PLR2004 - said above


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return one_line(value, 500) if isinstance(value, str) else ""
