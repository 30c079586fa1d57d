"""Mail read from a real server: once, in order, with its true reception, and nothing left out."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from channels.email.folder import Withheld
from channels.email.imap import CHECK_EVERY, Imap
from channels.email.reading import Limits, Reader
from channels.email.settings import EmailSettings
from channels.message import Disposition, InboundMessage
from channels.port import Batch
from channels.report import DeliveryEvent
from models.errors import OperatorError, TransientError
from tests.channels.email.servers import PASSWORD, USER, Dovecot, needs_dovecot, open_dovecot, open_refuser
from tests.waiting import until

pytestmark = needs_dovecot
EMPTY = ""


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with open_dovecot() as opened:
        yield opened


def mail(n: int, *, head: str = "", body: str = "") -> bytes:
    return (
        f"{head}From: Ana <ana@example.org>\r\nTo: help@example.org\r\nSubject: Retiro {n}\r\n"
        f"Message-ID: <m{n}@mail.example.org>\r\n\r\n{body or f'Mi retiro {n} no llega'}\r\n"
    ).encode()


def settings(server: Dovecot, folder: str, **more: Any) -> EmailSettings:
    plain: dict[str, Any] = {
        "incoming": "imap",
        "imap_host": "127.0.0.1",
        "imap_port": server.port,
        "imap_tls": "none",
        "imap_user": USER,
        "imap_password": SecretStr(PASSWORD),
        "imap_folder": folder,
        "trusted_servers": "mx.example.org",
    }
    return EmailSettings(**{**plain, **more})


class House:
    """Stores what a feed brings as the house does: a message once, the cursor after what came with it."""

    def __init__(self, configured: EmailSettings, **more: Any) -> None:
        self.configured, self.more = configured, more
        self.messages: list[InboundMessage] = []
        self.late: list[str] = []
        self.cursor = EMPTY
        self.now = datetime.now(UTC)
        self.restart()

    def restart(self) -> None:
        reader = Reader(trusted=self.configured.trusted_servers, limits=self.more.get("limits", Limits()))
        self.feed = Imap(self.configured, reader, lambda _: (), lambda: self.now)

    def known(self, provider_id: str) -> bool:
        return any(one.provider_id == provider_id for one in self.messages)

    def look(self) -> Batch:
        batch = self.feed.look(self.cursor, self.known, self.now)
        fresh = [one for one in batch.arrivals.messages if not self.known(one.provider_id)]
        self.messages += fresh
        self.late += [one.subject for one in fresh] if batch.late else []
        self.cursor = batch.cursor
        return batch

    def drain(self) -> None:
        while self.look().more:
            pass

    @property
    def subjects(self) -> list[str]:
        return [one.subject for one in self.messages]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks wait briefly for news."""
    monkeypatch.setattr("channels.email.imap.IDLE_SECONDS", 0.2)
    monkeypatch.setattr("channels.email.folder._SLICE", 0.1)


@pytest.fixture
def house(server: Dovecot, request: pytest.FixtureRequest) -> Iterator[House]:
    made = House(settings(server, request.node.name.partition("[")[0]))
    with server.client(made.configured.imap_folder):
        yield made
    made.feed.close()


def deliver(server: Dovecot, house: House, *mails: bytes, at: datetime | None = None) -> None:
    server.deliver(*mails, folder=house.configured.imap_folder, at=at)


@pytest.mark.usefixtures("quick")
def test_every_mail_comes_once_in_order_and_unmarked(server: Dovecot, house: House) -> None:
    deliver(server, house, *(mail(n) for n in range(120)))
    house.drain()
    deliver(server, house, mail(120))
    house.drain()
    assert house.subjects == [f"Retiro {n}" for n in range(121)]
    with server.client(house.configured.imap_folder) as client:
        assert client.search("UNSEEN") == list(range(1, 122))


@pytest.mark.usefixtures("quick")
def test_a_restart_goes_on_at_the_watermark(server: Dovecot, house: House) -> None:
    deliver(server, house, mail(1), mail(2))
    house.drain()
    house.feed.close()
    deliver(server, house, mail(3))
    house.restart()
    assert [one.subject for one in house.look().arrivals.messages] == ["Retiro 3"]
    assert house.subjects == ["Retiro 1", "Retiro 2", "Retiro 3"]


