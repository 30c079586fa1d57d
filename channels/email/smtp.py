"""E-mail out by SMTP (RFC 5321), over the operator's own mail server: one connection and one recipient a letter."""

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from channels.email.bounces import bounce_address
from channels.email.headers import mailboxes
from channels.email.mailbox import Mailbox
from channels.email.sending import letter_headers
from channels.email.settings import EmailSettings
from channels.email.status import refused_recipient, refused_us
from channels.letter import Accepted, OutboundLetter
from channels.text import clean, one_line
from models.errors import ChannelError, OperatorError, RecipientError, TransientError, UnknownOutcome

_SECONDS = 20
"""For connecting and for each wait for an answer."""
_GO_AHEAD = 354
_OK, _NOT_OK = 200, 300
_REFUSED = 400
_PERMANENT = 500
_QUEUED = re.compile(r"(?:queued (?:as|mail for delivery)[ :]*|\bid=)<?([\w.+-]{4,100})", re.IGNORECASE)
_FOLD = "\r\n "
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class SmtpSender:
    """Hands letters to the operator's mail server. Safe to use from several threads; `clock` gives aware UTC."""

    def __init__(self, settings: EmailSettings, mailbox: Mailbox, secret: bytes, clock: Callable[[], datetime]) -> None:
        """`secret` signs the tokens of the addresses that bounces come back to."""
        self._settings, self._mailbox, self._secret, self._clock = settings, mailbox, secret, clock

    def send(self, letter: OutboundLetter) -> Accepted:
        """Send a letter; the result says that the server took it on itself to deliver it.

        Raises RecipientError, OperatorError, TransientError (surely not accepted) or UnknownOutcome (perhaps accepted).
        """
        to = _box(letter.to)
        server = self._greeted()
        try:
            return self._handed_over(server, letter, to)
        except (OSError, smtplib.SMTPException) as error:
            raise _broken(error) from None
        finally:
            # Whatever was decided is decided: a connection that ends badly changes nothing, and nobody waits for it.
            with suppress(OSError, smtplib.SMTPException):
                server.putcmd("QUIT")
            server.close()

    def _greeted(self) -> smtplib.SMTP:
        """A connection on which we may send."""
        settings, context = self._settings, ssl.create_default_context()
        where = (settings.smtp_host, settings.smtp_port, self._mailbox.reply_domain)
        with _told():
            if settings.smtp_tls == "implicit":
                server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=_SECONDS, context=context)
            else:
                server = smtplib.SMTP(*where, timeout=_SECONDS)
        try:
            with _told():
                if settings.smtp_tls == "starttls":
                    server.starttls(context=context)
                if settings.smtp_user and settings.smtp_password:
                    server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
                server.ehlo_or_helo_if_needed()
        except ChannelError:
            server.close()
            raise
        return server

    def _handed_over(self, server: smtplib.SMTP, letter: OutboundLetter, to: Address) -> Accepted:
        wide = not f"{letter.to}{self._mailbox.address}{self._mailbox.replies}".isascii()
        if wide and not server.has_extn("smtputf8"):
            fault = OperatorError if letter.to.isascii() else RecipientError
            raise fault("an address is not of ASCII, and the mail server has no SMTPUTF8")
        eight = server.has_extn("8bitmime")
        mail = self._mail(letter, to, eight=eight, wide=wide)
        server.command_encoding = "utf-8" if wide else "ascii"
        options = f"{' BODY=8BITMIME' if eight else ''}{' SMTPUTF8' if wide else ''}"
        options += " RET=HDRS" if server.has_extn("dsn") else ""
        code, said = server.docmd("MAIL", f"FROM:<{self._sender(letter)}>{options}")
        if not _fine(code):
            raise refused_us(code, _words(said), "the sender")
        code, said = server.docmd("RCPT", f"TO:<{to.addr_spec}>")
        if not _fine(code):
            raise refused_recipient(code, _words(said), letter.to)
        code, said = server.docmd("DATA")
        if code != _GO_AHEAD:
            raise refused_recipient(code, _words(said), letter.to)
        try:
            server.send(_LEADING_DOT.sub(b"..", mail) + b".\r\n")
            code, said = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise UnknownOutcome(f"no answer after the letter was sent: {type(error).__name__}") from None
        if code < _REFUSED and not _fine(code):
            raise UnknownOutcome(f"the mail server's answer to the letter is none: {code}")
        if not _fine(code):
            raise refused_recipient(code, _words(said), letter.to)
        queued = _QUEUED.search(_words(said))
        return Accepted(provider_id=queued.group(1) if queued else letter.message_id, at=self._clock())

    def _sender(self, letter: OutboundLetter) -> str:
        if self._settings.smtp_bounces == "mailbox":
            return self._mailbox.address
        return bounce_address(self._secret, self._mailbox.replies, letter.notice)

    def _mail(self, letter: OutboundLetter, to: Address, *, eight: bool, wide: bool) -> bytes:
        policy = SMTP.clone(cte_type="8bit" if eight else "7bit", utf8=wide)
        mail = EmailMessage(policy=policy)
        mail["From"] = Address(self._mailbox.name, *_local_and_domain(self._mailbox.address))
        mail["To"] = to
        if replies := self._mailbox.reply_to(letter):
            mail["Reply-To"] = replies
        mail["Subject"] = letter.subject
        mail["Date"] = format_datetime(self._clock())
        mail.set_content(clean(letter.text))
        if letter.html:
            mail.add_alternative(clean(letter.html), subtype="html")
        # The library would break a long Message-ID into encoded words, so these lines are put before its own.
        named = "".join(f"{name}: {value.replace(' ', _FOLD)}\r\n" for name, value in letter_headers(letter).items())
        return named.encode("ascii", "replace") + _LINE_END.sub(b"\r\n", mail.as_bytes())


