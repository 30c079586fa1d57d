"""Letters handed to a real SMTP server: as they look there, and what each refusal means."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from pydantic import SecretStr

from channels.email.mailbox import Mailbox
from channels.email.settings import EmailSettings
from channels.email.smtp import SmtpSender
from channels.letter import OutboundLetter
from models.errors import ChannelError, OperatorError, RecipientError, TransientError, UnknownOutcome
from tests.channels.email.servers import Sink, open_refuser, open_sink

NOW = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)
MAILBOX = Mailbox("help@example.org", "Ayuda, S.A.", "reply.example.org")
SECRET = b"reply secret"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with open_sink() as opened:
        yield opened


def letter(**more: Any) -> OutboundLetter:
    whole: dict[str, Any] = {
        "notice": "RX-7KQ4-M2PD/acknowledgement/1",
        "kind": "acknowledgement",
        "to": "ana@example.net",
        "subject": "Acuse de recibo: reclamación",
        "text": "Recibido\n.\nQUIT\nMAIL FROM:<x@example.net>\nAtención",
        "html": "<p>Recibido</p>",
        "message_id": "RX-7KQ4-M2PD.acknowledgement.1@example.org",
        "reply_token": "rx-7kq4-m2pd.abcdefgh23456777",
        "in_reply_to": "b@example.net",
        "references": ("a@example.net", "b@example.net"),
        "auto_submitted": "auto-replied",
        **more,
    }
    return OutboundLetter(**whole)


def sender(port: int, **more: Any) -> SmtpSender:
    plain: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none", "outgoing": "smtp"}
    return SmtpSender(EmailSettings(**{**plain, **more}), MAILBOX, SECRET, lambda: NOW)


def arrived(sink: Sink) -> EmailMessage:
    [envelope] = sink.taken
    content = envelope.content
    assert isinstance(content, bytes)
    return message_from_bytes(content, policy=default)


def test_a_letter_leaves_threaded_to_one_recipient(sink: Sink) -> None:
    accepted = sender(sink.port).send(letter())
    assert (accepted.provider_id, accepted.at) == ("4F5A9C01D2", NOW)
    mail = arrived(sink)
    assert mail["message-id"] == "<RX-7KQ4-M2PD.acknowledgement.1@example.org>"
    assert mail["in-reply-to"] == "<b@example.net>"
    assert mail["references"].split() == ["<a@example.net>", "<b@example.net>"]
    assert mail["auto-submitted"] == "auto-replied"
    assert mail["reply-to"] == "help+rx-7kq4-m2pd.abcdefgh23456777@reply.example.org"
    assert mail["from"] == '"Ayuda, S.A." <help@example.org>'
    assert mail["to"] == "ana@example.net"
    assert mail["subject"] == "Acuse de recibo: reclamación"
    assert mail["date"].datetime == NOW
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == f"{letter().text}\n"
    assert html.get_content().strip() == "<p>Recibido</p>"
    [envelope] = sink.taken
    assert envelope.rcpt_tos == ["ana@example.net"]
    assert str(envelope.mail_from).startswith("help+b.rx-7kq4-m2pd.acknowledgement.1.")
    assert str(envelope.mail_from).endswith("@reply.example.org")


def test_a_plain_letter_of_a_person_needs_little(sink: Sink) -> None:
    sender(sink.port).send(
        letter(html=None, reply_token="", in_reply_to=None, references=(), auto_submitted="no", text="Hola")
    )
    mail = arrived(sink)
    assert mail.get_content_type() == "text/plain"
    assert set(mail.keys()) >= {"Message-ID", "From", "To", "Subject", "Date"}
    assert not {"Auto-Submitted", "References", "In-Reply-To", "Reply-To"} & set(mail.keys())


def test_long_threads_and_long_names_stay_whole(sink: Sink) -> None:
    many = tuple(f"{n}.{'x' * 150}@mail.example.net" for n in range(50))
    sender(sink.port).send(letter(references=many, in_reply_to=many[-1]))
    mail = arrived(sink)
    assert mail["in-reply-to"] == f"<{many[-1]}>"
    assert mail["references"].split() == [f"<{one}>" for one in (many[0], *many[-19:])]
    content = sink.taken[0].content
    assert isinstance(content, bytes)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.replace(b"\r\n", b"").count(b"\n") == content.replace(b"\r\n", b"").count(b"\r") == 0


@pytest.mark.parametrize(
    "subject", ["a\r\nBcc: eva@example.net", "a\nBcc: eva@example.net\n\nHola", "a\u2028Bcc: eva@example.net", "a\x00b"]
)
def test_nothing_in_a_subject_becomes_a_header_or_a_recipient(sink: Sink, subject: str) -> None:
    sender(sink.port).send(letter(subject=subject))
    mail = arrived(sink)
    assert mail["bcc"] is None
    assert str(mail["subject"]).isprintable()
    assert sink.taken[0].rcpt_tos == ["ana@example.net"]


@pytest.mark.parametrize("text", ["{{7*7}} ${7*7} %s %(x)s", '"><script>alert(1)</script>', "\x00hola", "\u202eabc"])
def test_words_leave_as_they_are(sink: Sink, text: str) -> None:
    sender(sink.port).send(letter(subject=text, text=text, html=None))
    mail = arrived(sink)
    assert mail.get_content().strip() == text.replace("\x00", "")
    assert mail["bcc"] is None


@pytest.mark.parametrize(
    "address",
    [
        "ana@example.net, eva@example.net",
        "ana@example.net\r\nRCPT TO:<eva@example.net>",
        '"x" <eva@example.net>, ',
        "ana@example.net> SIZE=1",
        "<ana@example.net>",
        "Ana <ana@example.net>",
        "ana",
        "@example.net",
        "ana@@example.net",
        "ana@exa mple.net",
    ],
)
def test_an_address_is_one_mailbox_or_refused(sink: Sink, address: str) -> None:
    with pytest.raises(RecipientError) as refused:
        sender(sink.port).send(letter(to=address))
    assert "example" not in str(refused.value)
    assert sink.taken == []


@pytest.mark.parametrize(
    "address",
    ['"<script>alert(1)</script>"@example.net', '"a b"@example.net', "Ana.P%x!y@Example.NET", "{{7*7}}@a.example"],
)
def test_strange_addresses_are_opaque(sink: Sink, address: str) -> None:
    sender(sink.port).send(letter(to=address))
    assert sink.taken[0].rcpt_tos == [address]


def test_addresses_of_other_scripts_go_where_the_server_can(sink: Sink) -> None:
    sender(sink.port).send(letter(to="ñandú@example.net"))
    assert sink.taken[0].rcpt_tos == ["ñandú@example.net"]
    assert "SMTPUTF8" in sink.options[0]
    with open_sink(utf8=False) as plain:
        with pytest.raises(RecipientError, match="SMTPUTF8"):
            sender(plain.port).send(letter(to="ñandú@example.net"))
        sender(plain.port).send(letter())
        assert plain.taken


@pytest.mark.parametrize(
    ("step", "answer", "error"),
    [
        ("RCPT", "550 5.1.1 <ana@example.net>: no user ana here", RecipientError),
        ("RCPT", "550 unknown", RecipientError),
        ("RCPT", "551 moved", RecipientError),
        ("RCPT", "553 5.1.3 bad address", RecipientError),
        ("RCPT", "554 5.1.0 rejected", RecipientError),
        ("RCPT", "550 5.7.1 you are on a list", OperatorError),
        ("RCPT", "554 5.7.1 relay access denied", OperatorError),
        ("RCPT", "530 authentication required", OperatorError),
        ("RCPT", "552 5.2.2 mailbox full", TransientError),
        ("RCPT", "550 5.2.2 over quota", TransientError),
        ("RCPT", "450 4.2.0 greylisted", TransientError),
        ("RCPT", "hang up", TransientError),
        ("MAIL", "550 5.7.60 not your sender", OperatorError),
        ("MAIL", "552 too much", OperatorError),
        ("MAIL", "451 4.3.0 later", TransientError),
        ("MAIL", "hang up", TransientError),
        ("DATA", "550 5.1.1 no such user", RecipientError),
        ("DATA", "554 5.7.1 looks like spam", OperatorError),
        ("DATA", "552 5.2.2 mailbox full", TransientError),
        ("DATA", "452 4.3.1 no room", TransientError),
        ("DATA", "hang up", UnknownOutcome),
        ("DATA", "199 what", UnknownOutcome),
    ],
)
def test_each_refusal_means_something_else(sink: Sink, step: str, answer: str, error: type[ChannelError]) -> None:
    sink.says[step] = answer
    with pytest.raises(error) as refused:
        sender(sink.port).send(letter())
    assert type(refused.value) is error
    assert "ana" not in str(refused.value)
    assert sink.taken == []


@pytest.mark.parametrize(
    ("answer", "provider_id"),
    [
        ("250 2.0.0 Ok: queued as 4ZxY12", "4ZxY12"),
        ("250 OK id=1tXyZ-000aB-C1", "1tXyZ-000aB-C1"),
        ("250 2.6.0 <x@y> Queued mail for delivery", "RX-7KQ4-M2PD.acknowledgement.1@example.org"),
        ("250 Ok", "RX-7KQ4-M2PD.acknowledgement.1@example.org"),
    ],
)
def test_the_servers_own_id_is_kept_where_it_gives_one(sink: Sink, answer: str, provider_id: str) -> None:
    sink.says["DATA"] = answer
    assert sender(sink.port).send(letter()).provider_id == provider_id


def test_bounces_may_go_to_the_mailbox_itself(sink: Sink) -> None:
    sender(sink.port, smtp_bounces="mailbox").send(letter())
    assert sink.taken[0].mail_from == "help@example.org"


def test_a_login_that_is_refused_is_the_operators_to_mend() -> None:
    with open_sink(login="right") as guarded:
        sender(guarded.port, smtp_user="help", smtp_password=SecretStr("right")).send(letter())
        assert guarded.taken
        for password in ("wrong", "contraseña"):
            with pytest.raises(OperatorError, match="PLAZO_EMAIL_SMTP_USER") as refused:
                sender(guarded.port, smtp_user="help", smtp_password=SecretStr(password)).send(letter())
            assert password not in str(refused.value)


def test_a_login_or_tls_that_is_not_offered_is_the_operators_to_mend(sink: Sink) -> None:
    with pytest.raises(OperatorError, match="PLAZO_EMAIL_SMTP_TLS"):
        sender(sink.port, smtp_tls="starttls").send(letter())


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"554 5.7.1 go away\r\n", OperatorError),
        (b"421 busy\r\n", TransientError),
        (b"", TransientError),
        (b"HTTP/1.1 400 Bad Request\r\n", TransientError),
    ],
)
def test_a_server_that_does_not_greet_us(greeting: bytes, error: type[ChannelError]) -> None:
    with open_refuser(greeting) as port, pytest.raises(error):
        sender(port).send(letter())


def test_nobody_there_is_tried_again() -> None:
    with pytest.raises(TransientError):
        sender(1).send(letter())
    with open_refuser(b"220 hello\r\n") as port, pytest.raises(TransientError):
        sender(port, smtp_tls="implicit").send(letter())
