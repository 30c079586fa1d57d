"""The operator's mail folder, over IMAP (RFC 3501; IDLE: RFC 2177, MOVE: RFC 6851), by one connection."""

import io
import logging
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from imapclient import IMAPClient, SocketTimeout  # type: ignore[import-untyped]
from imapclient.exceptions import (  # type: ignore[import-untyped]
    CapabilityError,
    IMAPClientAbortError,
    IMAPClientError,
    LoginError,
)

from channels.email.headers import Headers
from channels.email.settings import EmailSettings
from models.errors import OperatorError, TransientError

# At level DEBUG the client logs what it reads.
logging.getLogger("imapclient").setLevel(logging.WARNING)

_TIMEOUT = SocketTimeout(connect=10, read=20)
_WINDOW = 50_000
"""UIDs asked for at once: the answer is one line, and a line of a megabyte is refused by the library."""
_SLICE = 0.5
"""Seconds after which a wait looks whether it shall end."""
_POLL = 5.0
"""Seconds between two looks at a server without IDLE."""
_EARLY = 3
"""Looks in a row that may end early without news before the connection counts as lost."""
_PIECE = 4_000_000
"""Bytes of a mail fetched at once."""
_MESSAGE_ID = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]<0.2000>"
_PASSING = ("[UNAVAILABLE]", "[INUSE]", "[SERVERBUG]", "[LIMIT]")
"""Response codes (RFC 5530) of a server that is at fault itself and may be well again soon."""


class Withheld(TransientError):
    """The server, otherwise well, does not hand one mail out."""


class Opened(NamedTuple):
    """A folder as it stands: its UIDs count for this `uidvalidity`; `following` is above them all, 0 where unsaid."""

    uidvalidity: int
    following: int


class Found(NamedTuple):
    """A mail, or its beginning, and when the server got it (aware UTC; None where it does not say)."""

    mail: bytes
    whole: bool
    at: datetime | None


