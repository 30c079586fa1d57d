"""Restored records brought up to what the workflows know: events fetched again, cases projected anew, gaps named."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, SQLModel, col, select

from models.case import Case
from models.errors import LedgerError
from models.inquiry import AUTHORITY, PUBLIC
from models.ledger import GENESIS, Fact, seal
from models.letters import LetterState
from models.tables import Contact, ContactAddress, DraftRow, Notice, StoredMessage
from records import cases, erasing, incident_joins, ledger, restores
from records.database import add_once
from records.documents import AttachmentStore

TOKEN_BYTES = 32
HEARD = ("message.received", "message.edited")


class Loss(NamedTuple):
    """What the records lacked of one inquiry, and what of it cannot be fetched again. Nothing here is personal.

    `missing`: the inquiry itself was opened after the backup. `events` were fetched again. `sent`: letters whose own
    record is gone, by key, with the time of their acceptance. `unsure` may have left; `unwritable` cannot be written.
    """

    reference: str
    missing: bool
    opened_at: datetime
    channel: str
    events: int
    sent: tuple[tuple[str, datetime], ...]
    unsure: tuple[str, ...]
    unwritable: tuple[str, ...]
    messages: int
    addresses: int
    erased_again: bool


def known(session: Session, reference: str) -> int:
    """Return how many events the ledger has of a case."""
    return ledger.end(session, reference)[0]


def bring_up(session: Session, case: Case, facts: Sequence[Fact], files: AttachmentStore, now: datetime) -> Loss:
    """Append the facts that the ledger lacks and project the case as its workflow had it after the last of them.

    LedgerError, and nothing changed, where they do not lead to the case's own head. May be done again.
    """
    missing = not cases.reference_exists(session, case.reference)
    if missing:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        cases.add(session, case, subject="", excerpt="", status_token=token)
    add_once(session, Contact(id=case.contact, created_at=case.opened_at))
    _append(session, case, facts, now)
    cases.project(session, case)
    return Loss(
        reference=case.reference,
        missing=missing,
        opened_at=case.opened_at,
        channel=case.channel,
        events=len(facts),
        sent=_sent(session, case),
        unsure=_unsure(session, case),
        unwritable=_unwritable(session, case),
        messages=_messages(session, case, facts, missing=missing),
        addresses=len(_lost_addresses(session, case)),
        erased_again=_erase_again(session, case, files, now),
    )


def _append(session: Session, case: Case, facts: Iterable[Fact], now: datetime) -> None:
    seq, head = ledger.end(session, case.reference)
    events = []
    for fact in facts:
        event = seal(fact, reference=case.reference, seq=seq + 1, previous=head, salt=case.salt)
        seq, head = event.seq, event.hash
        events.append(event)
    if (seq, head) != (case.seq, case.head or GENESIS):
        raise LedgerError(f"{case.reference}: what the workflow tells does not lead from the ledger to its own end")
    ledger.append(session, events)
    incident_joins.note(session, events, now)


def _sent(session: Session, case: Case) -> tuple[tuple[str, datetime], ...]:
    gone = [one for one in case.letters if one.accepted_at]
    kept = _there(session, Notice, "key", [one.key for one in gone])
    return tuple((one.key, one.accepted_at) for one in gone if one.key not in kept and one.accepted_at)


def _unsure(session: Session, case: Case) -> tuple[str, ...]:
    put_back = restores.last(session)
    owed = [
        one.key
        for one in case.letters
        if one.state is LetterState.OWED and put_back and (one.not_before or one.created_at) < put_back.at
    ]
    kept = _there(session, Notice, "key", owed)
    return tuple(key for key in owed if key not in kept)


def _unwritable(session: Session, case: Case) -> tuple[str, ...]:
    drafted = {one.key: one.draft for one in case.letters if one.state is LetterState.OWED and one.draft}
    kept = _there(session, DraftRow, "id", drafted.values())
    return tuple(key for key, draft in drafted.items() if draft not in kept)


def _messages(session: Session, case: Case, facts: Sequence[Fact], *, missing: bool) -> int:
    """Keep which messages are lost, so that one that comes again opens nothing; return how many were not known."""
    heard = {str(fact.data["message"]): fact for fact in facts if fact.type in HEARD}
    kept = _there(session, StoredMessage, "id", heard)
    lost = [
        restores.miss(session, name, case.reference, "", datetime.fromisoformat(fact.data["received_at"]))
        for name, fact in heard.items()
        if name not in kept
    ]
    if missing:
        lost.append(restores.miss(session, case.reference, case.reference, case.channel, case.received_at))
    return sum(lost)


def _lost_addresses(session: Session, case: Case) -> list[str]:
    mine = [one.id for one in case.addresses if one.id != AUTHORITY.id and not one.id.startswith(f"{PUBLIC}/")]
    kept = _there(session, ContactAddress, "id", mine)
    return [one for one in mine if one not in kept]


def _erase_again(session: Session, case: Case, files: AttachmentStore, now: datetime) -> bool:
    """What was erased after the backup came back with it, and goes again."""
    if case.erasure is None or case.erasure.erased_at is None:
        return False
    return erasing.wipe(session, case, files, now).texts > 0


def _there(session: Session, table: type[SQLModel], column: str, wanted: Iterable[str]) -> set[str]:
    key = getattr(table, column)
    return set(session.exec(select(key).where(col(key).in_(list(wanted)))))