def test_a_look_whose_cursor_was_lost_brings_the_same_again(server: Dovecot, house: House) -> None:
    deliver(server, house, mail(1), mail(2).replace(b"Message-ID", b"X-Other"))
    first = [one.provider_id for one in house.look().arrivals.messages]
    house.cursor = EMPTY
    assert [one.provider_id for one in house.look().arrivals.messages] == first
    assert len(house.messages) == 2


def test_idle_brings_a_new_mail(server: Dovecot, house: House) -> None:
    looking = threading.Thread(target=house.look)
    began = time.monotonic()
    looking.start()
    until(lambda: _idles(house), "the feed idles")
    deliver(server, house, mail(1))
    looking.join(15)
    assert house.subjects == ["Retiro 1"]
    assert time.monotonic() - began < 15


def _idles(house: House) -> bool:
    client = house.feed._folder._client
    return client is not None and bool(client._idle_tag)


def test_a_wait_ends_when_the_feed_is_closed(house: House) -> None:
    looking = threading.Thread(target=house.look)
    looking.start()
    until(lambda: _idles(house), "the feed idles")
    began = time.monotonic()
    house.feed.close()
    looking.join(10)
    assert not looking.is_alive()
    assert time.monotonic() - began < 5
    assert house.feed._folder._client is None


def test_a_server_that_goes_away_while_we_idle_is_noticed() -> None:
    with open_dovecot() as going:
        house = House(settings(going, "INBOX"))
        errors: list[Exception] = []

        def look() -> None:
            try:
                house.look()
            except TransientError as error:
                errors.append(error)

        looking = threading.Thread(target=look)
        looking.start()
        until(lambda: _idles(house), "the feed idles")
    looking.join(15)
    assert errors
    assert house.feed._folder._client is None


@pytest.mark.usefixtures("quick")
def test_a_server_without_idle_is_asked_again_and_again() -> None:
    with open_dovecot(capability="imap_capability = IMAP4rev1 UIDPLUS MOVE") as plain:
        house = House(settings(plain, "INBOX"))
        assert not house.look().more
        plain.deliver(mail(1))
        house.drain()
        assert house.subjects == ["Retiro 1"]
        assert not house.feed._folder._client.has_capability("IDLE")
        house.feed.close()


@pytest.mark.usefixtures("quick")
def test_uids_given_out_anew_bring_all_again_and_nothing_twice(server: Dovecot, house: House) -> None:
    folder = house.configured.imap_folder
    deliver(server, house, mail(1), mail(2))
    house.drain()
    with server.client() as client:
        client.delete_folder(folder)
        client.create_folder(folder)
    deliver(server, house, mail(1), mail(3), mail(2))
    house.drain()
    assert house.subjects == ["Retiro 1", "Retiro 2", "Retiro 3"]


@pytest.mark.usefixtures("quick")
def test_a_mail_that_the_watermark_passed_over_is_found_with_its_true_reception(server: Dovecot, house: House) -> None:
    arrived = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
    deliver(server, house, mail(1), mail(2), mail(3), at=arrived)
    house.drain()
    lost = house.messages.pop(1)
    house.drain()
    assert house.subjects == ["Retiro 1", "Retiro 3"]
    house.now += CHECK_EVERY
    house.drain()
    assert house.late == [lost.subject]
    assert house.messages[-1].received_at == arrived


@pytest.mark.usefixtures("quick")
def test_a_check_can_be_asked_for_and_tells_mails_without_a_name_apart(server: Dovecot, house: House) -> None:
    nameless = [mail(n).replace(b"Message-ID", b"X-Other") for n in range(4)]
    deliver(server, house, *nameless)
    house.drain()
    del house.messages[2]
    house.feed.reconcile()
    house.drain()
    assert house.late == ["Retiro 2"]
    house.feed.reconcile()
    house.drain()
    assert house.late == ["Retiro 2"]


