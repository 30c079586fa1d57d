"""What other systems learn of an inquiry: versioned event names, what each carries, and how a post is signed.

A published event repeats ids, codes and dates of the ledger's own event and nothing else: no text, no address, no
person. A name never changes its meaning; a new shape gets the next version beside the old one. Posts have the shape of
Standard Webhooks: `webhook-id`, `webhook-timestamp`, and a signature over both and the body.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from models.ledger import Event, utc_text

SECRET_PREFIX = "whsec_"  # noqa: S105  what secrets begin with
SECRET_BYTES = 32


class Published(NamedTuple):
    """A ledger event as others see it: its name, and the fields of its data that leave."""

    name: str
    fields: tuple[str, ...] = ()


PUBLISHED: dict[str, Published] = {
    "case.opened": Published("inquiry.opened.v1", ("kind", "channel", "received_at", "refers_to")),
    "case.assigned": Published("inquiry.assigned.v1", ("area",)),
    "case.reclassified": Published("inquiry.reclassified.v1", ("kind",)),
    "case.referred": Published("inquiry.referred.v1", ("area",)),
    "referral.answered": Published("referral.answered.v1", ("area",)),
    "case.resolved": Published("inquiry.resolved.v1", ("outcome", "letter")),
    "case.answered": Published("inquiry.answered.v1", ("outcome", "window_ends")),
    "case.withdrawn": Published("inquiry.withdrawn.v1"),
    "case.reopened": Published("inquiry.reopened.v1", ("received_at",)),
    "case.merged": Published("inquiry.merged.v1", ("other", "leads")),
    "case.split": Published("inquiry.split.v1", ("other",)),
    "case.closed": Published("inquiry.closed.v1", ("status",)),
    "message.received": Published("message.received.v1", ("received_at",)),
    "letter.accepted": Published("letter.accepted.v1", ("key", "kind")),
    "letter.delivered": Published("letter.delivered.v1", ("key",)),
    "letter.bounced": Published("letter.bounced.v1", ("key", "hard")),
    "obligation.owed": Published("obligation.owed.v1", ("n", "kind", "due")),
    "obligation.warned": Published("obligation.warned.v1", ("n", "kind", "due")),
    "obligation.met": Published("obligation.met.v1", ("n", "kind", "due", "letter")),
    "obligation.missed": Published("obligation.missed.v1", ("n", "kind", "due")),
    "obligation.superseded": Published("obligation.superseded.v1", ("n", "by", "due")),
    "extension.announced": Published("extension.announced.v1", ("until",)),
    "case.escalated": Published("inquiry.escalated.v1", ("estimate",)),
    "institution.answered": Published("institution.answered.v1"),
    "review.noted": Published("review.noted.v1", ("by", "answer_by")),
    "review.decided": Published("review.decided.v1", ("result",)),
    "incident.opened": Published("incident.opened.v1", ("incident", "area", "matter")),
    "incident.closed": Published("incident.closed.v1", ("incident", "state")),
}
"""The ledger's events that leave, by their type there."""

NAMES: dict[str, str] = {published.name: type_ for type_, published in PUBLISHED.items()}
"""The published names, with the ledger's own type of each."""

_ID = re.compile(r"evt_([A-Z0-9-]{1,40})_([1-9][0-9]{0,8})")


def event_id(reference: str, seq: int) -> str:
    """Return the `webhook-id` of an event: the same for every try, every replay and every receiver."""
    return f"evt_{reference}_{seq}"


def of_event_id(text: str) -> tuple[str, int] | None:
    """Return the reference and the number that a `webhook-id` names; None where it is none."""
    found = _ID.fullmatch(text)
    return (found[1], int(found[2])) if found else None


def body(event: Event) -> bytes:
    """Return what is posted of an event, the same bytes each time. KeyError for one that is not published."""
    published = PUBLISHED[event.type]
    told: dict[str, Any] = {
        "id": event_id(event.reference, event.seq),
        "type": published.name,
        "occurred_at": utc_text(event.at),
        "reference": event.reference,
        "seq": event.seq,
        "data": {field: event.data[field] for field in published.fields if event.data.get(field) is not None},
    }
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


def new_secret(random: bytes) -> str:
    """Write 32 random bytes as a signing secret."""
    return SECRET_PREFIX + base64.b64encode(random).decode("ascii")


def headers(secrets: Iterable[str], id_: str, at: datetime, content: bytes) -> dict[str, str]:
    """Return the headers of one post at `at` (aware): a signature by each secret, so that either proves it."""
    timestamp = str(int(at.timestamp()))
    return {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, id_, timestamp, content) for secret in secrets),
    }


def _signature(secret: str, id_: str, timestamp: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{id_}.{timestamp}.".encode() + content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode('ascii')}"
