import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from channels.email.mailbox import Mailbox
from channels.email.sending import EmailSender
from channels.letter import OutboundLetter
from counterparts.mailroom.app import Arrangement
from counterparts.mailroom.send import Keys
from models.errors import ChannelError, OperatorError, RecipientError, TransientError, UnknownOutcome
from tests.mailrooms import Mailroom, open_mailroom

KEY = "SG.development"
MAILBOX = Mailbox("help@example.org", "Ayuda", "reply.example.org")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailroom]:
    keys = Keys(frozenset({KEY, "SG.weak"}), frozenset({"SG.weak"}))
    with open_mailroom(Arrangement(tmp_path_factory.mktemp("mailroom"), keys=keys)) as opened:
        yield opened


@pytest.fixture
def room(shared: Mailroom) -> Iterator[Mailroom]:
    yield shared
    shared.http.delete("/api/faults")


def letter(**more: Any) -> OutboundLetter:
    whole: dict[str, Any] = {
        "notice": "RX-7KQ4-M2PD/acknowledgement/1",
        "kind": "acknowledgement",
        "to": "ana@example.org",
        "subject": "Acuse de recibo: reclamación",
        "text": "Recibido",
        "html": "<p>Recibido</p>",
        "reply_token": "token",
        "message_id": "RX-7KQ4-M2PD.acknowledgement.1@example.org",
        "in_reply_to": "b@example.org",
        "references": ("a@example.org", "b@example.org"),
        "auto_submitted": "auto-replied",
        **more,
    }
    return OutboundLetter(**whole)


def sender(room: Mailroom, **more: Any) -> EmailSender:
    return EmailSender(more.pop("api_key", KEY), more.pop("mailbox", MAILBOX), room.url, **more)


def sent(room: Mailroom, notice: str) -> dict[str, Any]:
    [found] = room.letters(notice=notice)
    return found


def test_a_letter_leaves_threaded_and_untracked(room: Mailroom) -> None:
    now = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)
    accepted = sender(room, clock=lambda: now).send(letter())
    found = sent(room, letter().notice)
    assert accepted.provider_id == found["id"]
    assert accepted.at == now
    request = found["request"]
    assert request["personalizations"] == [{"to": [{"email": "ana@example.org"}]}]
    assert request["from"] == {"email": "help@example.org", "name": "Ayuda"}
    assert request["custom_args"] == {"notice": letter().notice}
    assert request["categories"] == ["acknowledgement"]
    assert request["tracking_settings"]["click_tracking"] == {"enable": False, "enable_text": False}
    assert request["tracking_settings"]["open_tracking"]["enable"] is False
    assert request["tracking_settings"]["subscription_tracking"]["enable"] is False
    mail = message_from_bytes(room.http.get(f"/letters/{found['id']}.eml").content, policy=default)
    assert mail["message-id"] == "<RX-7KQ4-M2PD.acknowledgement.1@example.org>"
    assert mail["in-reply-to"] == "<b@example.org>"
    assert mail["references"] == "<a@example.org> <b@example.org>"
    assert mail["auto-submitted"] == "auto-replied"
    assert mail["reply-to"] == "help+token@reply.example.org"
    assert mail["subject"] == "Acuse de recibo: reclamación"


def test_long_threads_keep_their_first_and_newest_references(room: Mailroom) -> None:
    references = tuple(f"{n}@example.org" for n in range(50))
    sender(room).send(letter(notice="long", references=references, in_reply_to="49@example.org"))
    given = sent(room, "long")["headers"]["References"].split()
    assert len(given) == 20
    assert (given[0], given[-1]) == ("<0@example.org>", "<49@example.org>")


def test_a_message_id_that_no_header_can_hold_costs_no_letter(room: Mailroom) -> None:
    strange = "a\x00b@example.net"
    sender(room).send(letter(notice="strange/1", in_reply_to=strange, references=("ok@example.net", strange, "ñ@x")))
    headers = sent(room, "strange/1")["headers"]
    assert "In-Reply-To" not in headers
    assert headers["References"] == "<ok@example.net>"


def test_a_plain_letter_of_a_person_needs_little(room: Mailroom) -> None:
    plain = letter(notice="plain", html=None, reply_token="", in_reply_to=None, references=(), auto_submitted="no")
    sender(room).send(plain)
    assert sent(room, "plain")["headers"] == {"Message-ID": "<RX-7KQ4-M2PD.acknowledgement.1@example.org>"}


@pytest.mark.parametrize("subject", ["a\r\nBcc: eva@example.org", "a\u2028Bcc: eva@example.org", "a\0b", "a\x85b"])
def test_a_subject_cannot_become_a_header(room: Mailroom, subject: str) -> None:
    sender(room).send(letter(notice=repr(subject), subject=subject))
    mail = message_from_bytes(room.http.get(f"/letters/{sent(room, repr(subject))['id']}.eml").content, policy=default)
    assert mail["bcc"] is None
    assert mail["to"] == "ana@example.org"


@pytest.mark.parametrize("message_id", ["bare", "<a@b>", "a@b\r\nBcc: c@d", ""])
def test_a_message_id_has_one_form(message_id: str) -> None:
    with pytest.raises(ValidationError):
        letter(message_id=message_id)


