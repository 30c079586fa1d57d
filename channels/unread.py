"""What stands for something that came in and that reading failed on: kept with its bytes, for a person to look at."""

import hashlib
from datetime import datetime

from channels.message import Disposition, InboundMessage
from models.inquiry import Channel, Kind


def unread(channel: Channel, provider_id: str, raw: bytes, stored_at: datetime, why: str) -> InboundMessage:
    """A message of nobody; without a `provider_id` it is known by its bytes. `stored_at` is aware UTC."""
    digest = hashlib.sha256(raw).hexdigest()
    return InboundMessage(
        channel=channel,
        provider_id=provider_id or f"sha256:{digest}",
        received_at=stored_at,
        sender="",
        sender_name="",
        sender_verified=False,
        reply_to="",
        recipients=(),
        subject="",
        text="",
        full_text="",
        unreadable=why,
        disposition=Disposition.UNANSWERABLE,
        disposition_reason=f"it {why}; its bytes are kept",
        language=None,
        kind=Kind.COMPLAINT,
        raw_sha256=digest,
        raw=raw,
    )
