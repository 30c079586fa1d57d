"""An inquiry that a colleague registers is stored, placed and promised an answer like any other.

Everything happens in the caller's transaction; `now` is aware UTC.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from channels.message import InboundMessage
from models.answer_orders import OpenAppeal
from models.arrivals import ReceiveMessage
from models.case import Case
from models.deciding import decide
from models.errors import Malformed, Refused
from models.inquiry import EMAIL, SYSTEM, Actor, Address, Role
from models.messages import MOST_TEXT, When
from models.policy import Policy
from models.tables import StoredMessage
from records import cases, contacts, dispatches, messages
from records.messages import Filed
from starter.reception.opening import Opening, open_inquiry
from starter.reception.persons import given_address
from starter.reception.placing import Place, leading
from starter.reception.receipt import Receipt, receipt_of
from starter.reception.registration import FromAuthority, Registration
from starter.reception.taking import Taking, again


def acceptable(given: Registration, policy: Policy, actor: Actor, now: datetime) -> None:
    """Refuse a place that the policy does not name, and a reception that lies ahead or too far back (reading 2)."""
    settings = policy.registration
    if given.place not in settings.places:
        raise Malformed("registration.place", f"one of {', '.join(settings.places)} is needed", field="place")
    unknown = next((one.channel for one in given.further if one.channel not in policy.channels.named), None)
    if unknown:
        raise Malformed("registration.channel", f"no channel is called {unknown}", field="further")
    if given.received_at > now:
        raise Malformed("registration.future", "a reception cannot lie in the future", field="received_at")
    if actor.role is not Role.SUPERVISOR and given.received_at < now - timedelta(days=settings.days_back):
        raise Refused(
            "registration.too-old",
            f"older than {settings.days_back} days: a supervisor registers it",
            field="received_at",
            rule="M3.1",
        )
    if given.authority and given.authority.answer_by:
        _in_reach(given.authority.answer_by, given.received_at, policy)


def _in_reach(answer_by: When, received: datetime, policy: Policy) -> None:
    """The case could not note a review whose date it does not know, and the letter would be lost (M3.10)."""
    known = policy.snapshot(received)
    day = known.local_date(answer_by) if isinstance(answer_by, datetime) else answer_by
    over = isinstance(answer_by, datetime) and answer_by < received
    if over or not known.local_date(received) <= day <= known.last:
        raise Malformed(
            "registration.answer-by",
            f"must lie between the reception and {known.last}",
            field="authority.answer_by",
            rule="M3.10",
        )


@dataclass(frozen=True)
class Registering:
    """One registration within the transaction that stores it: who registers what, and when."""

    session: Session
    taking: Taking
    given: Registration
    actor: Actor
    now: datetime

    def store(self, message: InboundMessage, filed: Filed) -> Receipt:
        """Store it and let it open an inquiry, or join the one it names. The same again gives the first receipt.

        Raises Malformed where its Idempotency-Key came with another content before, UnknownInquiry for its reference.
        """
        session, authority = self.session, self.given.authority
        if known := messages.find(session, message.channel, message.provider_id):
            if known.raw_sha256 != message.raw_sha256:
                raise Malformed(
                    "idempotency.reused", "this Idempotency-Key came with another body before; use a new one"
                )
            return again(session, known)
        named = leading(session, cases.load(session, self.given.reference)) if self.given.reference else None
        joins = named is not None and (authority or not self.taking.begins_anew(Place(named, third_party=False)))
        contact, addresses = self._person(message, named)
        row, new = messages.store(
            session,
            message,
            filed,
            self.now,
            reference=named.reference if named and joins else None,
            contact=contact,
            address_id=addresses[0].id if addresses else None,
            third_party=bool(joins and authority),
        )
        if not new:
            return again(session, row)
        if named and joins:
            case = named
            self._join(case, row, () if authority else addresses)
        else:
            case = self._open(message, named, contact, addresses)
            messages.place(session, row.id, case.reference)
        if authority:
            self._review(case, row, authority)
        return receipt_of(case, row.disposition, new=not joins)

    def _person(self, message: InboundMessage, named: Case | None) -> tuple[str, tuple[Address, ...]]:
        """The contact and where they can be written to. What is merely given moves no address to anybody."""
        session, now = self.session, self.now
        first: tuple[Address, ...] = ()
        if message.sender:
            contact, address = contacts.find_or_add(session, EMAIL, message.sender, name=message.sender_name, now=now)
            first = (address,)
        else:
            contact = named.contact if named else contacts.add(session, now)
        rest = tuple(given_address(session, contact, one, now) for one in message.further)
        return contact, tuple(dict.fromkeys((*first, *rest)))

    def _open(
        self, message: InboundMessage, follows: Case | None, contact: str, addresses: tuple[Address, ...]
    ) -> Case:
        opening = Opening(
            channel=message.channel,
            contact=contact,
            addresses=addresses,
            bound=message.bound,
            kind=message.kind,
            language=message.language or self.taking.policy.intake.unclear_language,
            received_at=message.received_at,
            subject=message.subject,
            text=message.text,
            refers_to=follows.reference if follows else "",
            verified=message.bound,
        )
        return open_inquiry(self.session, opening, self.taking.policy, self.now, actor=self.actor)

    def _join(self, case: Case, row: StoredMessage, addresses: tuple[Address, ...]) -> None:
        """Queue that it joined; the timeline says who registered it, and from where."""
        order = ReceiveMessage(
            message=row.id,
            at=row.received_at,
            key=row.id,
            actor=self.actor,
            addresses=addresses,
            place=row.channel,
            reopens=case.closed_at is not None and not row.third_party,
            urgent=self.taking.urgent(row.subject, row.text),
        )
        payload = order.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        dispatches.add(self.session, case.reference, "receive_message", payload, self.now)

    def _review(self, case: Case, row: StoredMessage, ordered: FromAuthority) -> None:
        """M3.10: the authority is owed an answer by its own date, and the user hears of the review."""
        order = OpenAppeal(
            text=row.text[:MOST_TEXT],
            by="authority",
            file_number=ordered.file_number,
            answer_by=ordered.answer_by,
            received_at=row.received_at if ordered.answer_by else None,
            # A service hands in and decides nothing; that a review was notified is then the house's own note.
            actor=SYSTEM if self.actor.role is Role.INTAKE else self.actor,
            key=f"authority:{row.id}",
        )
        # What the case would refuse is refused at the door, or the authority's letter would be lost.
        decide(case, "appeal", order, self.now, trusted=True)
        payload = order.model_dump(mode="json", exclude_none=True)
        dispatches.add(self.session, case.reference, "appeal", payload, self.now)
