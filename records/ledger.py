"""The ledger: each case's chain of events, which only grows. Triggers in the database refuse everything else."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, union
from sqlmodel import Session, col, select

from models import ledger
from models.errors import LedgerError
from models.inquiry import Actor
from models.ledger import GENESIS, Event, event_hash
from models.tables import CaseRow, EventRow, EventText, Salt
from records import deliveries
from records.database import first

_END = (
    select(EventRow.seq, EventRow.hash)
    .where(col(EventRow.reference) == bindparam("reference"))
    .order_by(col(EventRow.seq).desc())
    .limit(1)
)
_MERGED = (
    select(EventRow.data)
    .where(col(EventRow.reference) == bindparam("reference"), col(EventRow.type) == "case.merged")
    .order_by(col(EventRow.seq))
)
_ADD, _ADD_TEXTS = insert(EventRow), insert(EventText)


def append(session: Session, events: Sequence[Event]) -> int:
    """Append events in their order and return how many were new; those stored already, with the same hash, are skipped.

    LedgerError when an event has another hash than the stored one of its number, leaves a gap, does not follow the one
    before it, or is not what its hash was made of. Nothing is appended then.
    """
    heads: dict[str, tuple[int, str]] = {}
    new: dict[tuple[str, int], Event] = {}
    for event in events:
        seq, head = heads.get(event.reference) or end(session, event.reference)
        place = f"{event.reference} event {event.seq}"
        if event.seq <= seq:
            heads[event.reference] = (seq, head)
            known = new.get((event.reference, event.seq))
            if (known.hash if known else _stored_hash(session, event)) != event.hash:
                raise LedgerError(f"{place}: the ledger holds another event under this number; it has one writer only")
            continue
        if event.seq != seq + 1:
            raise LedgerError(f"{place}: expected number {seq + 1}; the events before it must be appended first")
        if event.previous != head:
            raise LedgerError(f"{place}: does not follow the event before it")
        if event.hash != event_hash(event):
            raise LedgerError(f"{place}: its content is not what its hash was made of")
        heads[event.reference] = (event.seq, event.hash)
        new[event.reference, event.seq] = event
    connection = session.connection()
    if new:
        connection.execute(_ADD, [_row(event) for event in new.values()])
        deliveries.publish(session, new.values())
    texts = [
        {"reference": event.reference, "seq": event.seq, "field": field, "text": text}
        for event in new.values()
        for field, text in event.texts.items()
    ]
    if texts:
        connection.execute(_ADD_TEXTS, texts)
    return len(new)


def end(session: Session, reference: str) -> tuple[int, str]:
    """Return the number and the hash of a case's last event; 0 and GENESIS before the first."""
    number, head = first(session, _END, reference=reference) or (0, GENESIS)
    return number, head


def merged_with(session: Session, reference: str) -> list[str]:
    """Return the references that a case was told to take in, in the order of the mergers."""
    rows = session.connection().execute(_MERGED, {"reference": reference})
    return [str(row.data["other"]) for row in rows if row.data["leads"]]


def of_case(session: Session, reference: str, *, after: int = 0) -> list[Event]:
    """Return a case's events after number `after` with the texts that are still there. Nothing is verified."""
    texts: dict[int, dict[str, str]] = {}
    wanted = select(EventText).where(col(EventText.reference) == reference, col(EventText.seq) > after)
    for text in session.exec(wanted):
        texts.setdefault(text.seq, {})[text.field] = text.text
    chain = select(EventRow).where(col(EventRow.reference) == reference, col(EventRow.seq) > after)
    rows = session.exec(chain.order_by(col(EventRow.seq)))
    return [_event(row, texts.get(row.seq, {})) for row in rows]


def event(session: Session, reference: str, seq: int) -> Event | None:
    """Return one event without its texts; None where there is none."""
    row = session.get(EventRow, (reference, seq))
    return _event(row, {}) if row else None


def verify(session: Session, reference: str) -> str:
    """Walk a case's chain, and its texts where the salt is still there; return its head. LedgerError if broken.

    A chain cannot show that its end was cut off; the case, which keeps the head it had, can.
    """
    salt, chain = session.get(Salt, reference), of_case(session, reference)
    head = ledger.verify(chain, salt=salt.salt if salt else None)
    query = select(CaseRow.seq, CaseRow.head).where(col(CaseRow.reference) == reference)
    seq, kept = session.exec(query).first() or (0, GENESIS)
    if seq > len(chain) or kept != (chain[seq - 1].hash if seq else GENESIS):
        raise LedgerError(f"{reference}: the case knows {seq} events with another end; the chain was cut or replaced")
    return head


def references(session: Session) -> list[str]:
    """Return every reference that has a chain or should have one: a case whose chain is gone is no less broken."""
    both = union(select(EventRow.reference), select(CaseRow.reference)).subquery()
    return list(session.connection().execute(select(both.c.reference).order_by(both.c.reference)).scalars())


def _stored_hash(session: Session, event: Event) -> str | None:
    query = select(EventRow.hash).where(col(EventRow.reference) == event.reference, col(EventRow.seq) == event.seq)
    return session.exec(query).first()


def _row(event: Event) -> dict[str, Any]:
    return {
        "reference": event.reference,
        "seq": event.seq,
        "v": event.v,
        "at": event.at,
        "type": event.type,
        "actor": event.actor.id,
        "role": event.actor.role.value,
        "rule": event.rule,
        "data": event.data,
        "digests": event.digests,
        "previous": event.previous,
        "hash": event.hash,
    }


def _event(row: EventRow, texts: dict[str, str]) -> Event:
    actor = Actor.model_validate({"id": row.actor, "role": row.role})
    return Event(
        v=row.v,
        reference=row.reference,
        seq=row.seq,
        at=row.at,
        type=row.type,
        actor=actor,
        rule=row.rule,
        data=row.data,
        digests=row.digests,
        previous=row.previous,
        hash=row.hash,
        texts=texts,
    )
