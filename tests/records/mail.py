"""Messages as intake hands them to the inbox."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from channels.message import Attachment, Disposition, InboundMessage
from models.inquiry import EMAIL, Kind, Language

NOW = datetime(2026, 2, 2, 16, 30, tzinfo=UTC)
RAW = b"From: ana@example.org\r\n\r\nMi retiro no llega."


def message(provider_id: str = "1@example.org", **more: Any) -> InboundMessage:
    fields: dict[str, Any] = {
        "channel": EMAIL,
        "provider_id": provider_id,
        "received_at": NOW,
        "sender": "ana@example.org",
        "sender_name": "Ana",
        "sender_verified": True,
        "bound": True,
        "reply_to": "",
        "recipients": ("help@example.org",),
        "subject": "Retiro",
        "text": "Mi retiro no llega.",
        "full_text": "Mi retiro no llega.\n> antes",
        "message_id": provider_id,
        "references": ("0@example.org",),
        "disposition": Disposition.MESSAGE,
        "language": Language.ES,
        "kind": Kind.COMPLAINT,
        "raw_sha256": hashlib.sha256(RAW).hexdigest(),
        "raw": RAW,
    }
    return InboundMessage(**{**fields, **more})


def attachment(content: bytes = b"%PDF-1.7", filename: str = "recibo.pdf") -> Attachment:
    return Attachment(
        filename=filename, content_type="application/pdf", content=content, sha256=hashlib.sha256(content).hexdigest()
    )
