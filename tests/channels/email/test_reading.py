import json
import os
import time
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.automatic import Own
from channels.email.reading import Limits, Reader
from channels.message import Disposition, InboundMessage
from counterparts.inbound_parse import BOUNDARY, inbound_body
from models.errors import UnreadableMessage
from models.inquiry import Kind, Language

NOW = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)
FORM = f"multipart/form-data; boundary={BOUNDARY}"
READER = Reader(own=Own(("help@example.org", "reply@reply.example.org"), "example.org"))
MODES = pytest.mark.parametrize("mode", ["raw", "default"])


def mail(body: str = "Reclamo: no llegó mi retiro de 250 USD.", **headers: str) -> EmailMessage:
    message = EmailMessage()
    given = {
        "From": "Ana Pérez <ana@example.net>",
        "To": "help@example.org",
        "Subject": "Reclamación",
        "Message-ID": "<m1@example.net>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in given.items():
        if value:
            message[name] = value
    message.set_content(body)
    return message


def read(message: EmailMessage | bytes, **post: Any) -> InboundMessage:
    eml = message if isinstance(message, bytes) else message.as_bytes()
    headers, body = inbound_body(eml, **post)
    return READER.read(headers["Content-Type"], body, NOW)


def form(**fields: bytes) -> bytes:
    edge = f"--{BOUNDARY}"
    parts = [
        b'%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (edge.encode(), name.encode(), value)
        for name, value in fields.items()
    ]
    return b"".join(parts) + f"{edge}--\r\n".encode()


@MODES
def test_a_mail_is_read_alike_in_both_modes(mode: str) -> None:
    message = mail(
        "Hola, el retiro no ha llegado a mi cuenta.\n\nEl lun, Ayuda <help@example.org> escribió:\n> Estimada",
        In_Reply_To="<n2@example.org>",
        References="<n1@example.org> <n2@example.org>",
        Reply_To="Ana <otra@example.net>",
        Cc="Berta <berta@example.net>",
        Subject="Re: [RX-7KQ4-M2PD] Reclamación",
    )
    message.add_alternative("<p>Hola <script>alert(1)</script><b>Ana</b></p>", subtype="html")
    message.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="año 2026.pdf")
    found = read(message, mode=mode, envelope_to=["help+rx-7kq4-m2pd.abc@example.org"])
    assert found.channel == "email"
    assert found.provider_id == found.message_id == "m1@example.net"
    assert (found.sender, found.sender_name, found.sender_verified) == ("ana@example.net", "Ana Pérez", True)
    assert found.reply_to == "otra@example.net"
    assert found.recipients == ("help+rx-7kq4-m2pd.abc@example.org", "help@example.org", "berta@example.net")
    assert found.tokens == ("rx-7kq4-m2pd.abc",)
    assert found.subject == "Re: [RX-7KQ4-M2PD] Reclamación"
    assert found.subject_references == ("RX-7KQ4-M2PD",)
    assert found.text == "Hola, el retiro no ha llegado a mi cuenta."
    assert "> Estimada" in found.full_text
    assert found.html is not None
    assert "<b>Ana</b>" in found.html
    assert "alert" not in found.html
    [attachment] = found.attachments
    assert (attachment.filename, attachment.content_type) == ("año 2026.pdf", "application/pdf")
    assert attachment.content == b"%PDF-1"
    assert found.in_reply_to == "n2@example.org"
    assert found.references == ("n1@example.org", "n2@example.org")
    assert (found.disposition, found.language, found.kind) == (Disposition.MESSAGE, Language.ES, Kind.COMPLAINT)
    assert found.dropped == ()


def test_the_raw_mail_is_kept_and_named_by_its_hash() -> None:
    eml = mail(Message_ID="").as_bytes()
    found = read(eml)
    assert found.raw == eml
    assert found.provider_id == f"sha256:{found.raw_sha256}"
    assert "retiro" not in repr(found)


