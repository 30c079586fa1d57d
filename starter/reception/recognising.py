"""What a message is before it is placed: one that is here already, a binding's code, the rest of another message.

Everything happens in the caller's transaction; `now` is aware UTC.
"""

from datetime import datetime

from sqlmodel import Session

from channels.message import Disposition, InboundMessage
from channels.port import Claim
from models.errors import Malformed
from models.inquiry import EMAIL, WEB
from models.tables import StoredMessage
from records import bindings, messages
from starter.reception.persons import take_claim


def claims(session: Session, message: InboundMessage, now: datetime) -> bool:
    """Say whether a message is a binding's one-time code, alone and good: its sender is bound by it."""
    code = message.text.strip()
    if not message.sender_verified or not bindings.CODE.fullmatch(code) or message.public_place:
        return False
    if message.attachments or message.files:
        return False
    claim = Claim(code, message.sender, message.sender_name, message.received_at)
    return take_claim(session, message.channel, claim, now, typed=True) == "connected"


def earlier_of(session: Session, message: InboundMessage) -> StoredMessage | None:
    """Return the message that this one continues or words anew, if it came.

    An edit of one that never came stands alone. So does that of a code that was shown: nobody has answered it.
    """
    if message.edit_of:
        found = messages.find(session, message.channel, message.edit_of)
        same = found is not None and found.sender == message.sender and found.disposition != Disposition.CLAIM
        return found if same else None
    return messages.find_album(session, message.channel, message.sender, message.album)


def distinct(session: Session, message: InboundMessage) -> tuple[InboundMessage, StoredMessage | None]:
    """Return the message, and the one that was stored under its id before.

    A mail's Message-ID is the sender's to choose: other words under a known one are another message, kept under its own
    hash. Other providers number their messages themselves; what differs is how they tell of one.
    """
    known = messages.find(session, message.channel, message.provider_id)
    if known is None or known.raw_sha256 == message.raw_sha256 or message.channel not in {EMAIL, WEB}:
        return message, known
    if message.channel == WEB:
        raise Malformed("idempotency.reused", "this Idempotency-Key came with another body before; use a new one")
    if (known.sender, known.subject, known.full_text) == (message.sender, message.subject, message.full_text):
        return message, known
    message = message.model_copy(update={"provider_id": f"sha256:{message.raw_sha256}"})
    return message, messages.find(session, message.channel, message.provider_id)
