"""Real mail servers on free loopback ports: Debian's dovecot to read from, an SMTP sink that can be told to refuse."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from imapclient import IMAPClient  # type: ignore[import-untyped]

from tests.waiting import until

DOVECOT = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
needs_dovecot = pytest.mark.skipif(
    DOVECOT is None, reason="dovecot is not installed (Debian: apt-get install dovecot-imapd)"
)
USER, PASSWORD = "help@example.org", "mailbox-secret"
_NOBODY = 65534


@dataclass(frozen=True)
class Dovecot:
    """A running server; what a person does in the mailbox is done with `client`."""

    port: int
    tls_port: int

    @contextmanager
    def client(self, folder: str = "INBOX") -> Iterator[Any]:
        with IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10) as client:
            client.login(USER, PASSWORD)
            if not client.folder_exists(folder):
                client.create_folder(folder)
            client.select_folder(folder)
            yield client

    def deliver(self, *mails: bytes, folder: str = "INBOX", at: datetime | None = None) -> None:
        with self.client(folder) as client:
            for mail in mails:
                client.append(folder, mail, msg_time=at or datetime.now(UTC))


@contextmanager
def open_dovecot(*, capability: str = "", certificate: Path | None = None) -> Iterator[Dovecot]:
    # Its own short folder: the server's processes have users of their own, and names of sockets may not be long.
    home = Path(tempfile.mkdtemp(prefix="dovecot-"))
    home.chmod(0o755)
    root = os.geteuid() == 0
    uid, gid = (_NOBODY, _NOBODY) if root else (os.getuid(), os.getgid())
    (home / "mail").mkdir()
    os.chown(home / "mail", uid, gid)
    port, tls_port = _free_port(), _free_port()
    me = "" if root else f"default_internal_user = {uid}\ndefault_login_user = {uid}\ndefault_internal_group = {gid}\n"
    tls = f"ssl_cert = <{certificate}\nssl_key = <{certificate}\n" if certificate else ""
    (home / "dovecot.conf").write_text(
        f"base_dir = {home}/run\nstate_dir = {home}/state\nlog_path = {home}/log\nlisten = 127.0.0.1\n"
        f"protocols = imap\nssl = {'yes' if certificate else 'no'}\n{tls}disable_plaintext_auth = no\n{me}"
        f"mail_location = maildir:{home}/mail/%u\nmail_home = {home}/mail/%u\nfirst_valid_uid = 1\n"
        f"passdb {{\n driver = static\n args = password={PASSWORD}\n}}\n"
        f"userdb {{\n driver = static\n args = uid={uid} gid={gid}\n}}\n"
        f"service imap-login {{\n chroot =\n inet_listener imap {{\n port = {port}\n }}\n"
        f" inet_listener imaps {{\n port = {tls_port if certificate else 0}\n }}\n}}\n"
        # Refused logins are made on purpose here: nobody waits for the next one.
        "auth_failure_delay = 0\n"
        f"service anvil {{\n chroot =\n unix_listener anvil-auth-penalty {{\n mode = 0\n }}\n}}\n{capability}\n"
    )
    process = subprocess.Popen(
        [str(DOVECOT), "-F", "-c", str(home / "dovecot.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: process.poll() is not None or _answers(port), "dovecot is up")
        assert process.poll() is None, (home / "log").read_text()
        yield Dovecot(port, tls_port)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(home, ignore_errors=True)


@dataclass
class Sink:
    """Takes mail and keeps it. `says` holds the answer to `MAIL`, `RCPT` or `DATA`; `hang up` ends the connection."""

    port: int = 0
    taken: list[Envelope] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)
    says: dict[str, str] = field(default_factory=dict)

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from, envelope.mail_options = address, options
        self.options.append(options)
        return self._answer(server, "MAIL")

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self._answer(server, "RCPT")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self._answer(server, "DATA")
        if answer.startswith("2"):
            self.taken.append(envelope)
        return answer

    def _answer(self, server: SMTP, step: str) -> str:
        answer = self.says.get(step, "250 2.0.0 Ok: queued as 4F5A9C01D2" if step == "DATA" else "250 2.1.0 Ok")
        if answer == "hang up":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return answer


@contextmanager
def open_sink(*, login: str = "", utf8: bool = True) -> Iterator[Sink]:
    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == login.encode(), handled=False)

    sink = Sink()
    controller = Controller(
        sink,
        hostname="127.0.0.1",
        port=_free_port(),
        enable_SMTPUTF8=utf8,
        auth_require_tls=False,
        authenticator=check if login else None,
    )
    controller.start()
    sink.port = controller.port
    try:
        yield sink
    finally:
        controller.stop()


@contextmanager
def open_refuser(greeting: bytes) -> Iterator[int]:
    """A server that says one thing to everybody who comes, and hangs up."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.sendall(greeting)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
        return connection.recv(4) == b"* OK"
    return False