def test_in_default_mode_the_order_of_fields_does_not_make_another_message() -> None:
    fields = {"from": b"ana@example.net", "text": b"hola", "subject": b"x"}
    first = READER.read(FORM, form(**fields), NOW)
    second = READER.read(FORM, form(**dict(reversed(fields.items()))), NOW)
    assert first.provider_id == second.provider_id
    assert first.provider_id.startswith("sha256:")
    assert first.subject == "x"
    assert READER.read(FORM, form(**{**fields, "text": b"adios"}), NOW).provider_id != first.provider_id


def test_folded_headers_are_whole() -> None:
    found = read(b"From: a@example.net\r\nReferences: <n1@x>\r\n\t<n2@x>\r\nSubject: uno\r\n dos\r\n\r\nhola")
    assert found.references == ("n1@x", "n2@x")
    assert found.subject == "uno dos"


def test_an_endless_message_id_is_not_a_name() -> None:
    assert read(b"From: a@example.net\nMessage-ID: <" + b"x" * 5000 + b"@y>\n\nx").provider_id.startswith("sha256:")


# --- reception (reading 2) ---


@pytest.mark.parametrize(
    ("received", "believed"),
    [
        ("from x by mx1.sendgrid.net with ESMTP id 1; Fri, 27 Mar 2026 08:30:00 -0600", True),
        ("by mx1.sendgrid.net; Fri, 27 Mar 2026 14:30:00 -0000 (UTC)", True),
        ("by mx.evil.example; Fri, 27 Mar 2026 14:30:00 +0000", False),
        ("by sendgrid.net.evil.example; Fri, 27 Mar 2026 14:30:00 +0000", False),
        ("by mx1.sendgrid.net; Fri, 27 Mar 2026 15:00:01 +0000", False),
        ("by mx1.sendgrid.net; Mon, 27 Jan 2026 14:30:00 +0000", False),
        ("by mx1.sendgrid.net; yesterday", False),
        ("by mx1.sendgrid.net; Fri, 27 Mar 99999 14:30:00 +0000", False),
        ("", False),
    ],
)
def test_the_time_is_that_of_the_trusted_server_never_the_senders(received: str, believed: bool) -> None:  # noqa: FBT001 - a column of the table
    lower = "Received: by mx1.sendgrid.net; Fri, 27 Mar 2026 01:00:00 +0000\n"
    top = f"Received: {received}\n" if received else "Received: by other.example; Fri, 27 Mar 2026 14:00:00 +0000\n"
    eml = (top + lower + "Date: Sun, 1 Mar 2026 00:00:00 +0000\nFrom: a@example.net\n\nhola").encode()
    assert read(eml).received_at == (NOW - timedelta(minutes=30) if believed else NOW)


def test_the_stand_in_says_when_it_received_a_mail() -> None:
    assert read(mail(), received_at=NOW - timedelta(days=3)).received_at == NOW - timedelta(days=3)
    assert read(mail(), received_at=NOW - timedelta(days=3), mode="default").received_at == NOW


# --- who wrote it ---


@pytest.mark.parametrize(
    ("post", "verified"),
    [
        ({}, True),
        ({"spf": "fail", "dkim": "{@example.net : pass}"}, True),
        ({"spf": "fail", "dkim": "{@other.example : pass, @example.net : pass}"}, True),
        ({"spf": "pass", "dkim": "none", "envelope_from": "ana@example.net"}, True),
        ({"spf": "fail", "dkim": "none"}, False),
        ({"spf": "softfail", "dkim": "{@example.net : fail}"}, False),
        ({"spf": "pass", "dkim": "none", "envelope_from": "SRS0=x@forwarder.example"}, False),
        ({"spf": "fail", "dkim": "{@evil-example.net : pass, @net : pass, @mail.example.net : pass}"}, False),
        ({"spf": "", "dkim": "{{{"}, False),
    ],
)
def test_spf_and_dkim_vouch_for_the_senders_domain_alone(post: dict[str, str], verified: bool) -> None:  # noqa: FBT001 - a column of the table
    assert read(mail(), **post).sender_verified is verified


def test_two_senders_are_nobody_in_particular() -> None:
    assert not read(b"From: a@example.net\nFrom: b@example.net\n\nx").sender_verified
    assert not read(b"From: a@example.net, b@example.net\n\nx").sender_verified


