"""The one use case "open or append": what comes in is stored, and Temporal is told later.

Files are put away first; the rest of a message is one writing transaction. When a call returns, everything is durable,
and the dispatcher is woken. All of it is synchronous: callers on an event loop use a thread. Every call raises
RecordsUnavailable when the database or the file store does not answer; sent again, nothing is stored twice.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from channels.message import Disposition, Dropped, InboundMessage
from channels.port import Arrivals, Claim, Greeting
from channels.report import DeliveryEvent, Reach
from channels.unread import unread
from models.inquiry import EMAIL, Actor, Channel
from models.policy import Policy
from records import messages, streams
from records.database import Database
from records.documents import AttachmentStore, FolderStore
from settings import Settings
from starter.reception.persons import take_address, take_claim, take_reach
from starter.reception.promoting import promote
from starter.reception.receipt import Receipt
from starter.reception.registering import Registering, acceptable
from starter.reception.registration import Registration
from starter.reception.registration import message_of as registered
from starter.reception.reports import take_reports
from starter.reception.taking import Taking
from tracing import concerns

REPORTS_AT_ONCE = 100
"""Events of letters in one transaction: nobody else writes meanwhile."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Brought(NamedTuple):
    """What became of arrivals: the messages' receipts, how many reports were new, and whom a courtesy is owed."""

    receipts: list[Receipt]
    reports: int
    greetings: tuple[Greeting, ...]


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
        self._taking, self._delivered_after = Taking(policy, reply_secret), delivered_after

    def take(self, channel: Channel, arrivals: Arrivals, at: datetime | None = None) -> Brought:
        """Store everything that one post, or one look at a provider, brought, in the order it happened to people.

        Whoever shows a code speaks as the person it was made for from then on; whoever shut a channel spoke before.
        `at`, aware UTC, is when it came, where it was kept before it was read; everything is dated so.
        """
        now = at or self._clock()
        told = self._claims(channel, arrivals.claims, now) if arrivals.claims else []
        receipts = [self.receive(message, now) for message in arrivals.messages]
        for message, receipt in zip(arrivals.messages, receipts, strict=True):
            if receipt.disposition == Disposition.CLAIM and not receipt.duplicate:
                told.append(Greeting(message.sender, message.language, "connected"))
        if arrivals.reaches:
            self._reaches(arrivals.reaches, now)
        reports = self.notice_event(arrivals.reports)
        if arrivals.numbers:
            # Last: a number that is kept says that what it numbers is stored.
            now = self._clock()
            with self._database.write() as session:
                streams.add(session, arrivals.numbers, now)
        return Brought(receipts, reports, (*arrivals.greetings, *told))

    def receive(self, message: InboundMessage, at: datetime | None = None) -> Receipt:
        """Store a message and let it open an inquiry, join one, or wait in quarantine; a repetition changes nothing.

        `at`, aware UTC, is when it came to us; now, unless it was kept before it was read. Raises Malformed for a web
        form whose Idempotency-Key came with another form before.
        """
        now = at or self._clock()
        message = self._fitting(message, now)
        filed = messages.file(message, message.raw, self._files)
        with self._database.write() as session:
            receipt = self._taking.store(session, message, filed, now)
            messages.hold(message, message.raw, filed, self._files)
        if not receipt.duplicate:
            self._wake()
        concerns(receipt.reference, opened=receipt.new)
        log.info(
            "intake.received",
            reference=receipt.reference,
            channel=message.channel,
            new=receipt.new,
            disposition=receipt.disposition,
            duplicate=receipt.duplicate,
        )
        return receipt

    def register(self, given: Registration, key: str | None, actor: Actor) -> Receipt:
        """Take in what a colleague registers on somebody's behalf; its reception is what they say (reading 2).

        Raises Malformed and Refused where policy does not allow it, UnknownInquiry for its reference.
        """
        now = self._clock()
        acceptable(given, self._policy, actor, now)
        message = registered(given, key, actor.id, self._policy.intake.max_text_characters)
        filed = messages.file(message, message.raw, self._files)
        with self._database.write() as session:
            receipt = Registering(session, self._taking, given, actor, now).store(message, filed)
            messages.hold(message, message.raw, filed, self._files)
        self._wake()
        concerns(receipt.reference, opened=receipt.new)
        return receipt

    def receive_unreadable(self, raw: bytes, channel: Channel = EMAIL, at: datetime | None = None) -> Receipt:
        """Keep a genuine post that cannot be read at all for a person to look at; `at` as for `receive`."""
        at = at or self._clock()
        return self.receive(unread(channel, "", raw, at, "could not be read"), at)

    def take_address(self, channel: Channel, sender: str, given: tuple[Channel, str]) -> None:
        """Keep another address that somebody on a channel gave, and tell their open cases."""
        now = self._clock()
        with self._database.write() as session:
            take_address(session, channel, sender, given, now)
        self._wake()

    def has(self, channel: Channel, provider_id: str) -> bool:
        """Say whether a message with that id of the provider's is stored."""
        with self._database.read() as session:
            return messages.find(session, channel, provider_id) is not None

    def promote(self, message_id: str, actor: Actor) -> Receipt:
        """A person lets a message out of quarantine: it joins its inquiry or opens one, with its original reception.

        Raises KeyError when there is no such message, Refused when it is not in quarantine or has no sender.
        """
        now = self._clock()
        with self._database.write() as session:
            row = messages.get(session, message_id)
            receipt = promote(session, self._taking, row, actor, now)
        self._wake()
        concerns(receipt.reference, opened=receipt.new)
        return receipt

    def notice_event(self, events: Iterable[DeliveryEvent]) -> int:
        """Store what the provider reports of our letters and tell the cases; return how many events were new."""
        new, told = 0, list(events)
        for first in range(0, len(told), REPORTS_AT_ONCE):
            part, now = told[first : first + REPORTS_AT_ONCE], self._clock()
            with self._database.write() as session:
                new += take_reports(session, part, now, gather=self._delivered_after)
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

    def _claims(self, channel: Channel, claims: Iterable[Claim], now: datetime) -> list[Greeting]:
        """Store who somebody turned out to be; return what each is to be told of the code they showed."""
        told: list[Greeting] = []
        with self._database.write() as session:
            for claim in claims:
                shown = take_claim(session, channel, claim, now, typed=False)
                log.info("intake.claimed", channel=channel, shown=shown)
                if shown is not None:
                    told.append(Greeting(claim.address, claim.language, shown))
        self._wake()
        return told

    def _reaches(self, reaches: Iterable[Reach], now: datetime) -> None:
        """Tell the cases who can be reached where."""
        now = self._clock()
        with self._database.write() as session:
            for reach in reaches:
                take_reach(session, reach, now)
        self._wake()


def make_intake(
    settings: Settings,
    policy: Policy,
    database: Database,
    clock: Callable[[], datetime],
    wake: Callable[[], None] = lambda: None,
) -> Intake:
    """Put an intake together from the settings; without `wake` the dispatcher finds what is new by itself."""
    return Intake(
        database,
        policy,
        FolderStore(settings.documents),
        clock,
        wake,
        reply_secret=settings.reply_secret.get_secret_value().encode(),
        delivered_after=timedelta(seconds=policy.notices.delivered_after_seconds),
    )
