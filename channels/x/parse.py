"""Posts of the X Activity API (XAA): an envelope with one event of one of a few kinds. Verify the raw body first."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from channels.message import InboundMessage
from channels.port import Arrivals
from channels.x.fields import Table, mark, rows, sub, text
from channels.x.reading import Reader, names
from models.errors import UnreadableMessage

_DIRECT, _ENCRYPTED = "dm.received", "chat.received"
_PUBLIC = frozenset({"post.mention.create", "post.reply.create"})


def read_post(reader: Reader, body: bytes, stored_at: datetime) -> Arrivals:
    """What a post brought; other kinds of events (read, typing, our own messages) bring nothing.

    Raises UnreadableMessage where the body is no envelope.
    """
    try:
        envelope: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableMessage("the webhook's body is no JSON") from None
    event = sub(envelope, "data") if isinstance(envelope, dict) else {}
    if not text(event, "event_type"):
        raise UnreadableMessage("the webhook's body is no event of the X Activity API: it has no data.event_type")
    found = {one.provider_id: one for one in _messages(reader, event, stored_at, body) if one is not None}
    return Arrivals(messages=tuple(found.values()))


def _messages(reader: Reader, event: Table, stored_at: datetime, body: bytes) -> Iterable[InboundMessage | None]:
    kind, payload = text(event, "event_type"), sub(event, "payload")
    if kind == _DIRECT:
        people = names(payload)
        return [reader.told(one, people, stored_at, body) for one in rows(payload, "direct_message_events")]
    if kind == _ENCRYPTED:
        return [reader.encrypted(payload, mark(event, "event_uuid"), stored_at, body)]
    if kind in _PUBLIC:
        return [reader.posted(payload, sub(event, "includes"), stored_at, body)]
    return []
