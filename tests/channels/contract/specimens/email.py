"""E-mail over the stand-in for SendGrid, and over a mail server of the operator's own (dovecot, an SMTP sink)."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from email.utils import format_datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from channels.email.adapter import EVENTS, INBOUND
from channels.message import InboundMessage
from channels.port import Post
from counterparts.inbound_parse import basic, sign
from counterparts.mailroom.app import Arrangement
from counterparts.mailroom.keys import mailroom_private_key, mailroom_public_key
from counterparts.mailroom.send import Keys
from tests.channels.contract.mails import HOUSE, Mail, headers_of
from tests.channels.contract.specimen import Known, Point, Said, Specimen, Trouble, utcnow
from tests.channels.email.servers import DOVECOT, PASSWORD, USER, Dovecot, Sink, open_dovecot, open_sink
from tests.mailrooms import Mailroom, open_mailroom

API_KEY, SECRET = "SG.key-of-the-tests", "inbound-secret-of-the-tests"
LOGIN = "smtp-password-of-the-tests"


class SendGrid(Mail):
    way = "sendgrid"
    excused: ClassVar[Mapping[Point, str]] = {
        **Mail.excused,
        Point.KNOCK: "the signature is over the body, so nothing tells before it is read",
        Point.FEED: "SendGrid keeps no mail to ask for",
        Point.CREDENTIALS: "SendGrid's are the house's own settings, which every production needs",
    }
    away: ClassVar[Mapping[str, str]] = {"PLAZO_SENDGRID_HOST": "http://127.0.0.1:9"}
    refused: ClassVar[Mapping[str, str]] = {"PLAZO_SENDGRID_API_KEY": "SG.revoked"}
    wait = 60

    def __init__(self, mailroom: Mailroom, folder: Path) -> None:
        super().__init__()
        self.mailroom, self.folder = mailroom, folder
        self.key = mailroom_private_key(folder)

    @classmethod
    @contextmanager
    def opened(cls, var: Path, records_url: str) -> Iterator[Specimen]:
        folder = var / "mailroom"
        with open_mailroom(Arrangement(folder, keys=Keys(valid=frozenset({API_KEY})))) as mailroom:
            yield cls(mailroom, folder)

    def environment(self) -> Mapping[str, str]:
        public = mailroom_public_key(self.folder)
        return {
            **HOUSE,
            "PLAZO_SENDGRID_API_KEY": API_KEY,
            "PLAZO_SENDGRID_HOST": self.mailroom.url,
            "PLAZO_SENDGRID_EVENTS_PUBLIC_KEY": public,
            "PLAZO_INBOUND_PUBLIC_KEY": public,
        }

    def posts(self, now: datetime) -> Mapping[str, Post]:
        mail = self.written(Said(self.someone, "Hola", now)).as_bytes()
        event = {"event": "bounce", "sg_event_id": "e1", "notice": "RX-7KQ4-M2PD/reply/1", "timestamp": 1_790_000_000}
        events = json.dumps([event, {"event": "open"}, 7]).encode()
        return {
            "raw": self.signed(self.post(mail, now), now),
            "default": self.signed(self.post(mail, now, mode="default"), now),
            "events": self.signed(Post(EVENTS, {"content-type": "application/json"}, events), now),
        }

    def forgeries(self, now: datetime) -> Mapping[str, Post]:
        genuine = self.posts(now)
        raw, events = genuine["raw"], genuine["events"]
        stranger = mailroom_private_key(self.folder.parent / "stranger")
        forged = {name.lower(): value for name, value in sign(stranger, int(now.timestamp()), raw.body).items()}
        secret = {name.lower(): value for name, value in basic("development").items()}
        return {
            "no signature": Post(INBOUND, {"content-type": raw.headers["content-type"]}, raw.body),
            "signed by a stranger": Post(INBOUND, {**raw.headers, **forged}, raw.body),
            "a shared secret where a signature is asked for": Post(
                INBOUND, {**raw.headers, **secret} | blank(), raw.body
            ),
            "the signature of another post": Post(INBOUND, {**raw.headers, **events.headers}, raw.body),
            "its last line end taken off": Post(INBOUND, raw.headers, raw.body[:-2]),
            "another time": Post(INBOUND, {**raw.headers, TIME: str(int(now.timestamp()) + 1)}, raw.body),
        }

    def receive(self, said: Said, now: datetime) -> InboundMessage:
        return self.read(self.signed(self.post(self.written(said).as_bytes(), said.at), now), now)

    def identities(self, now: datetime) -> Mapping[str, Known]:
        mail = self.written(Said(self.someone, "Hola", now)).as_bytes()
        twice = mail.replace(b"From: ", b"From: eva@example.com, ", 1)
        nobody = mail.replace(b"From: ", b"X-From: ", 1)

        def known(mail: bytes, *, vouched: bool, **more: Any) -> Known:
            return Known(self.read(self.post(mail, now, **more), now), verified=vouched, bound=vouched)

        return {
            "a vouched sender": known(mail, vouched=True),
            "nobody vouches": known(mail, vouched=False, spf="none", dkim="none"),
            "another domain vouches": known(mail, vouched=False, envelope_from="bounce@example.com"),
            "two senders": known(twice, vouched=False),
            "no sender": known(nobody, vouched=False),
        }

    def answer(self, address: str, now: datetime) -> InboundMessage:
        return self.read(self.post(self.answering(self.headers(address)), now), now)

    def delivered(self, address: str) -> list[str]:
        return [one["text"] for one in reversed(self.mailroom.letters(to=address))]

    def threaded_to(self, address: str) -> str:
        return self.headers(address)["In-Reply-To"].strip("<>")

    @contextmanager
    def trouble(self, trouble: Trouble, address: str) -> Iterator[str]:
        if trouble is Trouble.RATE:
            self.mailroom.fault("status", status=429, retry_after=self.wait)
        if trouble is Trouble.HANG_UP:
            self.mailroom.fault("hang_up_after_accept")
        # An address that no mail can go to, for SendGrid finds dead ones only later, and tells by an event.
        yield f"{address}@@example.org" if trouble is Trouble.GONE else address
        self.mailroom.http.delete("/api/faults")

    def headers(self, address: str) -> Mapping[str, str]:
        """The headers of the last letter there."""
        letter = self.mailroom.letters(to=address)[0]
        eml = self.mailroom.http.get(f"/letters/{letter['id']}.eml").raise_for_status().content
        return headers_of(eml)

    def signed(self, post: Post, now: datetime) -> Post:
        signature = sign(self.key, int(now.timestamp()), post.body)
        return Post(post.door, {**post.headers, **{name.lower(): one for name, one in signature.items()}}, post.body)


class OwnServer(Mail):
    """IMAP in, SMTP out; Inbound Parse with a shared secret still stands open beside them."""

    way = "own-server"
    excused: ClassVar[Mapping[Point, str]] = {
        **Mail.excused,
        Point.SIGNED: "the shared secret covers no byte of a post",
        Point.FRESH: "the shared secret bears no time; a repeated mail is known by its Message-ID",
        Point.WAIT: "SMTP says that it wants patience, and never how much",
    }
    production: ClassVar[Mapping[str, str]] = {
        "PLAZO_EMAIL_INCOMING": "imap",
        "PLAZO_EMAIL_OUTGOING": "smtp",
        "PLAZO_EMAIL_IMAP_HOST": "127.0.0.1",
        "PLAZO_EMAIL_IMAP_USER": USER,
        "PLAZO_EMAIL_IMAP_PASSWORD": PASSWORD,
        "PLAZO_EMAIL_SMTP_HOST": "127.0.0.1",
    }
    away: ClassVar[Mapping[str, str]] = {"PLAZO_EMAIL_IMAP_PORT": "9", "PLAZO_EMAIL_SMTP_PORT": "9"}
    refused: ClassVar[Mapping[str, str]] = {
        "PLAZO_EMAIL_IMAP_PASSWORD": "changed",
        "PLAZO_EMAIL_SMTP_PASSWORD": "changed",
    }

    def __init__(self, server: Dovecot, sink: Sink) -> None:
        super().__init__()
        self.server, self.sink, self.cursor = server, sink, ""

    @classmethod
    @contextmanager
    def opened(cls, var: Path, records_url: str) -> Iterator[Specimen]:
        if DOVECOT is None:
            pytest.skip("dovecot is not installed (Debian: apt-get install dovecot-imapd)")
        with ExitStack() as stack:
            yield cls(stack.enter_context(open_dovecot()), stack.enter_context(open_sink(login=LOGIN)))

    def environment(self) -> Mapping[str, str]:
        return {
            **HOUSE,
            **self.production,
            "PLAZO_INBOUND_SECRET": SECRET,
            "PLAZO_EMAIL_IMAP_TLS": "none",
            "PLAZO_EMAIL_IMAP_PORT": str(self.server.port),
            "PLAZO_EMAIL_TRUSTED_SERVERS": "mx.example.org",
            "PLAZO_EMAIL_SMTP_TLS": "none",
            "PLAZO_EMAIL_SMTP_PORT": str(self.sink.port),
            "PLAZO_EMAIL_SMTP_USER": "help",
            "PLAZO_EMAIL_SMTP_PASSWORD": LOGIN,
        }

    def posts(self, now: datetime) -> Mapping[str, Post]:
        post = self.post(self.written(Said(self.someone, "Hola", now)).as_bytes(), now)
        shared = {"bearer": f"Bearer {SECRET}", "basic": basic(SECRET)["Authorization"]}
        return {name: Post(INBOUND, {**post.headers, "authorization": one}, post.body) for name, one in shared.items()}

    def forgeries(self, now: datetime) -> Mapping[str, Post]:
        post = self.posts(now)["basic"]
        coded = base64.b64encode(SECRET.encode()).decode()
        wrong = {
            "nothing": "",
            "another secret": "Bearer wrong",
            "the secret alone": SECRET,
            "the secret as user": "Basic " + base64.b64encode(f"{SECRET}:x".encode()).decode(),
            "the secret without a user": f"Basic {coded}",
            "another scheme": f"Digest {coded}",
        }
        return {name: Post(INBOUND, {**post.headers, "authorization": one}, post.body) for name, one in wrong.items()}

    def receive(self, said: Said, now: datetime) -> InboundMessage:
        return self.taken(self.written(said).as_bytes(), said.at, now)

    def identities(self, now: datetime) -> Mapping[str, Known]:
        mail = self.written(Said(self.someone, "Hola", now)).as_bytes()

        def known(results: str, *, vouched: bool) -> Known:
            message = self.taken(f"Authentication-Results: {results}\r\n".encode() + mail, now, now)
            return Known(message, verified=vouched, bound=vouched)

        return {
            "our server vouches": known("mx.example.org; dkim=pass header.d=example.org", vouched=True),
            "it vouches for another domain": known("mx.example.org; dkim=pass header.d=example.com", vouched=False),
            "it says that it fails": known("mx.example.org; spf=fail smtp.mailfrom=ana@example.org", vouched=False),
            "another server vouches": known("mx.example.com; dkim=pass header.d=example.org", vouched=False),
        }

    def bring(self, address: str, text: str) -> None:
        said = Said(address, text, utcnow(), n=hash(text) % 10**9)
        self.server.deliver(self.written(said).as_bytes())

    def answer(self, address: str, now: datetime) -> InboundMessage:
        return self.taken(self.answering(headers_of(self.contents(address)[-1])), now, now)

    def delivered(self, address: str) -> list[str]:
        bodies = [message_from_bytes(one, policy=default).get_body(("plain",)) for one in self.contents(address)]
        return [str(one.get_content()) for one in bodies if one is not None]

    def threaded_to(self, address: str) -> str:
        return headers_of(self.contents(address)[-1])["In-Reply-To"].strip("<>")

    @contextmanager
    def trouble(self, trouble: Trouble, address: str) -> Iterator[str]:
        self.sink.says |= {
            Trouble.GONE: {"RCPT": f"550 5.1.1 <{address}>: no such user here ({address})"},
            Trouble.RATE: {"RCPT": f"451 4.7.1 <{address}>: try again later"},
            Trouble.HANG_UP: {"DATA": "hang up"},
        }[trouble]
        yield address
        self.sink.says.clear()

    def contents(self, address: str) -> list[bytes]:
        """The mails that arrived there."""
        found = [one.content for one in self.sink.taken if address in one.rcpt_tos]
        return [one for one in found if isinstance(one, bytes)]

    def taken(self, mail: bytes, at: datetime, now: datetime) -> InboundMessage:
        """Deliver a mail that our server got at a time, and have it read from the folder."""
        received = f"Received: from x by mx.example.org with ESMTPS id 1; {format_datetime(at)}\r\n"
        self.server.deliver(received.encode() + mail)
        [feed] = self.adapter.feeds()
        batch = feed.look(self.cursor, lambda _: False, now)
        self.cursor = batch.cursor
        return batch.arrivals.messages[-1]


TIME = "x-twilio-email-event-webhook-timestamp"


def blank() -> dict[str, str]:
    """No signature at all."""
    return {TIME: "", "x-twilio-email-event-webhook-signature": ""}


WAYS = (SendGrid, OwnServer)
