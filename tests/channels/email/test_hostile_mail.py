"""Mails made to break something: every one is taken in, and none is believed or costs more than a webhook may."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from channels.email.reading import Reader
from channels.letter import OutboundLetter
from channels.message import FORGED, InboundMessage
from counterparts.inbound_parse import BOUNDARY, inbound_body

NOW = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)
EDGE = f"--{BOUNDARY}"
MODES = pytest.mark.parametrize("mode", ["raw", "default"])


def mail(headers: bytes, body: bytes = b"Mi retiro no llega") -> bytes:
    return b"To: help@example.org\r\nSubject: Retiro\r\n" + headers + b"\r\n\r\n" + body


def read(eml: bytes, **post: str) -> InboundMessage:
    headers, body = inbound_body(eml, **post)  # type: ignore[arg-type]
    return Reader().read(headers["Content-Type"], body, NOW)


def field(name: str, value: str) -> str:
    return f'{EDGE}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


@pytest.mark.parametrize(
    "header",
    [
        b"From: =?ascii?q?=FF?=@example.org",
        b"From: =?utf-7?q?+2AA-?=@example.org",
        b'From: "=?utf-7?q?+2AA-?=" <ana@example.org>',
        b"From: \xff\xfe@example.org",
        b"From: a\x00b@example.org",
        b"From: ana@example.org\r\nMessage-ID: <a\x00b@example.org>",
        b"From: ana@example.org\r\nMessage-ID: <\xff\xfe@example.org>\r\nIn-Reply-To: <\x01@example.org>",
    ],
)
def test_whatever_a_header_holds_the_database_can_keep_the_message(header: bytes) -> None:
    found = read(mail(header))
    kept = [found.sender, found.sender_name, found.provider_id, found.message_id, found.in_reply_to, *found.references]
    text = "".join(kept)
    assert text.encode()
    assert text.isprintable()


def test_a_mail_with_thousands_of_references_has_its_first_and_newest() -> None:
    lines = b"".join(
        b"References: " + b" ".join(b"<%d.%d@x>" % (line, n) for n in range(300)) + b"\r\n" for line in range(40)
    )
    found = read(mail(lines + b"From: ana@example.org")).references
    assert len(found) == 20
    assert (found[0], found[-1]) == ("0.0@x", "39.299@x")


def test_a_mail_to_thousands_of_our_addresses_has_few_tokens() -> None:
    many = b", ".join(b"help+%d@example.org" % n for n in range(300))
    assert 0 < len(read(mail(b"From: ana@example.org\r\nCc: " + many)).tokens) <= 20


@pytest.mark.parametrize(
    "eml",
    [
        mail(b'From: a@example.org\r\nContent-Type: multipart/mixed; boundary="-"', b"-" * 3_000_000),
        mail(b'From: a@example.org\r\nContent-Type: multipart/mixed; boundary="-"', b"---x\n" * 600_000),
        mail(b"\r\n".join(name + b": " + b"a@b," * 1000 for name in (b"From", b"Cc", b"Reply-To") for _ in range(60))),
    ],
    ids=["one long line of delimiters", "lines that begin like one", "thousands of addresses"],
)
def test_a_mail_made_to_be_slow_is_read_in_seconds(eml: bytes) -> None:
    began = time.process_time()
    read(eml)
    assert time.process_time() - began < 5


@MODES
def test_a_mail_that_spells_out_the_providers_fields_vouches_for_nobody(mode: str) -> None:
    own = field("SPF", "pass") + field("dkim", "{@example.org : pass}")
    found = read(mail(b"From: ana@example.org", f"Hola\r\n{own}{EDGE}--\r\n".encode()), mode=mode, spf="fail", dkim="")
    assert not found.sender_verified
    assert (found.spf, found.dkim) == (FORGED, FORGED)


def test_a_mail_that_ends_the_providers_form_vouches_for_nobody() -> None:
    ended = f"Hola\r\n{field('SPF', 'pass')}{EDGE}--\r\n".encode()
    found = read(mail(b"From: ana@example.org", ended), dkim="none", spf="fail")
    assert not found.sender_verified


def test_a_mail_inside_a_mail_taken_apart_tells_no_time() -> None:
    date = f"{NOW - timedelta(days=9):%a, %d %b %Y %H:%M:%S} +0000"
    early = f"Received: by mx.sendgrid.net; {date}\r\nFrom: a@example.org"
    own = field("email", f"{early}\r\n\r\nhi")
    found = read(mail(b"From: ana@example.org", f"Hola\r\n{own}".encode()), mode="default")
    assert found.received_at == NOW
    assert not found.sender_verified


def test_an_honest_mail_is_believed() -> None:
    assert read(mail(b"From: ana@example.org")).sender_verified


def test_what_does_not_fit_a_letter_is_told_without_its_words() -> None:
    with pytest.raises(ValidationError) as refused:
        OutboundLetter.model_validate({"notice": "n", "kind": "reply", "to": "ana@example.org" * 99, "text": "secret"})
    assert "ana@" not in str(refused.value)
    assert "secret" not in str(refused.value)
