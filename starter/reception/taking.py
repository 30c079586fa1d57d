"""A message within the transaction that stores it: it opens an inquiry, joins one, continues another message, or waits.

`now` is the time of storing, aware UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from channels.message import Disposition, InboundMessage
from models.arrivals import ReceiveMessage
from models.case import Case
from models.inquiry import Address, Channel
from models.policy import Policy
from models.tables import StoredMessage
from models.terms import Matter
from models.urgency import urgent_matter
from records import cases, contact_cases, contacts, dispatches, messages, restores
from records.messages import Filed
from starter.reception.opening import Opening, letters_channel, open_inquiry
from starter.reception.persons import given_address, known_person, register, wrote_from
from starter.reception.placing import Clues, Place, clues_of, last_one, leading, place
from starter.reception.reaching import others_than, reachable_at
from starter.reception.receipt import Receipt, receipt_of
from starter.reception.recognising import claims, distinct, earlier_of

MOST_GIVEN = 9
"""Addresses that a message may bring besides its sender's."""


@dataclass(frozen=True)
class Taking:
    """How messages are taken in here: the policy, and the secret that made the tokens in our reply addresses."""

    policy: Policy
    reply_secret: bytes

    def store(self, session: Session, message: InboundMessage, filed: Filed, now: datetime) -> Receipt:
        """Store a message, whatever becomes of it; a repetition changes nothing.

        Raises Malformed for a web form whose Idempotency-Key came with another form before.
        """
        message, known = distinct(session, message)
        if known:
            return again(session, known)
        if message.disposition is Disposition.MESSAGE and claims(session, message, now):
            message = message.model_copy(update={"disposition": Disposition.CLAIM})
        if message.disposition is not Disposition.MESSAGE:
            return self._set_aside(session, message, filed, now)
        if lost := restores.found(session, message.channel, message.received_at, now):
            known_as = {"disposition": Disposition.RESTORED, "disposition_reason": f"known before the restore: {lost}"}
            return self._set_aside(session, message.model_copy(update=known_as), filed, now)
        if earlier := earlier_of(session, message):
            return self._continue(session, message, filed, earlier, now)
        return self._take_in(session, message, filed, now)

    def _take_in(self, session: Session, message: InboundMessage, filed: Filed, now: datetime) -> Receipt:
        """Let a message join its inquiry or open one."""
        channel = letters_channel(self.policy, message.channel)
        contact = known_person(session, channel, message, now)
        clues = clues_of(message, contact, contacts.address_id(session, channel, message.sender))
        found = self.place(session, clues)
        if found is None and contact is not None and self._loops(session, contact, message, now):
            reason = "more inquiries in an hour than a person opens"
            looping = {"disposition": Disposition.LOOP, "disposition_reason": reason}
            return self._set_aside(session, message.model_copy(update=looping), filed, now)
        contact, address = contacts.find_or_add(session, channel, message.sender, name=message.sender_name, now=now)
        joins = found and not self.begins_anew(found)
        row, new = messages.store(
            session,
            message,
            filed,
            now,
            reference=found.case.reference if found and joins else None,
            contact=contact,
            address_id=address.id,
            third_party=found.third_party if found and joins else False,
        )
        if not new:
            return again(session, row)
        given = tuple(self._given(session, message, contact, now))
        if found and joins:
            reached = () if found.third_party or message.public_place else (address, *given)
            urgent = None if found.third_party else self.urgent(message.subject, message.text)
            tell(session, found.case, row, now, addresses=reached, reopens=reopens(found), urgent=urgent)
            if reached and message.sender_verified:
                wrote_from(session, contact, address, row.id, now, but=found.case.reference)
            return receipt_of(found.case, row.disposition)
        opening = Opening(
            channel=message.channel,
            contact=contact,
            addresses=() if message.public_place else (address, *self._others(session, contact, address, given)),
            bound=message.bound or (message.sender_verified and contacts.bound(session, contact)),
            kind=message.kind,
            language=message.language or self.policy.intake.unclear_language,
            received_at=message.received_at,
            subject=message.subject,
            text=message.text,
            refers_to=self.follows(session, clues, found),
            verified=message.sender_verified,
            unreadable=bool(message.unreadable),
            in_public=bool(message.public_place),
        )
        case = open_inquiry(session, opening, self.policy, now)
        messages.place(session, row.id, case.reference)
        if message.sender_verified and not message.public_place:
            wrote_from(session, contact, address, row.id, now, but=case.reference)
        return receipt_of(case, row.disposition, new=True)

    def _given(self, session: Session, message: InboundMessage, contact: str, now: datetime) -> Iterator[Address]:
        """The other addresses that came with a message; those of an account are registered on it."""
        for channel, value in message.further[:MOST_GIVEN]:
            if message.account:
                yield register(session, contact, (channel, value), now)
            else:
                yield given_address(session, contact, (channel, value), now)

    def _others(
        self, session: Session, contact: str, address: Address, given: tuple[Address, ...]
    ) -> tuple[Address, ...]:
        """Where else the person can be written to: what they gave now, and all that is theirs once they are known."""
        known = reachable_at(session, contact) if contacts.bound(session, contact) else ()
        return tuple(dict.fromkeys(others_than(address, (*given, *known))))

    def _continue(
        self, session: Session, message: InboundMessage, filed: Filed, earlier: StoredMessage, now: datetime
    ) -> Receipt:
        """Another picture of an album, or the new wording of a message: it stays with the one it belongs to."""
        edits = bool(message.edit_of)
        row, new = messages.store(
            session,
            message,
            filed,
            now,
            reference=earlier.reference,
            contact=earlier.contact,
            address_id=earlier.address_id,
            third_party=earlier.third_party,
            part_of="" if edits else earlier.id,
            edit_of=earlier.id if edits else "",
        )
        if not new:
            return again(session, row)
        if earlier.reference is None:
            return Receipt(None, row.disposition)
        case = leading(session, cases.load(session, earlier.reference))
        if edits:
            tell(session, case, row, now, urgent=self.urgent(message.subject, message.text))
        return receipt_of(case, row.disposition)

    def urgent(self, subject: str, text: str) -> Matter | None:
        """What a message speaks of that cannot wait (policy)."""
        return urgent_matter(f"{subject}\n{text}", self.policy.urgent.lines)

    def begins_anew(self, found: Place) -> bool:
        """Say whether a message to a closed inquiry opens a new one (policy)."""
        return found.case.closed_at is not None and self.policy.intake.after_close == "new"

    def place(self, session: Session, clues: Clues) -> Place | None:
        """Find the inquiry of a message by the policy of its channel; None means a new one."""
        return place(
            session,
            clues,
            prefix=self.policy.operator.reference_prefix,
            reply_secret=self.reply_secret,
            conversation=self._converses(clues.channel),
        )

    def follows(self, session: Session, clues: Clues, found: Place | None) -> str:
        """Return the reference of the inquiry that a new one of the same person follows, or nothing."""
        if found and not found.third_party:
            return found.case.reference
        last = last_one(session, clues) if self._converses(clues.channel) else None
        return last.reference if last else ""

    def _converses(self, channel: Channel) -> bool:
        settings = self.policy.channels.named.get(channel)
        return settings is not None and settings.conversation

    def _set_aside(self, session: Session, message: InboundMessage, filed: Filed, now: datetime) -> Receipt:
        """Quarantine: kept for a person, never answered by machine."""
        row, new = messages.store(session, message, filed, now)
        return Receipt(None, row.disposition) if new else again(session, row)

    def _loops(self, session: Session, contact: str, message: InboundMessage, now: datetime) -> bool:
        """Say whether a sender opens inquiries faster than a person can: each would owe it another letter.

        Who writes under another's address without being verified silences nobody but those like them.
        """
        opened = contact_cases.opened_since(
            session, contact, now - timedelta(hours=1), verified=message.sender_verified
        )
        return opened >= self.policy.mail.messages_per_address_per_hour