class Folder:
    """The folder that mail comes in by. For one thread at a time; raises OperatorError and TransientError."""

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self._client: Any = None

    def open(self) -> Opened:
        """Connect where there is no connection, and look at the folder as it stands now."""
        with _told("open the folder"):
            if self._client is None:
                self._client = self._connected()
        with _told("select PLAZO_EMAIL_IMAP_FOLDER", of_ours=True):
            told = self._client.select_folder(self._settings.imap_folder, readonly=not self._settings.imap_done)
            return Opened(int(told[b"UIDVALIDITY"]), int(told.get(b"UIDNEXT", 0)))

    def close(self) -> None:
        """Let go of the connection, whatever state it is in."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError):
                client.shutdown()

    def uids(self, first: int, last: int, most: int, since: date | None) -> list[int]:
        """The lowest `most` UIDs from `first` to `last` (0: to the highest) of mails the server got since that day."""
        dated = ["SINCE", since] if since else []
        found: list[int] = []
        with _told("search the folder"):
            for low in range(first, (last or first) + 1, _WINDOW):
                high = min(low + _WINDOW - 1, last) if last else "*"
                # The highest mail stands in every range that ends in a star.
                found += sorted(uid for uid in self._client.search(["UID", f"{low}:{high}", *dated]) if uid >= low)
                if len(found) >= most:
                    break
        return found[:most]

    def message_ids(self, uids: list[int]) -> dict[int, str]:
        """The Message-ID of each of these mails that is still there, without angle brackets; empty where none is."""
        with _told("fetch"):
            told = self._client.fetch(uids, [_MESSAGE_ID]) if uids else {}
        return {uid: next(iter(Headers(_body(data)).message_ids("message-id")), "") for uid, data in told.items()}

    def mail(self, uid: int, limit: int) -> Found | None:
        """A mail, at most `limit` bytes of it, left unread; None when it is gone. Raises Withheld as well."""
        # In pieces: the library keeps three copies of what it reads.
        mail, at = io.BytesIO(), None
        while mail.tell() <= limit:
            wanted = min(_PIECE, limit + 1 - mail.tell())
            told = self._part(uid, f"BODY.PEEK[]<{mail.tell()}.{wanted}>")
            if told is None:
                return None
            at = told.get(b"INTERNALDATE")
            if mail.write(_body(told)) < wanted:
                break
        whole = mail.tell() <= limit
        mail.truncate(limit)
        known = at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo else None
        return Found(mail.getvalue(), whole, known)

    def _part(self, uid: int, part: str) -> Any:
        with _told("fetch"):
            try:
                return self._client.fetch([uid], ["INTERNALDATE", part]).get(uid)
            except IMAPClientAbortError:
                raise
            except IMAPClientError:
                raise Withheld("the mail server does not hand out a mail; it is asked again") from None

    def move(self, uids: list[int]) -> None:
        """Move mails to the folder of what is done."""
        with _told("move to PLAZO_EMAIL_IMAP_DONE", of_ours=True):
            if uids:
                self._client.move(uids, self._settings.imap_done)

    def wait(self, seconds: float, ended: Callable[[], bool]) -> None:
        """Wait until there is news of the folder, until `ended`, or that long (less where the server has no IDLE)."""
        with _told("wait"):
            if self._client.has_capability("IDLE"):
                self._client.idle()
                self._idle(time.monotonic() + seconds, ended)
                self._client.idle_done()
                return
        end = time.monotonic() + min(seconds, _POLL)
        while time.monotonic() < end and not ended():
            time.sleep(_SLICE)

    def _idle(self, end: float, ended: Callable[[], bool]) -> None:
        early = 0
        while time.monotonic() < end and not ended():
            began = time.monotonic()
            told = self._client.idle_check(timeout=_SLICE)
            if any(b"EXISTS" in one for one in told):
                return
            # The library says nothing of a connection that was closed; it only stops waiting.
            early = early + 1 if not told and time.monotonic() - began < _SLICE / 2 else 0
            if early == _EARLY:
                raise TransientError("the mail server closed the connection")

    def _connected(self) -> Any:
        settings = self._settings
        context = ssl.create_default_context()
        client = IMAPClient(
            settings.imap_host,
            settings.imap_port,
            ssl=settings.imap_tls == "implicit",
            ssl_context=context,
            timeout=_TIMEOUT,
        )
        client.normalise_times = False
        try:
            if settings.imap_tls == "starttls":
                client.starttls(context)
            self._login(client)
            if settings.imap_done:
                with _told("use PLAZO_EMAIL_IMAP_DONE", of_ours=True):
                    _prepare(client, settings.imap_done)
        except BaseException:
            with suppress(OSError):
                client.shutdown()
            raise
        return client

    def _login(self, client: Any) -> None:
        settings = self._settings
        if settings.imap_password:
            client.login(settings.imap_user, settings.imap_password.get_secret_value())
            return
        token = settings.imap_token.get_secret_value() if settings.imap_token else ""
        if settings.imap_token_file:
            try:
                token = settings.imap_token_file.read_text(encoding="utf-8").strip()
            except OSError:
                raise OperatorError("the file PLAZO_EMAIL_IMAP_TOKEN_FILE cannot be read; mend its name") from None
        client.oauth2_login(settings.imap_user, token)


def _prepare(client: Any, done: str) -> None:
    if not client.has_capability("MOVE"):
        raise OperatorError("the mail server cannot move mails (RFC 6851); leave PLAZO_EMAIL_IMAP_DONE empty")
    if not client.folder_exists(done):
        client.create_folder(done)


def _body(told: Any) -> bytes:
    """What was fetched of a mail; servers write the name of what they send in different ways."""
    return next((value or b"" for name, value in told.items() if name.startswith(b"BODY[")), b"")


@contextmanager
def _told(step: str, *, of_ours: bool = False) -> Iterator[None]:
    """Turn what the library raises into our errors; `of_ours`: a refusal is for the operator to mend.

    Nothing of the server's own words is told: they may name the account.
    """
    try:
        yield
    except LoginError as error:
        if any(code in str(error) for code in _PASSING):
            raise TransientError("the mail server cannot check logins at present") from None
        raise OperatorError("the mail server refuses the login; mend PLAZO_EMAIL_IMAP_USER and its secret") from None
    except CapabilityError:
        raise OperatorError(f"the mail server cannot {step} as configured; mend PLAZO_EMAIL_IMAP_TLS") from None
    except ssl.SSLCertVerificationError:
        raise OperatorError("the mail server's certificate is not valid for PLAZO_EMAIL_IMAP_HOST") from None
    except IMAPClientAbortError:
        raise TransientError(f"the connection to the mail server broke: {step}") from None
    except IMAPClientError as error:
        if of_ours and not any(code in str(error) for code in _PASSING):
            raise OperatorError(f"the mail server refuses to {step}; is the name right?") from None
        raise TransientError(f"the mail server refuses to {step}") from None
    except (OSError, ValueError, KeyError) as error:
        raise TransientError(f"the mail server does not answer as it should: {step}: {type(error).__name__}") from None
