"""Letters that come back as mail, by Inbound Parse and from a folder; and those that only pretend to."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.bounces import bounce_address, read_bounce
from channels.email.reading import Reader
from channels.message import Disposition
from channels.report import Delivery, DeliveryEvent
from channels.tokens import read_token
from counterparts.inbound_parse import inbound_body

NOW = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)
SECRET = b"reply secret"
NOTICE = "RX-7KQ4-M2PD/acknowledgement/1"
OURS = "RX-7KQ4-M2PD.acknowledgement.1@example.org"
VERP = bounce_address(SECRET, "help@reply.example.org", NOTICE)


def dsn(**more: Any) -> bytes:
    """A delivery status notification as Postfix writes it."""
    plain = {
        "to": VERP,
        "action": "failed",
        "status": "5.1.1",
        "said": "smtp; 550 5.1.1 <ana@example.net>: user ana unknown",
        "returned": f"Message-ID: <{OURS}>\r\nSubject: Acuse\r\nTo: ana@example.net",
        "kind": "text/rfc822-headers",
    }
    one = {**plain, **more}
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.net (Mail Delivery System)\r\n"
        f"To: {one['to']}\r\nSubject: Undelivered Mail Returned to Sender\r\nMessage-ID: <dsn1@mx.example.net>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b1\r\n\r\n"
        "--b1\r\nContent-Type: text/plain\r\n\r\nI could not deliver it.\r\n"
        "--b1\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.net\r\nArrival-Date: Fri, 27 Mar 2026 14:59:00 +0000\r\n\r\n"
        f"Final-Recipient: rfc822; ana@example.net\r\nAction: {one['action']}\r\nStatus: {one['status']}\r\n"
        f"Diagnostic-Code: {one['said']}\r\n\r\n"
        f"--b1\r\nContent-Type: {one['kind']}\r\n\r\n{one['returned']}\r\n\r\n--b1--\r\n"
    ).encode()


def read(eml: bytes, mode: str = "imap") -> tuple[DeliveryEvent, ...]:
    if mode == "imap":
        message = Reader().read_mail(eml, NOW)
    else:
        headers, body = inbound_body(eml, mode=mode)  # type: ignore[arg-type]
        message = Reader().read(headers["Content-Type"], body, NOW)
    return read_bounce(message, SECRET)


@pytest.mark.parametrize("mode", ["imap", "raw"])
def test_a_bounce_tells_which_letter_came_back_and_is_a_message_of_its_own(mode: str) -> None:
    [event] = read(dsn(), mode)
    assert (event.notice, event.message_id) == (NOTICE, OURS)
    assert (event.kind, event.hard, event.at) == (Delivery.BOUNCE, True, NOW)
    assert event.reason == "5.1.1 550 5.1.1 <address>: user <address> unknown"
    assert read(dsn(), mode)[0].event_id == event.event_id
    assert Reader().read_mail(dsn(), NOW).disposition is Disposition.BOUNCE


@pytest.mark.parametrize(
    ("action", "status", "kind", "hard"),
    [
        ("failed", "5.1.1", Delivery.BOUNCE, True),
        ("Failed", "5.4.4 (no such host)", Delivery.BOUNCE, True),
        ("failed", "4.4.7", Delivery.BOUNCE, False),
        ("failed", "5.2.2", Delivery.BOUNCE, False),
        ("failed", "5.7.1", Delivery.BOUNCE, False),
        ("failed", "nonsense", Delivery.BOUNCE, False),
        ("delayed", "4.4.1", Delivery.DEFERRED, False),
        ("delivered", "2.1.5", Delivery.DELIVERED, False),
        ("relayed", "2.0.0", Delivery.DELIVERED, False),
    ],
)
def test_action_and_status_tell_what_became_of_it(action: str, status: str, kind: Delivery, hard: bool) -> None:  # noqa: FBT001 - a column of the table
    [event] = read(dsn(action=action, status=status))
    assert (event.kind, event.hard) == (kind, hard)


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers", "message/global-headers"])
def test_the_message_id_is_enough(kind: str) -> None:
    [event] = read(dsn(to="help@example.org", kind=kind, returned=f"Message-Id:\r\n <{OURS}>\r\n\r\nHola"))
    assert (event.notice, event.message_id) == ("", OURS)


def test_the_token_is_enough() -> None:
    [event] = read(dsn(returned=""))
    assert (event.notice, event.message_id) == (NOTICE, "")
    assert read(dsn(returned="", to=VERP.upper()))[0].notice == NOTICE


def test_what_names_no_letter_of_ours_tells_nothing() -> None:
    local, _, domain = VERP.rpartition("@")
    other = bounce_address(b"other secret", "help@reply.example.org", NOTICE)
    for to in ("help@example.org", f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}", other):
        assert read(dsn(to=to, returned="")) == ()
    [stranger] = read(dsn(to="help@example.org", returned="Message-ID: <x@example.com>"))
    assert (stranger.notice, stranger.message_id) == ("", "x@example.com")


def test_other_mails_tell_nothing() -> None:
    assert read(dsn(action="expanded")) == ()
    receipt = dsn().replace(b"report-type=delivery-status", b"report-type=disposition-notification")
    assert read(receipt.replace(b"MAILER-DAEMON", b"ana")) == ()
    person = f"From: ana@example.net\r\nTo: {VERP}\r\n\r\nHola".encode()
    assert read(person) == ()


def test_an_address_for_bounces_is_no_token_of_an_inquiry_and_no_longer_than_allowed() -> None:
    token = VERP.partition("+")[2].partition("@")[0]
    assert not (read_token(SECRET, token) or "").startswith("RX-")
    assert bounce_address(SECRET, "help@example.org", "RX-7KQ4-M2PD/" + "x" * 40) == "help@example.org"
    assert bounce_address(SECRET, "help@example.org", "RX-7KQ4-M2PD/Odd.Key/1") == "help@example.org"
    assert len(VERP.partition("@")[0]) <= 64


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_bounce_breaks_the_reader(status: bytes, returned: bytes) -> None:
    eml = (
        dsn().replace(b"Action: failed", b"Action: failed\r\n" + status).replace(b"Message-ID: <RX", returned + b"<RX")
    )
    for event in read(eml):
        assert event.kind in Delivery
