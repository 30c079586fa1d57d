"""The ledger of a case: facts, sealed into a chain of events by hash (event format v1).

A fact says what happened. Sealing gives it its place in the case's chain. Free text may name persons, so the chain
holds only a salted digest of it; the text itself stays beside the chain, erasable without breaking a hash.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, Field

from models.errors import LedgerError
from models.inquiry import SYSTEM, Actor, Wire

FORMAT = 1
GENESIS = "0" * 64


class Fact(Wire):
    """Something that happened to a case. `data` holds ids, dates, codes and numbers; `texts` what people wrote."""

    at: AwareDatetime
    type: str
    actor: Actor = SYSTEM
    rule: str = ""
    data: dict[str, Any] = Field(default_factory=dict)
    texts: dict[str, str] = Field(default_factory=dict)


class Event(Wire):
    """A fact with its place in the chain of one case. `seq` counts from 1; `hash` covers everything but `texts`."""

    v: int = FORMAT
    reference: str
    seq: int
    at: AwareDatetime
    type: str
    actor: Actor
    rule: str
    data: dict[str, Any]
    digests: dict[str, str]
    previous: str
    hash: str
    texts: dict[str, str] = Field(default_factory=dict)


def utc_text(at: datetime) -> str:
    """Write an aware time the one way the ledger writes it: UTC, microseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def text_digest(salt: str, seq: int, field: str, text: str) -> str:
    """Digest free text so that only who holds the case's salt can test a guess (hex HMAC-SHA256)."""
    return hmac.new(bytes.fromhex(salt), f"{seq}\0{field}\0{text}".encode(), hashlib.sha256).hexdigest()


def event_hash(event: Event) -> str:
    """Hash an event as format v1 says: SHA-256 over canonical JSON (sorted keys, no spaces, UTF-8).

    `hash` and `texts` are left out; for the texts stand their digests.
    """
    body = {
        "v": event.v,
        "reference": event.reference,
        "seq": event.seq,
        "at": utc_text(event.at),
        "type": event.type,
        "actor": {"id": event.actor.id, "role": event.actor.role.value},
        "rule": event.rule,
        "data": event.data,
        "digests": event.digests,
        "previous": event.previous,
    }
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def seal(fact: Fact, *, reference: str, seq: int, previous: str, salt: str) -> Event:
    """Give a fact its place in the chain: number `seq`, after the event whose hash is `previous`."""
    event = Event(
        reference=reference,
        seq=seq,
        at=fact.at,
        type=fact.type,
        actor=fact.actor,
        rule=fact.rule,
        data=fact.data,
        digests={field: text_digest(salt, seq, field, text) for field, text in fact.texts.items()},
        previous=previous,
        hash="",
        texts=fact.texts,
    )
    return event.model_copy(update={"hash": event_hash(event)})


def verify(events: Iterable[Event], *, salt: str | None = None) -> str:
    """Walk one case's chain from its first event and return its head.

    With the case's `salt` the free texts that are still there are held against their digests too.
    Raises LedgerError naming the first event that does not fit.
    """
    head, reference = GENESIS, None
    for seq, event in enumerate(events, 1):
        place = f"{event.reference} event {event.seq}"
        if event.seq != seq:
            raise LedgerError(f"{place}: expected number {seq}; an event is missing or doubled")
        if event.v != FORMAT or event.reference != (reference or event.reference):
            raise LedgerError(f"{place}: another format, or an event of another case")
        if event.previous != head:
            raise LedgerError(f"{place}: does not follow the event before it")
        if event.hash != event_hash(event):
            raise LedgerError(f"{place}: its content was changed after it was sealed")
        for field, text in event.texts.items() if salt else ():
            if event.digests.get(field) != text_digest(str(salt), seq, field, text):
                raise LedgerError(f"{place}: the text `{field}` is not the one that was sealed")
        head, reference = event.hash, event.reference
    return head