@pytest.mark.parametrize("to", ['"x" <eva@example.org>', "ana@example.org, eva@example.org", "nobody", "a@b@c.org"])
def test_an_address_that_is_none_is_the_recipients_fault(room: Mailroom, to: str) -> None:
    with pytest.raises(RecipientError) as raised:
        sender(room).send(letter(notice=to, to=to))
    assert "valid address" in raised.value.detail
    assert not room.letters(notice=to)


@pytest.mark.parametrize("api_key", ["SG.revoked", "SG.weak", "bad\nkey", "bad\u2028key"])
def test_a_wrong_key_is_the_operators_fault(room: Mailroom, api_key: str) -> None:
    with pytest.raises(OperatorError):
        sender(room, api_key=api_key).send(letter(notice=api_key))
    assert not room.letters(notice=api_key)


def test_a_wrong_sender_is_the_operators_fault(room: Mailroom) -> None:
    with pytest.raises(OperatorError, match="from email"):
        sender(room, mailbox=Mailbox("nobody", "Ayuda", "")).send(letter())


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, OperatorError),
        (401, OperatorError),
        (403, OperatorError),
        (404, OperatorError),
        (405, OperatorError),
        (408, TransientError),
        (413, OperatorError),
        (429, TransientError),
        (500, TransientError),
        (502, UnknownOutcome),
        (503, TransientError),
        (504, UnknownOutcome),
        (524, UnknownOutcome),
    ],
)
def test_each_status_has_its_class(room: Mailroom, status: int, error: type[ChannelError]) -> None:
    room.fault("status", status=status, count=1)
    with pytest.raises(error, match=str(status)) as raised:
        sender(room).send(letter())
    assert type(raised.value) is error


def test_the_providers_wish_for_the_next_try_is_kept(room: Mailroom) -> None:
    now = datetime.now(UTC)
    room.fault("status", status=429, retry_after=120, count=1)
    room.fault("status", status=503, retry_after=7, count=1)
    room.fault("status", status=503, count=1)
    mailer = sender(room, clock=lambda: now + timedelta(seconds=60))
    waits = []
    for _ in range(3):
        with pytest.raises(TransientError) as raised:
            mailer.send(letter())
        waits.append(raised.value.retry_after)
    assert waits[0] == pytest.approx(60, abs=10)
    assert waits[1:] == [7, None]


@pytest.mark.parametrize(("kind", "kept"), [("hang_up_before", 0), ("hang_up_after_accept", 1)])
def test_a_lost_answer_leaves_the_outcome_open(room: Mailroom, kind: str, kept: int) -> None:
    room.fault(kind, count=1)
    with pytest.raises(UnknownOutcome):
        sender(room).send(letter(notice=kind))
    assert len(room.letters(notice=kind)) == kept


def test_a_late_answer_leaves_the_outcome_open(room: Mailroom) -> None:
    room.fault("delay", seconds=1, count=1)
    with pytest.raises(UnknownOutcome, match="Timeout"):
        sender(room, timeout=0.2).send(letter(notice="late"))


def test_a_provider_out_of_reach_surely_took_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for host in (f"http://127.0.0.1:{port}", "http://no-such-host.invalid"):
        with pytest.raises(TransientError):
            EmailSender(KEY, MAILBOX, host, timeout=2).send(letter())


@pytest.mark.parametrize("host", ["no url", "http://exa mple.org", ""])
def test_a_host_that_is_none_is_the_operators_fault(host: str) -> None:
    with pytest.raises(OperatorError):
        EmailSender(KEY, MAILBOX, host).send(letter())


@contextmanager
def _answering(answer: bytes) -> Iterator[str]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline().strip()) != b"":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            self.rfile.read(length)
            self.wfile.write(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", OperatorError),
        (b"HTTP/1.1 400 Bad\r\nContent-Length: 4\r\n\r\n<h1>", OperatorError),
        (b'HTTP/1.1 400 Bad\r\nContent-Length: 14\r\n\r\n{"errors":[1]}', OperatorError),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n", UnknownOutcome),
        (b"nonsense\r\n\r\n", UnknownOutcome),
        (b"", UnknownOutcome),
    ],
)
def test_strange_answers_have_their_class_too(answer: bytes, error: type[ChannelError]) -> None:
    with _answering(answer) as url, pytest.raises(error):
        EmailSender(KEY, MAILBOX, url, timeout=5).send(letter())


def test_what_went_wrong_is_told_without_an_address() -> None:
    body = b'{"errors":[{"field":"personalizations.0.to","message":"we found ana@example.org twice"}]}'
    answer = b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with _answering(answer) as url, pytest.raises(RecipientError) as raised:
        EmailSender(KEY, MAILBOX, url, timeout=5).send(letter())
    assert raised.value.detail == "answered 400; personalizations.0.to: we found <address> twice"
    assert raised.value.__cause__ is None


def test_the_client_never_logs_a_letter(room: Mailroom, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    with caplog.at_level("DEBUG"):
        sender(room).send(letter(notice="quiet"))
    assert "Recibido" not in caplog.text
