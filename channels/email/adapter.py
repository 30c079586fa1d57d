"""The channel `email`, each way over SendGrid (Inbound Parse, mail API, events) or over the operator's mail server."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from channels.email.automatic import Own
from channels.email.bounces import read_bounce
from channels.email.events import read_events
from channels.email.imap import Imap, Reports
from channels.email.mailbox import Mailbox
from channels.email.reading import Limits, Reader
from channels.email.sending import EmailSender
from channels.email.settings import EmailSettings
from channels.email.smtp import SmtpSender
from channels.email.verify import verify_inbound, verify_secret, verify_signature
from channels.letter import Accepted, OutboundLetter
from channels.message import InboundMessage
from channels.port import Adapter, Arrivals, Door, Feed, Parts, Post, Surroundings
from channels.report import DeliveryEvent
from models.errors import OperatorError, VerificationError
from models.inquiry import EMAIL
from settings import Settings, read_section

INBOUND, EVENTS = "inbound", "events"

MAIL_LIMIT = 40_000_000
"""Bytes of a mail's post that are looked at; the provider takes no mail beyond 30 MB."""

EVENTS_LIMIT = 10_000_000

DEVELOPMENT_KEY = Path("mailroom/public.key")
"""Where, below `var`, the local mailroom keeps the public key of its events."""


def build(surroundings: Surroundings) -> "Email":
    """Set the channel up from the settings."""
    settings = surroundings.settings
    own = read_section(EmailSettings, settings)
    mailbox = Mailbox(surroundings.address, surroundings.operator, settings.reply_domain)
    wanted = surroundings.limits
    reader = Reader(
        own=Own(addresses=(mailbox.address, mailbox.replies), domain=settings.mail_domain),
        limits=Limits(size=wanted.size, parts=wanted.parts, text=wanted.text),
    )
    secret = settings.reply_secret.get_secret_value().encode()
    sender: Sender
    if own.outgoing == "smtp":
        sender = SmtpSender(own, mailbox, secret, surroundings.clock)
    else:
        key = settings.sendgrid_api_key.get_secret_value()
        sender = EmailSender(key, mailbox, settings.sendgrid_host, clock=surroundings.clock)
    # SendGrid tells by its events of letters that come back; over SMTP nobody does but the mails themselves.
    reports = partial(read_bounce, secret=secret) if own.outgoing == "smtp" else _none
    feeds: tuple[Feed, ...] = ()
    if own.incoming == "imap":
        feeds = (Imap(own, replace(reader, trusted=own.trusted_servers), reports, surroundings.clock),)
    return Email(settings, reader, sender, reports, feeds)


class Sender(Protocol):
    """A way out."""

    def send(self, letter: OutboundLetter) -> Accepted:
        """Hand a letter over, as `Adapter.send`."""


class Email(Adapter):
    """E-mail, both ways. The doors stay open where mail comes by IMAP: what is under way is not lost."""

    name = EMAIL

    def __init__(
        self, settings: Settings, reader: Reader, sender: Sender, reports: Reports, feeds: tuple[Feed, ...]
    ) -> None:
        self._settings, self._reader, self._sender = settings, reader, sender
        self._reports, self._feeds = reports, feeds
        # A signature covers all of a post, so a cut one can be neither believed nor taken.
        self.doors = {
            INBOUND: Door(MAIL_LIMIT, cut=settings.inbound_public_key is None),
            EVENTS: Door(EVENTS_LIMIT),
        }

    def knock(self, door: str, headers: Mapping[str, str]) -> None:
        """Check the shared secret of Inbound Parse, where its signature is not switched on."""
        if door == INBOUND and not self._settings.inbound_public_key:
            verify_secret(self._secret, headers.get("authorization"))

    def verify(self, post: Post, now: datetime) -> None:
        """Check the signature of a post's raw bytes, or the shared secret."""
        if post.door == EVENTS:
            verify_signature(self._events_key(), post.headers, post.body, now)
        else:
            key = self._settings.inbound_public_key
            verify_inbound(post.headers, post.body, now, public_key=key, secret=self._secret)

    def parse(self, post: Post, stored_at: datetime) -> Arrivals:
        """Read a mail, or the events of letters."""
        if post.door == EVENTS:
            return Arrivals(reports=tuple(read_events(post.body, stored_at)))
        message = self._reader.read(post.headers.get("content-type", ""), post.body, stored_at, whole=post.whole)
        return Arrivals(messages=(message,), reports=self._reports(message))

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:  # noqa: ARG002 - a mail is one part
        """Hand a letter to SendGrid, or to the operator's mail server."""
        if letter.public:
            raise OperatorError("mail has no public place; address the letter to a mailbox")
        return self._sender.send(letter)

    def feeds(self) -> tuple[Feed, ...]:
        """The operator's mail folder, where mail comes in by it."""
        return self._feeds

    @property
    def _secret(self) -> str:
        return self._settings.inbound_secret.get_secret_value() if self._settings.inbound_secret else ""

    def _events_key(self) -> str:
        """The event webhook's public key; in development the local mailroom's. Raises VerificationError."""
        if self._settings.sendgrid_events_public_key:
            return self._settings.sendgrid_events_public_key
        path = self._settings.var / DEVELOPMENT_KEY
        if self._settings.environment == "development" and path.is_file():
            return path.read_text(encoding="ascii").strip()
        raise VerificationError("no public key is set; set PLAZO_SENDGRID_EVENTS_PUBLIC_KEY")


def _none(message: InboundMessage) -> tuple[DeliveryEvent, ...]:  # noqa: ARG001 - whatever the mail says
    return ()
