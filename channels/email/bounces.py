"""Letters that come back as mail: delivery status notifications (RFC 3464), and the address they come back to.

Such a mail proves nothing of its sender. It counts for the letter whose token its address bears, which nobody can make
up, else for the letter whose Message-ID stands in what it returns; a Message-ID that is not ours is nobody's.
"""

import hashlib
import re

from channels.email.headers import Headers
from channels.email.status import enhanced, is_full, is_policy, without_address
from channels.message import Disposition, InboundMessage
from channels.report import Delivery, DeliveryEvent
from channels.tokens import read_token, reply_address, reply_token

_MARK = "b."
"""What bounce tokens begin with, so that none is ever taken for a token of an inquiry, nor the other way round."""
_LONGEST_LOCAL_PART = 64
_STATUS_TYPES = {"message/delivery-status", "message/global-delivery-status"}
_RETURNED_TYPES = {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"}
_EMPTY_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_LOOKED_AT = 64 * 1024
_MOST_RECIPIENTS = 10
_ACTIONS = {
    "failed": Delivery.BOUNCE,
    "delayed": Delivery.DEFERRED,
    "delivered": Delivery.DELIVERED,
    "relayed": Delivery.DELIVERED,
}
"""`expanded` says only that a list took the letter."""


def bounce_address(secret: bytes, mailbox: str, notice: str) -> str:
    """The envelope's sender of the letter with the key `notice`: the mailbox with the letter's token after a plus.

    The mailbox alone where the key would not come back as it was, or the address would be longer than RFC 5321 allows.
    """
    token = reply_token(secret, _MARK + notice.replace("/", "."))
    address = reply_address(mailbox, token)
    fits = len(address.rpartition("@")[0]) <= _LONGEST_LOCAL_PART and _notice_of(secret, token) == notice
    return address if fits else mailbox


def read_bounce(message: InboundMessage, secret: bytes) -> tuple[DeliveryEvent, ...]:
    """What a bounce says became of our letter, at the time of its reception; nothing where it names none. Never raises.

    Hard is what has a status of class 5, but for a full mailbox and for a refusal of ourselves (5.7.*).
    """
    if message.disposition is not Disposition.BOUNCE:
        return ()
    files = {one.content_type: one.content[:_LOOKED_AT] for one in reversed(message.attachments)}
    status = next((data for kind, data in files.items() if kind in _STATUS_TYPES), b"")
    returned = next((data for kind, data in files.items() if kind in _RETURNED_TYPES), b"")
    message_id = next(iter(Headers(_EMPTY_LINE.split(returned.lstrip(), 1)[0]).message_ids("message-id")), "")
    notice = next(filter(None, (_notice_of(secret, token) for token in message.tokens)), "")
    if not (notice or message_id):
        return ()
    groups = [Headers(block) for block in _EMPTY_LINE.split(status.strip())[: _MOST_RECIPIENTS + 1]]
    found = [_event(message, number, group) for number, group in enumerate(groups)]
    return tuple(one.model_copy(update={"notice": notice, "message_id": message_id}) for one in found if one)


def _event(message: InboundMessage, number: int, recipient: Headers) -> DeliveryEvent | None:
    """The event that one recipient's fields tell of; None where they tell of none."""
    kind = _ACTIONS.get(recipient.text("action").strip().lower())
    if kind is None:
        return None
    status = enhanced(recipient.text("status"))
    address = recipient.text("final-recipient").rpartition(";")[2].strip()
    said = recipient.text("diagnostic-code").partition(";")[2].strip()
    return DeliveryEvent(
        event_id="dsn:" + hashlib.sha256(f"{message.provider_id}\0{number}".encode()).hexdigest(),
        notice="",
        message_id="",
        kind=kind,
        hard=kind is Delivery.BOUNCE and status.startswith("5.") and not (is_full(status) or is_policy(status)),
        at=message.received_at,
        reason=without_address(f"{status} {said}", address),
    )


def _notice_of(secret: bytes, token: str) -> str:
    """The key of the letter that a token was made for; empty where it is no bounce token of ours."""
    name = (read_token(secret, token) or "").lower()
    reference, _, rest = name.removeprefix(_MARK).partition(".")
    return f"{reference.upper()}/{rest.replace('.', '/')}" if name.startswith(_MARK) and rest else ""