def _box(address: str) -> Address:
    """One mailbox, and nothing else: whatever might be read as two, or as a header, is refused."""
    if [found for found, _ in mailboxes(address)] != [_with_lower_domain(address)]:
        raise RecipientError("the address is no mailbox")
    local, domain = _local_and_domain(address)
    return Address(username=local, domain=domain)


def _with_lower_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def _local_and_domain(address: str) -> tuple[str, str]:
    """An address in two; a quoted local part without its quotes, which the library puts back."""
    local, _, domain = address.rpartition("@")
    return (local[1:-1] if local.startswith('"') and local.endswith('"') else local), domain


def _fine(code: int) -> bool:
    return _OK <= code < _NOT_OK


def _words(said: bytes | str) -> str:
    return one_line(said.decode("utf-8", "replace") if isinstance(said, bytes) else said, 1_000)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what happens before a letter is handed over into our errors."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        if error.smtp_code < _PERMANENT:
            raise TransientError(f"the mail server cannot check logins at present ({error.smtp_code})") from None
        raise OperatorError(
            f"the mail server refuses the login ({error.smtp_code}); mend PLAZO_EMAIL_SMTP_USER and _PASSWORD"
        ) from None
    except smtplib.SMTPNotSupportedError:
        raise OperatorError(
            "the mail server offers no STARTTLS or no login there; mend PLAZO_EMAIL_SMTP_TLS or _PORT"
        ) from None
    except smtplib.SMTPResponseException as error:
        raise refused_us(error.smtp_code, _words(error.smtp_error), "our greeting") from None
    except ssl.SSLCertVerificationError:
        raise OperatorError("the mail server's certificate is not valid for PLAZO_EMAIL_SMTP_HOST") from None
    except UnicodeError:
        raise OperatorError("PLAZO_EMAIL_SMTP_USER and _PASSWORD can only be of ASCII") from None
    except (OSError, smtplib.SMTPException) as error:
        raise _broken(error) from None


def _broken(error: Exception) -> TransientError:
    return TransientError(f"the mail server cannot be reached or hung up: {type(error).__name__}")