@pytest.mark.parametrize(
    ("header", "sender", "name"),
    [
        ('"x" <eva@example.net>, "', "eva@example.net", None),
        ('"ana@example.net" <eva@example.net>', "eva@example.net", "ana@example.net"),
        ('"<script>alert(1)</script>"@example.net', '"<script>alert(1)</script>"@example.net', ""),
        ("=?utf-8?q?Ana_P=C3=A9rez?= <Ana@EXAMPLE.net>", "Ana@example.net", "Ana Pérez"),
        ("=?x-unknown?b?////?= <ana@example.net>", "ana@example.net", None),
        ("ana@example.net (Ana)", "ana@example.net", None),
        ("Ana\u2028Bcc: x <ana@example.net>", "ana@example.net", None),
        ("{{7*7}} ${x} %s <ana@example.net>", "ana@example.net", "{{7*7}} ${x} %s"),
    ],
)
def test_strange_senders_are_one_opaque_address(header: str, sender: str, name: str | None) -> None:
    found = read(b"From: " + header.encode() + b"\n\nhola")
    assert found.sender == sender
    assert name is None or found.sender_name == name


@pytest.mark.parametrize(
    "header", ["", "From: nobody\n", "From: <>\n", 'From: """""\n', "From: " + "(" * 100_000 + "\n"]
)
def test_a_mail_without_a_sender_is_for_a_person(header: str) -> None:
    found = read(f"{header}Subject: x\n\nhola".encode(), envelope_from="forwarder@example.net")
    assert (found.sender, found.disposition) == ("", Disposition.UNANSWERABLE)


def test_without_from_the_answer_goes_to_reply_to() -> None:
    found = read(b"Reply-To: ana@example.net\n\nhola", dkim="{@example.net : pass}")
    assert (found.sender, found.sender_verified) == ("ana@example.net", False)


@pytest.mark.parametrize(
    "subject",
    ["a\r\n\tBcc: eva@example.net", "a\u2028Bcc: eva@example.net", "=?utf-8?q?a=0D=0ABcc=3A_eva=00?=", "a\0b"],
)
def test_a_subject_is_one_printable_line(subject: str) -> None:
    found = read(b"From: a@example.net\r\nSubject: " + subject.encode() + b"\r\n\r\nhola")
    assert found.subject.isprintable()
    assert found.recipients == ()
    assert len(read(mail(Subject="x" * 5000)).subject) == 200


# --- charsets ---


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-8859-1", "¿Señor? ñandú"),
        ("windows-1252", "\u201cno\u201d \u2013 500 €"),
        ("shift_jis", "苦情です"),
        ("utf-16", "reclamación"),
        ("koi8-r", "жалоба"),
    ],
)
@MODES
def test_charsets_are_decoded_as_declared(charset: str, text: str, mode: str) -> None:
    eml = f"From: a@example.net\nContent-Type: text/plain; charset={charset}\n\n".encode() + text.encode(charset)
    assert read(eml, mode=mode, charset=charset).full_text == text


@pytest.mark.parametrize(
    "label", ["x-unknown", "", "hex", "idna", "punycode", "unicode_escape", "zlib", "a\0b", "é", "undefined"]
)
def test_a_broken_label_costs_no_message(label: str) -> None:
    head = b"From: a@example.net\nContent-Type: text/plain; charset=" + label.encode() + b"\n\n"
    assert read(head + "reclamación".encode()).full_text == "reclamación"
    assert read(head + "reclamación".encode("latin-1")).full_text == "reclamación"
    fields = {"from": b"a@example.net", "charsets": json.dumps({"text": label}).encode()}
    assert READER.read(FORM, form(**fields, text="reclamación".encode("latin-1")), NOW).text == "reclamación"


def test_bytes_that_do_not_fit_are_replaced_and_the_original_kept() -> None:
    eml = b"From: a@example.net\nContent-Type: text/plain; charset=utf-8\n\nreclamaci\xf3n"
    found = read(eml)
    assert found.text == "reclamaci\ufffdn"
    assert found.raw == eml


