"""The operator's own mail server both ways: a letter leaves by SMTP, what is written back comes in by IMAP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from channels.email.adapter import INBOUND, Email, build
from channels.message import Disposition
from channels.port import Arrivals, Limits, Post, Surroundings
from channels.report import Delivery
from channels.tokens import read_token, reply_token
from counterparts.inbound_parse import inbound_body
from settings import Settings
from tests.channels.email.servers import PASSWORD, USER, Dovecot, Sink, needs_dovecot, open_dovecot, open_sink
from tests.channels.email.test_bounces import dsn
from tests.channels.email.test_smtp import letter

pytestmark = needs_dovecot
REFERENCE = "RX-7KQ4-M2PD"


class NoParts:
    taken: tuple[str, ...] = ()

    def take(self, provider_id: str) -> None:
        raise AssertionError("a mail is one part")


@pytest.fixture
def sink() -> Iterator[Sink]:
    with open_sink() as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with open_dovecot() as opened:
        yield opened


@pytest.fixture
def email(server: Dovecot, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Email]:
    variables = {
        "INCOMING": "imap",
        "IMAP_HOST": "127.0.0.1",
        "IMAP_PORT": str(server.port),
        "IMAP_TLS": "none",
        "IMAP_USER": USER,
        "IMAP_PASSWORD": PASSWORD,
        "OUTGOING": "smtp",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(sink.port),
        "SMTP_TLS": "none",
        "TRUSTED_SERVERS": "mx.example.org",
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"PLAZO_EMAIL_{name}", value)
    monkeypatch.setenv("PLAZO_REPLY_DOMAIN", "reply.example.org")
    monkeypatch.setenv("PLAZO_MAIL_DOMAIN", "example.org")
    limits = Limits(30_000_000, 1_000, 200_000, 50)
    built = build(Surroundings("help@example.org", "Ayuda", limits, lambda: datetime.now(UTC), Settings()))
    yield built
    for feed in built.feeds():
        feed.close()


@pytest.fixture
def secret() -> bytes:
    return Settings().reply_secret.get_secret_value().encode()


def looked(email: Email) -> Arrivals:
    [feed] = email.feeds()
    return feed.look("", lambda _: False, datetime.now(UTC)).arrivals


def left(sink: Sink) -> EmailMessage:
    content = sink.taken[-1].content
    assert isinstance(content, bytes)
    return message_from_bytes(content, policy=default)


@pytest.mark.rule("M4.1")
def test_an_answer_to_a_letter_finds_its_inquiry(email: Email, server: Dovecot, sink: Sink, secret: bytes) -> None:
    email.send(letter(reply_token=reply_token(secret, REFERENCE)), NoParts())
    there = left(sink)
    answer = EmailMessage()
    answer["Delivered-To"] = there["reply-to"]
    answer["Authentication-Results"] = "mx.example.org; spf=pass smtp.mailfrom=ana@example.net"
    answer["From"], answer["To"] = there["to"], there["reply-to"]
    answer["Subject"] = f"Re: {there['subject']}"
    answer["Message-ID"] = "<answer@example.net>"
    answer["In-Reply-To"] = answer["References"] = there["message-id"]
    answer.set_content("Gracias, pero aún no llega.")
    server.deliver(answer.as_bytes())
    [message] = looked(email).messages
    assert [read_token(secret, one) for one in message.tokens] == [REFERENCE]
    assert message.in_reply_to == letter().message_id
    assert (message.sender, message.sender_verified) == ("ana@example.net", True)
    assert (message.text, message.disposition) == ("Gracias, pero aún no llega.", Disposition.MESSAGE)
    assert datetime.now(UTC) - message.received_at < timedelta(minutes=1)


@pytest.mark.rule("M4.2")
def test_a_letter_that_comes_back_is_reported_by_its_key(email: Email, server: Dovecot, sink: Sink) -> None:
    email.send(letter(), NoParts())
    bounce = dsn(to=sink.taken[-1].mail_from, returned=f"Message-ID: {left(sink)['message-id']}")
    server.deliver(bounce)
    arrivals = looked(email)
    [report], [message] = arrivals.reports, arrivals.messages
    assert (report.notice, report.message_id) == (letter().notice, letter().message_id)
    assert (report.kind, report.hard) == (Delivery.BOUNCE, True)
    assert message.disposition is Disposition.BOUNCE
    headers, body = inbound_body(bounce)
    posted = Post(INBOUND, {"content-type": headers["Content-Type"]}, body)
    assert [one.notice for one in email.parse(posted, datetime.now(UTC)).reports] == [letter().notice]


def test_where_sendgrid_tells_of_bounces_the_mails_do_not(email: Email, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAZO_EMAIL_OUTGOING", "sendgrid")
    limits = Limits(30_000_000, 1_000, 200_000, 50)
    other = build(Surroundings("help@example.org", "Ayuda", limits, lambda: datetime.now(UTC), Settings()))
    headers, body = inbound_body(dsn())
    arrivals = other.parse(Post(INBOUND, {"content-type": headers["Content-Type"]}, body), datetime.now(UTC))
    assert arrivals.reports == ()
    assert arrivals.messages[0].disposition is Disposition.BOUNCE
