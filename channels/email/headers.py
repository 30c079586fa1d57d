"""A mail's header block, read so that no header, however broken, can raise or take long."""

import re
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32, default
from email.utils import parsedate_to_datetime

from channels.text import decode, one_line

_LONGEST = 4_000
"""Characters of one header that are looked at; the library's parsers take quadratic time on hostile ones."""

_LONGEST_ADDRESSES = 2_000
_MOST = 50
"""Headers of one name that are looked at."""

_MOST_OF_ADDRESSES = 3
"""The same of those that hold addresses, which a mail has once: reading one may take a tenth of a second."""

_FOLD = re.compile(r"\r?\n[ \t]+|\r|\n")
# What no database, log or header of ours can hold: controls, and halves of characters that broken encodings leave.
_UNFIT = r"\x00-\x1f\x7f-\x9f\ud800-\udfff"
_MESSAGE_ID = re.compile(rf"<([^<>\s{_UNFIT}]{{1,250}})>")
_ATOM = rf"[^\s@<>()\[\],;:\"\\{_UNFIT}]"
_ADDRESS = re.compile(rf'(?:"[^"\\{_UNFIT}]{{1,100}}"|{_ATOM}{{1,100}})@{_ATOM}{{1,150}}')


class Headers:
    """The headers of a mail or of one of its parts; names are case-insensitive."""

    def __init__(self, block: bytes) -> None:
        """Read `block`, the bytes before the first empty line."""
        message: Message[str, str] = BytesHeaderParser(policy=compat32).parsebytes(block)
        leftover = message.get_payload()
        # What the parser did not take for headers, such as text that begins without an empty line.
        self.leftover = len(leftover) if isinstance(leftover, str) else 0
        self._values: dict[str, list[str]] = {}
        for name, value in message.raw_items():
            self._values.setdefault(name.lower(), []).append(value[:_LONGEST])

    def raw(self, name: str) -> list[str]:
        """Every value of the header `name`, unfolded but not decoded, cut at a few thousand characters."""
        return [
            _FOLD.sub(" ", decode(value.encode("ascii", "surrogateescape"))).strip()
            for value in self._values.get(name.lower(), [])[:_MOST]
        ]

    def text(self, name: str) -> str:
        """The first value of `name` decoded (RFC 2047), or an empty text."""
        for value in self.raw(name):
            return decoded(value)
        return ""

    def has(self, name: str) -> bool:
        """Whether the header is there at all."""
        return name.lower() in self._values

    def addresses(self, name: str) -> list[tuple[str, str]]:
        """(address, display name) of every mailbox named in the first few headers called `name`."""
        return [mailbox for value in self.raw(name)[:_MOST_OF_ADDRESSES] for mailbox in mailboxes(value)]

    def message_ids(self, name: str) -> tuple[str, ...]:
        """The message ids in `name`, without angle brackets, in the order they stand."""
        return tuple(dict.fromkeys(found for value in self.raw(name) for found in _MESSAGE_ID.findall(value)))

    def content_type(self) -> str:
        """The media type in lower case; `text/plain` where there is none or it is broken."""
        try:
            return self._alone("content-type").get_content_type()
        except Exception:  # noqa: BLE001 - the library's header code raises whatever a broken header leads it to
            return "text/plain"

    def parameter(self, name: str, header: str = "content-type") -> str:
        """A parameter such as `charset` or `boundary`, RFC 2231 undone, or an empty text."""
        try:
            value = self._alone(header).get_param(name, "")
        except Exception:  # noqa: BLE001 - as above
            return ""
        if isinstance(value, tuple):
            charset, _, content = value
            return decode(content.encode("latin-1", "replace"), charset)
        return value or ""

    def _alone(self, header: str) -> "Message[str, str]":
        """A message with this header's first value as its content type: the library hides bytes that are not ASCII."""
        alone: Message[str, str] = Message()
        for value in self.raw(header)[:1]:
            alone["content-type"] = value
        return alone

    def filename(self) -> str:
        """The attachment's name as the sender gave it, on one line and without folders; may be empty."""
        name = self.parameter("filename", "content-disposition") or self.parameter("name")
        return one_line(decoded(name).replace("\\", "/").rpartition("/")[2])

    def disposition(self) -> str:
        """`attachment`, `inline` or empty."""
        value = self.raw("content-disposition")
        return value[0].partition(";")[0].strip().lower() if value else ""


def decoded(value: str) -> str:
    """Encoded words (RFC 2047) as text; what is broken stays as it stands."""
    try:
        words = decode_header(value[:_LONGEST])
    except Exception:  # noqa: BLE001 - as above: HeaderParseError, ValueError and more
        return value
    return "".join(word if isinstance(word, str) else decode(word, charset) for word, charset in words)


def mailboxes(value: str) -> list[tuple[str, str]]:
    """(address, display name) of each mailbox in a header's text; the domain in lower case. Never raises.

    An address is opaque: it may contain anything RFC 5321 lets into a quoted local part, so every page must escape it.
    """
    value = value[:_LONGEST_ADDRESSES]
    try:
        parsed = [(one.addr_spec, one.display_name) for one in default.header_factory("from", value).addresses]
    except Exception:  # noqa: BLE001 - as above, RecursionError among them
        parsed = []
    found = [
        (_lower_domain(address), one_line(decoded(name))) for address, name in parsed if _ADDRESS.fullmatch(address)
    ]
    return found or [(_lower_domain(address), "") for address in _ADDRESS.findall(value)[:20]]


def _lower_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def date_of(text: str) -> datetime | None:
    """An RFC 5322 date as aware UTC; None where it is no date."""
    try:
        at = parsedate_to_datetime(text)
        # "-0000" says: UTC, and nothing known of the place.
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