def test_what_a_database_cannot_keep_is_taken_out() -> None:
    assert read("From: a@example.net\n\nho\0la\x1b\r\nadiós\r".encode()).full_text == "hola\nadiós"


# --- what a mail carries ---


def test_a_mail_with_html_alone_has_text_too() -> None:
    message = mail()
    message.set_content("<p>Hola</p><p>No llegó</p>", subtype="html")
    assert read(message).text == "Hola\n\nNo llegó"


@MODES
def test_inline_images_bear_their_name_in_the_html(mode: str) -> None:
    message = mail()
    message.add_attachment(b"png", maintype="image", subtype="png", cid="<ii_x>", filename="../../x\u2028.png")
    [attachment] = read(message, mode=mode).attachments
    assert attachment.cid == "ii_x"
    assert "/" not in attachment.filename
    assert attachment.filename.isprintable()


def test_a_forwarded_mail_is_an_attachment_of_its_parts() -> None:
    message = mail()
    message.add_attachment(mail("dentro"))
    [attachment] = read(message).attachments
    assert attachment.content_type == "message/rfc822"
    assert b"dentro" in attachment.content


def test_broken_base64_gives_what_can_be_had() -> None:
    head = b"From: a@example.net\nContent-Type: application/pdf; name=x.pdf\nContent-Transfer-Encoding: base64\n\n"
    assert read(head + b"aG9s\nYQ").attachments[0].content == b"hola"
    assert read(head + b"aG9sY").attachments[0].content == b"hol"
    assert read(head + b"\xff\xfe!").attachments[0].content == b""


@pytest.mark.parametrize(
    "eml",
    [
        b"From: a@example.net\nContent-Type: multipart/mixed; boundary=b\n\nno parts at all, hola",
        b"From: a@example.net\nContent-Type: multipart/mixed\n\nhola",
        b"From: a@example.net\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhola\n--b\nContent-Type: a/b\n",
        b"From: a@example.net\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhola",
        b"From: a@example.net\nno header at all, hola",
        b"From: a@example.net\n\nhola",
        b"\xef\xbb\xbfFrom: a@example.net\r\rhola",
        b"hola",
    ],
)
def test_a_broken_mail_still_says_what_it_says(eml: bytes) -> None:
    assert "hola" in READER.read(FORM, form(email=eml), NOW).full_text


# --- machines ---


@pytest.mark.parametrize(
    ("headers", "post", "disposition"),
    [
        ({"Auto-Submitted": "auto-replied"}, {}, Disposition.AUTO_REPLY),
        ({"Auto-Submitted": "auto-generated; owner-email=x"}, {}, Disposition.AUTO_REPLY),
        ({"Auto-Submitted": "no"}, {}, Disposition.MESSAGE),
        ({}, {"envelope_from": ""}, Disposition.AUTO_REPLY),
        ({}, {"envelope_from": "<>"}, Disposition.AUTO_REPLY),
        ({"Return-Path": "<>"}, {}, Disposition.AUTO_REPLY),
        ({"Precedence": "bulk"}, {}, Disposition.AUTO_REPLY),
        ({"Precedence": "first-class"}, {}, Disposition.MESSAGE),
        ({"X-Autoreply": "yes"}, {}, Disposition.AUTO_REPLY),
        ({"X-Auto-Response-Suppress": "All"}, {}, Disposition.AUTO_REPLY),
        ({"X-Auto-Response-Suppress": "None"}, {}, Disposition.MESSAGE),
        ({"List-Id": "News <news.shop.example>"}, {}, Disposition.AUTO_REPLY),
        ({"List-Unsubscribe": "<mailto:x@y.example>"}, {}, Disposition.AUTO_REPLY),
        ({"List-Id": "<help.example.org>", "Precedence": "list"}, {}, Disposition.MESSAGE),
        ({"From": "No Reply <no-reply@shop.example>"}, {}, Disposition.AUTO_REPLY),
        ({"Content-Type": "multipart/report; report-type=disposition-notification"}, {}, Disposition.AUTO_REPLY),
        ({"Content-Type": "multipart/report; report-type=delivery-status; boundary=x"}, {}, Disposition.BOUNCE),
        ({"X-Failed-Recipients": "x@example.net"}, {}, Disposition.BOUNCE),
        ({"From": "MAILER-DAEMON@mx.example.net"}, {}, Disposition.BOUNCE),
        ({"From": "Help <help@example.org>"}, {}, Disposition.LOOP),
        ({"From": "HELP+token@Example.org"}, {}, Disposition.LOOP),
        ({"Message-ID": "<RX-7KQ4-M2PD.acknowledgement.1@example.org>"}, {}, Disposition.LOOP),
        ({"Message-ID": "<CAF123@example.org>"}, {}, Disposition.MESSAGE),
        ({"From": "staff@example.org"}, {}, Disposition.MESSAGE),
        ({"From": "postmasters@example.net"}, {}, Disposition.MESSAGE),
    ],
)
@MODES
def test_machines_are_recognised(
    headers: dict[str, str], post: dict[str, str], disposition: Disposition, mode: str
) -> None:
    whole = {"From": "ana@example.net", "Message-ID": "<m@example.net>", **headers}
    eml = "\n".join(f"{name}: {value}" for name, value in whole.items()).encode() + b"\n\nhola"
    found = read(eml, mode=mode, **post)
    assert found.disposition is disposition
    assert bool(found.disposition_reason) is (disposition is not Disposition.MESSAGE)


