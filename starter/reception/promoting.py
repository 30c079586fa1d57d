"""A person lets a message out of quarantine: it joins its inquiry or opens one, with its original reception.

Everything happens in the caller's transaction; `now` is aware UTC.
"""

from datetime import datetime

from sqlmodel import Session

from models.errors import Refused
from models.inquiry import EMAIL, Actor, Kind, Language
from models.tables import StoredMessage
from records import contacts, messages
from starter.reception.opening import Opening, letters_channel, open_inquiry
from starter.reception.placing import stored_clues
from starter.reception.receipt import Receipt, receipt_of
from starter.reception.taking import Taking, reopens, tell


def promote(session: Session, taking: Taking, row: StoredMessage, actor: Actor, now: datetime) -> Receipt:
    """Let a message out, with what continues it.

    Raises Refused when it is not in quarantine or names no sender.
    """
    if row.reference is not None:
        raise Refused("message.placed", f"the message belongs to {row.reference} already")
    if not row.sender:
        raise Refused("message.no-sender", "the message names no sender, so nobody could be answered")
    policy = taking.policy
    channel = letters_channel(policy, row.channel)
    contact, address = contacts.find_or_add(session, channel, row.sender, name=row.sender_name, now=now)
    clues = stored_clues(row, contact, address.id)
    found = taking.place(session, clues)
    joins = found is not None and not taking.begins_anew(found)
    third_party = found.third_party if found and joins else False
    addresses = () if third_party or row.public_place else (address,)
    if found and joins:
        case = found.case
        urgent = None if third_party else taking.urgent(row.subject, row.text)
        tell(session, case, row, now, addresses=addresses, reopens=reopens(found), urgent=urgent)
    else:
        opening = Opening(
            channel=row.channel,
            contact=contact,
            addresses=addresses,
            # Of all senders only that of a mail is vouched for as a person: a handle is not.
            bound=row.sender_verified and (row.channel == EMAIL or contacts.bound(session, contact)),
            kind=Kind(row.kind or policy.intake.unclear_kind),
            language=Language(row.language or policy.intake.unclear_language),
            received_at=row.received_at,
            subject=row.subject,
            text=row.text,
            refers_to=taking.follows(session, clues, found),
            verified=row.sender_verified,
            unreadable=bool(row.unreadable),
            in_public=bool(row.public_place),
        )
        case = open_inquiry(session, opening, policy, now, actor=actor)
    row.third_party = third_party
    rest = messages.continuing(session, row.id)
    for one in (row, *rest):
        messages.promote(session, one, case.reference, now, contact=contact, address_id=address.id)
    for one in rest:
        if one.edit_of:
            tell(session, case, one, now)
    return receipt_of(case, row.disposition, new=not joins)