def reopens(found: Place) -> bool:
    """Say whether a message that joins makes a closed inquiry go on."""
    return found.case.closed_at is not None and not found.third_party


def again(session: Session, row: StoredMessage) -> Receipt:
    """The receipt of a message that was here before."""
    if row.reference is None:
        return Receipt(None, row.disposition, duplicate=True)
    case = cases.load(session, row.reference)
    return receipt_of(case, row.disposition, duplicate=True)


def tell(
    session: Session,
    case: Case,
    row: StoredMessage,
    now: datetime,
    *,
    addresses: tuple[Address, ...] = (),
    reopens: bool = False,
    urgent: Matter | None = None,
) -> None:
    """Queue that a message joined a case. Handed over twice it counts once, under its own id as key.

    The addresses go with it whatever the saved case knows of them: a bounce may be on its way to it still.
    """
    # A stranger's message is not the user's, who is not to be told that it could not be read.
    unreadable = bool(row.unreadable) and not row.third_party
    order = ReceiveMessage(
        message=row.id,
        at=row.received_at,
        key=row.id,
        addresses=addresses,
        edits=row.edit_of or None,
        unreadable=unreadable,
        channel=row.channel if unreadable else None,
        reopens=reopens,
        urgent=urgent,
    )
    payload = order.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    dispatches.add(session, case.reference, "receive_message", payload, now)
