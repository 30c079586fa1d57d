"""Whose word is believed of a mail that our own server put into the folder (RFC 8601)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.headers import Headers
from channels.email.reading import Reader
from channels.email.vouching import word_of
from channels.message import Disposition

NOW = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)
READER = Reader(trusted=("mx.example.org",))
OURS = "mx.example.org; "


def verified(results: str, sender: str = "ana@example.net") -> bool:
    eml = f"Authentication-Results: {results}\r\nFrom: {sender}\r\nSubject: x\r\n\r\nHola".encode()
    return READER.read_mail(eml, NOW).sender_verified


@pytest.mark.parametrize(
    ("results", "believed"),
    [
        (OURS + "dkim=pass header.d=example.net", True),
        (OURS + "dkim=pass (2048-bit key) header.i=@example.net header.b=abc", True),
        (OURS + "spf=pass smtp.mailfrom=bounces@example.net", True),
        (OURS + "spf=pass (mx: domain of ana@example.net designates 192.0.2.1) smtp.mailfrom=example.net", True),
        (OURS + "dmarc=pass (p=NONE) header.from=example.net", True),
        (OURS + "dkim=fail header.d=example.com;\r\n spf=pass smtp.mailfrom=ana@example.net", True),
        ("mx.example.org 1; DKIM = PASS header.d = example.net", True),
        ("in.mx.example.org; dkim=pass header.d=example.net", True),
        (OURS + "dkim=pass header.d=net", False),
        (OURS + "dkim=pass header.d=other.example", False),
        (OURS + "dkim=pass header.d=sub.example.net", False),
        (OURS + "dkim=pass header.s=x", False),
        (OURS + "dkim=fail header.d=example.net; spf=softfail smtp.mailfrom=ana@example.net", False),
        (OURS + "spf=pass smtp.helo=example.net", False),
        (OURS + "none", False),
        (OURS + "x-dkim=pass header.d=example.net", False),
        ("mx.example.net; dkim=pass header.d=example.net", False),
        ("mx.example.org.example.net; dkim=pass header.d=example.net", False),
        ("dkim=pass header.d=example.net", False),
        ("", False),
        # what a sender can choose: names in quotes, comments, and much of everything
        (OURS + 'spf=fail smtp.mailfrom="; dkim=pass header.d=example.net;"@evil.example', False),
        (OURS + "spf=fail (; dkim=pass header.d=example.net;) smtp.mailfrom=x@evil.example", False),
        (OURS + 'spf=fail (" ) smtp.mailfrom="(; dkim=pass header.d=example.net', False),
        (OURS + "spf=fail smtp.mailfrom=evil.example (\\); dkim=pass header.d=example.net)", False),
        ('"mx.example.org; dkim=pass header.d=example.net"; none', False),
        (OURS + "dkim=fail header.d=evil.example; " * 60 + "dkim=pass header.d=example.net", False),
    ],
)
def test_only_our_servers_word_for_the_senders_domain_counts(results: str, believed: bool) -> None:  # noqa: FBT001 - a column of the table
    assert verified(results) is believed


def test_only_the_topmost_word_counts() -> None:
    forged = b"Authentication-Results: mx.example.org; dkim=pass header.d=example.net\r\n"
    ours = b"Authentication-Results: mx.example.org; dkim=none\r\n"
    rest = b"From: ana@example.net\r\n\r\nHola"
    assert not READER.read_mail(ours + forged + rest, NOW).sender_verified
    assert READER.read_mail(forged + rest, NOW).sender_verified
    assert not Reader(trusted=()).read_mail(forged + rest, NOW).sender_verified


def test_two_senders_are_nobody() -> None:
    assert not verified(OURS + "dkim=pass header.d=example.net", "ana@example.net, eva@example.net")


def test_an_empty_return_path_is_an_automatic_mail() -> None:
    eml = b"Return-Path: <>\r\nFrom: ana@example.net\r\n\r\nHola"
    assert READER.read_mail(eml, NOW).disposition is Disposition.AUTO_REPLY


@given(st.text(max_size=300))
def test_no_header_breaks_it(results: str) -> None:
    line = f"Authentication-Results: {OURS}{results}\r\n".encode("utf-8", "replace")
    word_of(Headers(line + b"From: a@example.net\r\n"), ("mx.example.org",))


@given(st.binary(max_size=400))
def test_no_mail_breaks_the_reader(mail: bytes) -> None:
    assert READER.read_mail(mail, NOW).received_at <= NOW
