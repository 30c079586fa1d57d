"""E-mail out, by SendGrid's own client.

The client (`python_http_client`) opens a connection for every call and has no timeout unless it is given one; it cannot
keep a connection.
"""

import http.client
import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.error import URLError

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import (
    Category,
    ClickTracking,
    Content,
    CustomArg,
    From,
    Header,
    Mail,
    OpenTracking,
    ReplyTo,
    SubscriptionTracking,
    To,
    TrackingSettings,
)

from channels.email.mailbox import Mailbox
from channels.letter import Accepted, OutboundLetter
from models.errors import ChannelError, OperatorError, RecipientError, TransientError, UnknownOutcome

# At level DEBUG the client logs whole letters.
logging.getLogger("python_http_client").setLevel(logging.WARNING)

_ACCEPTED = 202
_SURELY_NOT_TAKEN = {408, 500, 503}
_TOO_MANY = 429
_FIRST_SERVER_ERROR = 500
_BAD_REQUEST = 400
_ADDRESS = re.compile(r"\S+@\S+")
_RECIPIENT_FIELD = re.compile(r"^personalizations\.\d+\.to(\.|$)")
_THREADABLE = re.compile(r"[!-;=?-~]+")
"""Message-IDs that a header can hold: senders write others too, and a letter must not fail for its threading."""
_LONGEST_REFERENCES = 20
"""RFC 5322 allows more, but header lines of some servers do not: the first and the newest are kept."""


class EmailSender:
    """Hands letters to SendGrid, one recipient each, with all tracking off. Safe to use from several threads.

    `timeout` in seconds covers connecting and each wait for an answer; `clock` gives aware UTC.
    """

    def __init__(
        self,
        api_key: str,
        mailbox: Mailbox,
        host: str = "https://api.sendgrid.com",
        timeout: float = 10,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = SendGridAPIClient(api_key, host=host)
        self._client.client.timeout = timeout
        self._mailbox, self._clock = mailbox, clock

    def send(self, letter: OutboundLetter) -> Accepted:
        """Send a letter; the result says that the provider accepted it.

        Raises RecipientError, OperatorError, TransientError (surely not accepted) or UnknownOutcome (perhaps accepted).
        """
        try:
            response = self._client.send(_mail(letter, self._mailbox))
        except HTTPError as refusal:
            raise self._refused(refusal) from None
        except URLError as error:
            raise _not_reached(error) from None
        except http.client.InvalidURL:
            raise OperatorError("the provider's address in the settings is no URL; mend PLAZO_SENDGRID_HOST") from None
        except (OSError, http.client.HTTPException) as error:
            # The request had left when the connection timed out or broke.
            raise UnknownOutcome(f"no answer after sending: {type(error).__name__}") from None
        except (ValueError, TypeError) as error:
            raise OperatorError(
                f"the request cannot be built: {type(error).__name__}; mend the API key or host"
            ) from None
        if response.status_code != _ACCEPTED:
            raise OperatorError(
                f"answered {response.status_code} instead of 202; is the host right and the sandbox off?"
            )
        return Accepted(provider_id=response.headers.get("X-Message-Id") or letter.message_id, at=self._clock())

    def _refused(self, refusal: HTTPError) -> ChannelError:
        """The class of an answer that is no 2xx."""
        status = int(refusal.status_code)
        errors = _errors(refusal)
        detail = "; ".join([f"answered {status}", *(_without_addresses(one) for one in errors)])
        if status == _TOO_MANY or status in _SURELY_NOT_TAKEN:
            return TransientError(detail, retry_after=self._retry_after(refusal.headers or {}))
        if status >= _FIRST_SERVER_ERROR:
            return UnknownOutcome(detail)
        if status == _BAD_REQUEST and any(_RECIPIENT_FIELD.match(str(one.get("field") or "")) for one in errors):
            return RecipientError(detail)
        return OperatorError(detail)

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        """Seconds until the provider wants the next try: X-RateLimit-Reset is a time, Retry-After a length."""
        try:
            if (reset := headers.get("X-RateLimit-Reset")) is not None:
                return max(0.0, float(int(reset)) - self._clock().timestamp())
            if (wait := headers.get("Retry-After")) is not None:
                return max(0.0, float(int(wait)))
        except (ValueError, OverflowError):
            pass
        return None


def _not_reached(error: URLError) -> ChannelError:
    """Connecting failed, or sending broke off."""
    reason = type(error.reason).__name__ if isinstance(error.reason, Exception) else str(error.reason)
    if isinstance(error.reason, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        # The last bytes may have arrived all the same.
        return UnknownOutcome(f"the connection broke while sending: {reason}")
    return TransientError(f"the provider cannot be reached: {reason}")


def _errors(refusal: HTTPError) -> list[dict[str, Any]]:
    try:
        found = refusal.to_dict["errors"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []
    return [one for one in found if isinstance(one, dict)][:5] if isinstance(found, list) else []


def _without_addresses(error: dict[str, Any]) -> str:
    text = f"{error.get('field') or 'request'}: {error.get('message') or ''}"
    return _ADDRESS.sub("<address>", text)[:300]


def _mail(letter: OutboundLetter, ours: Mailbox) -> Mail:
    mail = Mail(subject=letter.subject)
    mail.from_email = _box(From(), ours.address, ours.name)
    mail.to = _box(To(), letter.to)
    mail.content = [
        Content(kind, value) for kind, value in (("text/plain", letter.text), ("text/html", letter.html)) if value
    ]
    if replies := ours.reply_to(letter):
        mail.reply_to = _box(ReplyTo(), replies)
    for name, value in letter_headers(letter).items():
        mail.header = Header(name, value)
    mail.custom_arg = CustomArg("notice", letter.notice)
    mail.category = Category(letter.kind)
    mail.tracking_settings = TrackingSettings(
        ClickTracking(enable=False, enable_text=False), OpenTracking(enable=False), SubscriptionTracking(enable=False)
    )
    return mail


def _box(box: Any, address: str, name: str = "") -> Any:
    """Fill one of the client's address objects by hand: its constructor would take `address` apart."""
    box.email = address
    if name:
        box.name = name
    return box


def letter_headers(letter: OutboundLetter) -> dict[str, str]:
    """The headers that name a letter and thread it: ASCII, one line each."""
    headers = {"Message-ID": f"<{letter.message_id}>"}
    if letter.auto_submitted != "no":
        headers["Auto-Submitted"] = letter.auto_submitted
    references = [one for one in letter.references if _THREADABLE.fullmatch(one)]
    if letter.in_reply_to and _THREADABLE.fullmatch(letter.in_reply_to):
        headers["In-Reply-To"] = f"<{letter.in_reply_to}>"
        references = [one for one in references if one != letter.in_reply_to] + [letter.in_reply_to]
    if len(references) > _LONGEST_REFERENCES:
        references = [references[0], *references[1 - _LONGEST_REFERENCES :]]
    if references:
        headers["References"] = " ".join(f"<{one}>" for one in references)
    return headers
