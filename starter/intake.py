"""The one use case "open or append": what comes in is stored, and Temporal is told later.

Files are put away first; the rest of a message is one writing transaction. When a call returns, everything is durable,
and the dispatcher is woken. All of it is synchronous: callers on an event loop use a thread. Every call raises
RecordsUnavailable when the database or the file store does not answer; sent again, nothing is stored twice.
"""

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from channels.email_events import DeliveryEvent
from channels.message import Disposition, Dropped, InboundMessage
from models.case import Case
from models.errors import Malformed, Refused
from models.inquiry import EMAIL, WEB, Actor, Kind, Language
from models.messages import ReceiveMessage
from models.policy import Policy
from models.tables import StoredMessage
from records import cases, contacts, dispatches, messages
from records.database import Database
from records.documents import AttachmentStore
from records.messages import Filed
from starter.opening import Opening, letters_channel, open_inquiry
from starter.placing import Clues, Place, clues_of, place, stored_clues
from starter.receipt import Receipt, receipt_of
from starter.reports import take_reports
from starter.web_form import WebForm, message_of

REPORTS_AT_ONCE = 100
"""Events of letters in one transaction: nobody else writes meanwhile."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Intake:
    """Takes in messages, forms and the provider's events.

    `files` keeps raw copies and attachments, `clock` gives aware UTC, `wake` tells the dispatcher, `reply_secret` made
    the tokens in our reply addresses, `delivered_after` is how long deliveries are gathered before the case is told.
    """

    def __init__(
        self,
        database: Database,
        policy: Policy,
        files: AttachmentStore,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        *,
        reply_secret: bytes,
        delivered_after: timedelta = timedelta(minutes=10),
    ) -> None:
        self._database, self._policy, self._files = database, policy, files
        self._clock, self._wake = clock, wake
        self._reply_secret, self._delivered_after = reply_secret, delivered_after

    def receive(self, message: InboundMessage) -> Receipt:
        """Store a message and let it open an inquiry, join one, or wait in quarantine; a repetition changes nothing.

        Raises Malformed for a web form whose Idempotency-Key came with another form before.
        """
        now = self._clock()
        message = self._fitting(message, now)
        filed = messages.file(message, message.raw, self._files)
        with self._database.write() as session:
            message, known = _distinct(session, message)
            receipt = self._again(session, known) if known else self._take_in(session, message, filed, now)
        if not receipt.duplicate:
            self._wake()
        log.info(
            "intake.received",
            reference=receipt.reference,
            channel=message.channel,
            new=receipt.new,
            disposition=receipt.disposition,
            duplicate=receipt.duplicate,
        )
        return receipt

    def receive_form(self, form: WebForm, key: str | None) -> Receipt:
        """Take in the web form; Malformed when its `key`, the Idempotency-Key, came with another form before."""
        return self.receive(message_of(form, key, self._clock(), self._policy.intake.max_text_characters))

    def receive_unreadable(self, raw: bytes) -> Receipt:
        """Keep a post that cannot be read at all for a person to look at."""
        now, digest = self._clock(), hashlib.sha256(raw).hexdigest()
        return self.receive(
            InboundMessage(
                channel=EMAIL,
                provider_id=f"sha256:{digest}",
                received_at=now,
                sender="",
                sender_name="",
                sender_verified=False,
                reply_to="",
                recipients=(),
                subject="",
                text="",
                full_text="",
                disposition=Disposition.UNANSWERABLE,
                disposition_reason="the post could not be read; its bytes are kept",
                language=None,
                kind=Kind.COMPLAINT,
                raw_sha256=digest,
                raw=raw,
            )
        )

    def promote(self, message_id: str, actor: Actor) -> Receipt:
        """A person lets a message out of quarantine: it joins its inquiry or opens one, with its original reception.

        Raises KeyError when there is no such message, Refused when it is not in quarantine or has no sender.
        """
        now = self._clock()
        with self._database.write() as session:
            row = messages.get(session, message_id)
            if row.reference is not None:
                raise Refused("message.placed", f"the message belongs to {row.reference} already")
            if not row.sender:
                raise Refused("message.no-sender", "the message names no sender, so nobody could be answered")
            channel = letters_channel(self._policy, row.channel)
            contact, address = contacts.find_or_add(session, channel, row.sender, name=row.sender_name, now=now)
            found = self._place(session, stored_clues(row, contact))
            if found:
                case = found.case
                _tell(session, case, row.id, row.received_at, now)
            else:
                opening = Opening(
                    channel=row.channel,
                    contact=contact,
                    addresses=(address,),
                    bound=row.sender_verified,
                    kind=Kind(row.kind or self._policy.intake.unclear_kind),
                    language=Language(row.language or self._policy.intake.unclear_language),
                    received_at=row.received_at,
                    subject=row.subject,
                    text=row.text,
                )
                case = open_inquiry(session, opening, self._policy, now, actor=actor)
            messages.promote(session, row, case.reference, now, contact=contact, address_id=address.id)
        self._wake()
        return receipt_of(case, row.disposition, new=found is None)

    def notice_event(self, events: Iterable[DeliveryEvent]) -> int:
        """Store what the provider reports of our letters and tell the cases; return how many events were new."""
        new, told = 0, list(events)
        for first in range(0, len(told), REPORTS_AT_ONCE):
            part = told[first : first + REPORTS_AT_ONCE]
            with self._database.write() as session:
                new += take_reports(session, part, self._clock(), gather=self._delivered_after)
        if new:
            self._wake()
        return new

    # -- inside the transaction --------------------------------------------------------------------------------------

    def _fitting(self, message: InboundMessage, now: datetime) -> InboundMessage:
        """The message within the policy's limits, with the reception that the policy believes."""
        most = self._policy.intake.max_attachments
        changes: dict[str, object] = {"received_at": self._policy.received_at(message.received_at, now)}
        if len(message.attachments) > most:
            left = Dropped(what="attachments", why=f"only the first {most} are kept apart")
            changes |= {"attachments": message.attachments[:most], "dropped": (*message.dropped, left)}
        return message.model_copy(update=changes)

    def _take_in(self, session: Session, message: InboundMessage, filed: Filed, now: datetime) -> Receipt:
        if message.disposition is not Disposition.MESSAGE:
            return self._set_aside(session, message, filed, now)
        channel = letters_channel(self._policy, message.channel)
        contact = contacts.known(session, channel, message.sender)
        found = self._place(session, clues_of(message, contact))
        if found is None and contact is not None and self._loops(session, contact, now):
            reason = "more inquiries in an hour than a person opens"
            looping = {"disposition": Disposition.LOOP, "disposition_reason": reason}
            return self._set_aside(session, message.model_copy(update=looping), filed, now)
        contact, address = contacts.find_or_add(session, channel, message.sender, name=message.sender_name, now=now)
        row, new = messages.store(
            session,
            message,
            filed,
            now,
            reference=found.case.reference if found else None,
            contact=contact,
            address_id=address.id,
            third_party=found.third_party if found else False,
        )
        if not new:
            return self._again(session, row)
        if found:
            _tell(session, found.case, row.id, message.received_at, now)
            return receipt_of(found.case, row.disposition)
        opening = Opening(
            channel=message.channel,
            contact=contact,
            addresses=(address,),
            bound=message.sender_verified,
            kind=message.kind,
            language=message.language or self._policy.intake.unclear_language,
            received_at=message.received_at,
            subject=message.subject,
            text=message.text,
        )
        case = open_inquiry(session, opening, self._policy, now)
        messages.place(session, row.id, case.reference)
        return receipt_of(case, row.disposition, new=True)

    def _place(self, session: Session, clues: Clues) -> Place | None:
        prefix = self._policy.operator.reference_prefix
        return place(session, clues, prefix=prefix, reply_secret=self._reply_secret)

    def _set_aside(self, session: Session, message: InboundMessage, filed: Filed, now: datetime) -> Receipt:
        """Quarantine: kept for a person, never answered by machine."""
        row, new = messages.store(session, message, filed, now)
        return Receipt(None, row.disposition) if new else self._again(session, row)

    def _loops(self, session: Session, contact: str, now: datetime) -> bool:
        """Say whether a sender opens inquiries faster than a person can: each would owe it another letter."""
        opened = cases.opened_since(session, contact, now - timedelta(hours=1))
        return opened >= self._policy.mail.messages_per_address_per_hour

    def _again(self, session: Session, row: StoredMessage) -> Receipt:
        """The receipt of a message that was here before."""
        if row.reference is None:
            return Receipt(None, row.disposition, duplicate=True)
        case = cases.load(session, row.reference)
        return receipt_of(case, row.disposition, duplicate=True)


def _tell(session: Session, case: Case, message_id: str, received_at: datetime, now: datetime) -> None:
    """Queue that a message joined a case. Handed over twice it counts once, under its own id as key."""
    order = ReceiveMessage(message=message_id, at=received_at, key=message_id)
    payload = order.model_dump(mode="json", exclude_none=True)
    dispatches.add(session, case.reference, "receive_message", payload, now)


def _distinct(session: Session, message: InboundMessage) -> tuple[InboundMessage, StoredMessage | None]:
    """The message, and the one that was stored under its id before.

    A Message-ID is the sender's to choose: other words under a known one are another message, kept under its own hash.
    """
    known = messages.find(session, message.channel, message.provider_id)
    if known is None or known.raw_sha256 == message.raw_sha256:
        return message, known
    if message.channel == WEB:
        raise Malformed("idempotency.reused", "this Idempotency-Key came with another body before; use a new one")
    if (known.sender, known.subject, known.full_text) == (message.sender, message.subject, message.full_text):
        return message, known
    message = message.model_copy(update={"provider_id": f"sha256:{message.raw_sha256}"})
    return message, messages.find(session, message.channel, message.provider_id)
