"""Mails made to break something: every one is taken in, and none is believed or costs more than a webhook may."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from channels.email.automatic import Own
from channels.email.reading import Reader
from channels.letter import OutboundLetter
from channels.message import FORGED, Disposition, InboundMessage
from counterparts.inbound_parse import BOUNDARY, inbound_body
from tests.channels.email.servers import Dovecot, needs_dovecot, open_dovecot
from tests.channels.email.weighing import HOSTILE

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


# --- what is too much, in a process of its own: by Inbound Parse, and from a folder ---


@pytest.fixture(scope="module")
def folder() -> Iterator[Dovecot]:
    with open_dovecot() as opened:
        yield opened


def weighed(*arguments: str) -> dict[str, Any]:
    # Without this the allocator keeps what it once had, and the growth cannot be seen.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    command = [sys.executable, "-m", "tests.channels.email.weighing", *arguments]
    said = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60).stdout
    found: dict[str, Any] = json.loads(said)
    return found


TOO_MUCH = pytest.mark.parametrize(
    ("name", "attachments"), [("huge", 1), ("beyond", 0), ("bomb", 1), ("parts", 0), ("files", 1_000)]
)


def cheap(found: dict[str, Any], attachments: int) -> None:
    assert found["text"] == "Mi retiro no llega"
    assert found["attachments"] == attachments
    assert found["dropped"] == ([] if attachments else ["attachments"])
    assert found["mb"] < 64
    assert found["seconds"] < 2


@TOO_MUCH
def test_too_much_costs_little_by_post(name: str, attachments: int) -> None:
    cheap(weighed(name), attachments)


@needs_dovecot
@TOO_MUCH
def test_too_much_costs_little_in_a_folder(folder: Dovecot, name: str, attachments: int) -> None:
    folder.deliver(HOSTILE[name](), folder=name)
    cheap(weighed(name, str(folder.port)), attachments)


def test_a_post_that_was_cut_vouches_for_nobody() -> None:
    own = (field("envelope", '{"from": "ana@example.org"}') + field("SPF", "pass")).encode()
    headers, body = inbound_body(mail(b"From: ana@example.org", b"Hola\r\n" + own), spf="fail", dkim="none")
    cut = body[: body.index(own) + len(own)]
    found = Reader().read(headers["Content-Type"], cut, NOW, whole=False)
    assert (found.text, found.sender, found.sender_verified, found.spf) == ("Hola", "ana@example.org", False, "")
    assert found.dropped[0].what == "attachments"


# --- bad input that comes as a mail, the same by both ways ---


def by_both(eml: bytes) -> list[InboundMessage]:
    return [read(eml), Reader().read_mail(eml, NOW)]


@pytest.mark.parametrize(
    ("label", "body", "text"),
    [
        (b"iso-8859-1", "reclamación “ya”".encode("cp1252"), "reclamación “ya”"),
        (b"shift_jis", "苦情です".encode("shift_jis"), "苦情です"),
        (b"utf-8", "reclamaci\xf3n".encode("latin-1"), "reclamaci\ufffdn"),
        (b"x-nonsense; ;;", "reclamación".encode(), "reclamación"),
        (b'"', b"a\x00b", "ab"),
    ],
)
def test_every_charset_is_read_and_the_bytes_are_kept(label: bytes, body: bytes, text: str) -> None:
    eml = mail(b"From: a@example.org\r\nContent-Type: text/plain; charset=" + label, body)
    for found in by_both(eml):
        assert found.text == text
        assert body in found.raw


def test_nobody_is_believed_on_their_own_word() -> None:
    claims = (
        b"From: ana@example.org\r\nAuthentication-Results: mx; dkim=pass header.d=example.org\r\nReceived-SPF: pass"
    )
    posted = read(mail(claims), spf="fail", dkim="none", envelope_from="eva@evil.example")
    for found in (posted, Reader(trusted=("mx.example.org",)).read_mail(mail(claims), NOW)):
        assert (found.sender, found.sender_verified, found.bound) == ("ana@example.org", False, False)


@pytest.mark.parametrize(
    ("header", "disposition"),
    [
        (b"From: ana@example.org\r\nAuto-Submitted: auto-replied", Disposition.AUTO_REPLY),
        (b"From: MAILER-DAEMON@example.org", Disposition.BOUNCE),
        (b"From: help@example.org", Disposition.LOOP),
        (b"From: Ayuda <help+x@example.org>", Disposition.LOOP),
        (b"From: nobody", Disposition.UNANSWERABLE),
    ],
)
def test_machines_are_known(header: bytes, disposition: Disposition) -> None:
    reader = Reader(own=Own(("help@example.org",), "example.org"))
    headers, body = inbound_body(mail(header), envelope_from="ana@example.org")
    for found in (reader.read(headers["Content-Type"], body, NOW), reader.read_mail(mail(header), NOW)):
        assert found.disposition is disposition


@pytest.mark.parametrize(
    "subject",
    [b"a\r\n Bcc: eva@example.org", b"=?utf-8?q?a=0D=0ABcc:_eva@example.org?=", "a\u2028b".encode(), b"a\x00b"],
)
def test_a_subject_is_one_line(subject: bytes) -> None:
    for found in by_both(b"From: ana@example.org\r\nSubject: " + subject + b"\r\n\r\nHola"):
        assert found.subject.isprintable()
        assert found.recipients == ()


def test_a_display_name_makes_no_second_sender() -> None:
    for found in by_both(mail(b'From: "x\\" <eva@evil.example>, \\"" <ana@example.org>')):
        assert (found.sender, found.text) == ("ana@example.org", "Mi retiro no llega")


def test_strange_addresses_and_words_are_opaque() -> None:
    eml = mail(b'From: {{7*7}} %s <"<script>alert(1)</script>"@example.org>', b"{{7*7}} ${x} %s")
    for found in by_both(eml):
        assert found.sender == '"<script>alert(1)</script>"@example.org'
        assert found.sender_name == "{{7*7}} %s"
        assert found.text == "{{7*7}} ${x} %s"