@pytest.mark.usefixtures("quick")
def test_a_long_check_goes_on_after_a_restart(server: Dovecot, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.email.imap._CHECKED_AT_ONCE", 2)
    deliver(server, house, *(mail(n) for n in range(5)))
    house.drain()
    del house.messages[4]
    house.feed.reconcile()
    house.look()
    assert not house.late
    house.feed.close()
    house.restart()
    house.drain()
    assert house.late == ["Retiro 4"]
    assert json.loads(house.cursor)["check"] == 0


@pytest.mark.usefixtures("quick")
def test_what_is_stored_is_moved_when_the_operator_wants_it_and_nothing_else(server: Dovecot) -> None:
    house = House(settings(server, "Entrada", imap_done="Leídos"))
    server.deliver(mail(1), mail(2), mail(3).replace(b"Message-ID", b"X-Other"), folder="Entrada")
    taken = house.look()
    with server.client("Entrada") as client:
        assert len(client.search()) == 3, "nothing moves before it is stored"
    assert taken.more
    lost = house.messages.pop(1)
    house.drain()
    assert house.late == [lost.subject]
    server.deliver(mail(4), folder="Entrada")
    house.drain()
    assert house.subjects == ["Retiro 1", "Retiro 3", "Retiro 2", "Retiro 4"]
    with server.client("Entrada") as client:
        assert client.search() == []
    with server.client("Leídos") as client:
        assert len(client.search()) == 4
    house.feed.close()


@pytest.mark.usefixtures("quick")
def test_old_mail_is_left_alone_when_the_operator_says_so(server: Dovecot) -> None:
    today = datetime.now(UTC)
    house = House(settings(server, "Viejo", imap_since=today.date()))
    server.deliver(mail(1), folder="Viejo", at=today - timedelta(days=9))
    server.deliver(mail(2), folder="Viejo", at=today)
    house.drain()
    assert house.subjects == ["Retiro 2"]
    house.feed.close()


@pytest.mark.usefixtures("quick")
def test_a_mail_over_the_limit_comes_without_its_files(server: Dovecot) -> None:
    house = House(settings(server, "Grande"), limits=Limits(size=10_000))
    big = (
        b"From: ana@example.org\r\nMessage-ID: <big@example.org>\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n"
        b"--b1\r\nContent-Type: text/plain\r\n\r\nMi retiro no llega\r\n"
        b"--b1\r\nContent-Type: application/pdf; name=x.pdf\r\n\r\n" + b"x" * 200_000 + b"\r\n--b1--\r\n"
    )
    server.deliver(big, mail(2), folder="Grande")
    house.drain()
    first, second = house.messages
    assert (first.text, first.attachments) == ("Mi retiro no llega", ())
    assert first.dropped[0].what == "attachments"
    assert len(first.raw) == 10_000
    assert (second.text, second.dropped) == ("Mi retiro 2 no llega", ())
    house.feed.close()


def test_a_mail_withheld_by_the_server_does_not_hold_up_the_others(
    server: Dovecot, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(server, house, mail(1), mail(2), mail(3))
    fetch = house.feed._folder.mail
    withheld = {2}

    def mail_of(uid: int, limit: int) -> Any:
        if uid in withheld:
            raise Withheld("not now")
        return fetch(uid, limit)

    monkeypatch.setattr(house.feed._folder, "mail", mail_of)
    with pytest.raises(TransientError):
        house.look()
    house.look()
    assert house.subjects == ["Retiro 1", "Retiro 3"]
    withheld.clear()
    house.feed.reconcile()
    house.look()
    assert house.late == ["Retiro 2"]


# --- what our own server says of a mail ---


@pytest.mark.usefixtures("quick")
def test_reception_and_sender_are_our_servers_word(server: Dovecot, house: House) -> None:
    arrived = datetime.now(UTC).replace(microsecond=0)
    earlier = arrived - timedelta(minutes=3)
    trusted = f"Received: from x by mx.example.org with ESMTP; {earlier:%a, %d %b %Y %H:%M:%S} +0000\r\n"
    strange = trusted.replace("mx.example.org", "mx.example.net")
    word = "Authentication-Results: mx.example.org; dkim=pass header.d=example.org\r\n"
    word += "Delivered-To: help+x.y@example.org\r\n"
    deliver(server, house, mail(1, head=word + trusted), mail(2, head=strange), at=arrived)
    house.now = arrived + timedelta(seconds=1)
    house.drain()
    house.now = arrived - timedelta(days=1)
    deliver(server, house, mail(3), at=arrived)
    house.drain()
    one, two, three = house.messages
    assert (one.received_at, two.received_at) == (earlier, arrived)
    assert three.received_at == house.now, "never later than now"
    assert (one.sender_verified, two.sender_verified) == (True, False)
    assert one.tokens == ("x.y",)
    assert one.recipients[0] == "help+x.y@example.org"


# --- what goes wrong ---


def test_a_refused_login_is_the_operators_to_mend(server: Dovecot) -> None:
    house = House(settings(server, "INBOX", imap_password=SecretStr("wrong")))
    with pytest.raises(OperatorError, match="PLAZO_EMAIL_IMAP_USER") as refused:
        house.look()
    assert "wrong" not in str(refused.value)
    assert USER not in str(refused.value)


def test_a_folder_that_is_not_there_is_the_operators_to_mend(server: Dovecot) -> None:
    with pytest.raises(OperatorError, match="PLAZO_EMAIL_IMAP_FOLDER"):
        House(settings(server, "Nowhere")).look()


def test_a_token_is_shown_as_such_and_read_anew_from_its_file(server: Dovecot, tmp_path: Path) -> None:
    file = tmp_path / "token"
    house = House(settings(server, "INBOX", imap_password=None, imap_token_file=file))
    with pytest.raises(OperatorError, match="IMAP_TOKEN_FILE"):
        house.look()
    file.write_text("stale")
    with pytest.raises(OperatorError, match="refuses the login"):
        house.look()


def test_nobody_there_or_nobody_well_is_tried_again(server: Dovecot) -> None:
    with pytest.raises(TransientError):
        House(settings(server, "INBOX", imap_port=1)).look()
    for greeting in (b"* BYE busy\r\n", b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"):
        with open_refuser(greeting) as port, pytest.raises(TransientError):
            House(settings(server, "INBOX", imap_port=port)).look()


def test_tls_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = tmp_path / "server.pem"
    _certify(certificate)
    with open_dovecot(certificate=certificate) as server:
        for tls, port in (("implicit", server.tls_port), ("starttls", server.port)):
            house = House(settings(server, "INBOX", imap_host="localhost", imap_port=port, imap_tls=tls))
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
            with pytest.raises(OperatorError, match="certificate"):
                house.look()
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            server.deliver(mail(1))
            house.look()
            assert "Retiro 1" in house.subjects
            house.feed.close()


def test_tls_that_the_server_does_not_offer_is_the_operators_to_mend(server: Dovecot) -> None:
    with pytest.raises(OperatorError, match="PLAZO_EMAIL_IMAP_TLS"):
        House(settings(server, "INBOX", imap_tls="starttls")).look()


def _certify(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )


@pytest.mark.usefixtures("quick")
def test_a_mail_that_reading_fails_on_is_kept_and_holds_up_no_other(
    server: Dovecot, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Reader.read_mail

    def failing(reader: Reader, mail: bytes, *rest: Any, **more: Any) -> InboundMessage:
        if b"Subject: Retiro 1" in mail:
            raise RecursionError
        return whole(reader, mail, *rest, **more)

    monkeypatch.setattr(Reader, "read_mail", failing)
    deliver(server, house, *(mail(n) for n in range(3)))
    house.drain()
    assert house.subjects == ["Retiro 0", "", "Retiro 2"]
    kept = house.messages[1]
    assert kept.disposition is Disposition.UNANSWERABLE
    assert kept.provider_id == f"sha256:{kept.raw_sha256}"
    assert b"Subject: Retiro 1" in kept.raw
    house.feed.reconcile()
    house.drain()
    assert (len(house.messages), house.late) == (3, [])


@pytest.mark.usefixtures("quick")
def test_a_mail_whose_report_cannot_be_read_comes_all_the_same(server: Dovecot, house: House) -> None:
    def failing(_: InboundMessage) -> tuple[DeliveryEvent, ...]:
        raise RecursionError

    house.feed._reports = failing
    deliver(server, house, mail(0))
    house.drain()
    assert house.subjects == ["Retiro 0"]