# --- too much ---

_HEAD = (
    b"From: a@example.net\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n"
    b"--b1\r\nContent-Type: text/plain\r\n\r\nHola\r\n"
)
_FILE = b"--b1\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"


def _measured(body: bytes) -> tuple[InboundMessage, float, float]:
    """The message, seconds of processor time, and MB beyond the post itself."""
    begin = time.process_time()
    READER.read(FORM, body, NOW)
    seconds = time.process_time() - begin
    tracemalloc.start()
    found = READER.read(FORM, body, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, seconds, peak / 1e6


HOSTILE = {
    "31 MB": lambda: _HEAD + _FILE + b"QUJD" * 7_750_000 + b"\r\n--b1--\r\n",
    "10,000 parts": lambda: _HEAD + (_FILE + b"QUJD\r\n") * 10_000 + b"--b1--\r\n",
    "50,000 levels": lambda: b"From: a@example.net\n" + b"Content-Type: multipart/mixed; boundary=n\n\n--n\n" * 50_000,
    "31 MB of text": lambda: b"From: a@example.net\n\n" + b"hola mundo " * 2_900_000,
    "31 MB of lines": lambda: b"From: a@example.net\n\n" + b"hola\n" * 6_200_000,
    "31 MB of headers": lambda: b"From: a@example.net\n" + b"X-A: aaa\n" * 3_400_000 + b"\nhola",
    "hostile headers": lambda: (
        b"From: a@example.net\nTo: " + b'"' * 90_000 + b"\nCc: " + b"a <" * 90_000 + b"\nSubject: " + b"=?a?q?" * 90_000
        + b"\nReferences: " + b"<" * 90_000 + b"\nReply-To: " + b"(" * 90_000 + b"\n\nhola"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_too_much_is_taken_without_attachments(name: str) -> None:
    found, seconds, megabytes = _measured(form(email=HOSTILE[name]()))
    assert found.sender == "a@example.net"
    assert found.attachments == ()
    assert name == "hostile headers" or found.dropped
    assert seconds < 2
    assert megabytes < 64


def test_a_thousand_fields_of_default_mode_are_enough() -> None:
    fields = {f"attachment{number}": b"x" for number in range(1, 3000)}
    found = READER.read(FORM, form(**{"from": b"a@example.net"}, text=b"hola", **fields), NOW)
    assert (found.text, found.attachments) == ("hola", ())
    assert found.dropped[0].what == "attachments"


def test_what_just_fits_is_taken_whole() -> None:
    found = READER.read(FORM, form(email=_HEAD + (_FILE + b"QUJD\r\n") * 900 + b"--b1--\r\n"), NOW)
    assert len(found.attachments) == 900
    assert found.dropped == ()


def test_the_limits_are_settings() -> None:
    small = Reader(limits=Limits(size=500, parts=3, text=4))
    found = small.read(FORM, form(email=_HEAD + _FILE * 2 + b"--b1--\r\n", x=b"x" * 500), NOW)
    assert [one.what for one in found.dropped] == ["attachments"]
    found = small.read(FORM, form(email=b"From: a@example.net\n\nholahola"), NOW)
    assert (found.text, found.dropped[0].what) == ("hola", "text")


# --- recorded and random posts ---


@pytest.mark.parametrize("name", ["default_data", "raw_data", "raw_data_with_attachments"])
def test_recorded_posts_are_read(name: str) -> None:
    # Not imported: that module wants packages which the wheel does not declare.
    recorded = files("sendgrid") / "helpers" / "inbound" / "sample_data" / f"{name}.txt"
    found = READER.read(FORM, recorded.read_bytes(), NOW)
    assert (found.sender, found.sender_name) == ("test@example.com", "Example User")
    assert found.text == "Hello Twilio SendGrid!"
    assert found.html is not None
    assert "<strong>Hello Twilio SendGrid!" in found.html
    assert (found.spf, found.dkim) == ("pass", "{@sendgrid.com : pass}")
    assert [one.filename for one in found.attachments] == (["SendGrid.jpg"] if "attachments" in name else [])


def _difficult() -> list[Path]:
    # Not every installation of Python carries its own tests.
    with suppress(ImportError):
        return sorted(Path(str(files("test.test_email"))).joinpath("data").glob("*.txt"))
    return []


@pytest.mark.skipif(not _difficult(), reason="this Python carries no test suite")
def test_the_difficult_mails_of_pythons_own_tests_are_read() -> None:
    for path in _difficult():
        found = READER.read(FORM, form(email=path.read_bytes()), NOW)
        assert found.raw == path.read_bytes()


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "é; ñ"]
)
def test_what_is_no_form_is_unreadable(content_type: str) -> None:
    with pytest.raises(UnreadableMessage):
        READER.read(content_type, form(email=b"x"), NOW)


@pytest.mark.parametrize("body", [b"", b"--xYzZY--\r\n", b"--xYzZY\r\n", form(other=b"x"), os.urandom(1000)])
def test_a_form_without_a_mail_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        READER.read(FORM, body, NOW)


@settings(deadline=None)
@given(st.binary(), st.text())
def test_random_posts_are_unreadable_at_worst(body: bytes, content_type: str) -> None:
    for claimed in (FORM, content_type):
        with suppress(UnreadableMessage):
            READER.read(claimed, body, NOW)


WORDS = [
    *(b"From: ", b"To: ", b"Subject: ", b"Content-Type: ", b"multipart/mixed; boundary=b", b"text/html; charset="),
    *(b"Content-Transfer-Encoding: ", b"base64", b"quoted-printable", b"utf-8", b"--b", b"--", b"\n", b"\r\n", b"\n\n"),
    *(b"a@example.net", b'"', b"(", b",", b";", b":", b"=?utf-8?b?", b"=?utf-8?q?=C3?=", b"?=", b"*0*=", b"=", b"''"),
    *(
        b"Message-ID: ",
        b"Received: by mx.sendgrid.net; ",
        b"Fri, 27 Mar 2026",
        b"Content-Disposition: ",
        b"<",
        b">",
        b"@",
    ),
    *(b"References: ", b"attachment; filename", b"\0", b"\xff", "é".encode(), b"<p>", b"</p>", b"&", b"> ", b"El lun "),
    *(b"escribi\xf3:", b"[", b" "),
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=5), max_size=60).map(b"".join))
def test_no_mail_whatever_it_holds_is_refused(eml: bytes) -> None:
    found = READER.read(FORM, form(email=eml), NOW)
    assert len(found.subject) <= 200
    assert READER.read(FORM, form(headers=eml, text=eml, envelope=eml, charsets=eml, html=eml), NOW).raw
