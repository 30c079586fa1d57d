"""What a mail server's refusal means: by its reply code (RFC 5321) and its enhanced status (RFC 3463)."""

import re

from channels.text import one_line
from models.errors import ChannelError, OperatorError, RecipientError, TransientError

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_ADDRESS = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")
_PERMANENT = 500
_FULL = {552}
_NO_SUCH_ADDRESS = {550, 551, 553}
_SHORTEST_NAME = 3
_LONGEST = 300


def enhanced(text: str) -> str:
    """The first enhanced status in a server's words, such as `5.1.1`, or an empty text."""
    found = _ENHANCED.search(text[:1_000])
    return found.group() if found else ""


def is_full(status: str) -> bool:
    """Whether a mailbox is full (X.2.2): it takes letters again later."""
    return status.endswith(".2.2")


def is_policy(status: str) -> bool:
    """Whether the server refuses us (X.7.*: spam, a missing right), whatever the address."""
    return status[1:].startswith(".7.")


def without_address(text: str, address: str) -> str:
    """A server's words on one line, without addresses and without the name that stands in `address`."""
    plain = _ADDRESS.sub("<address>", one_line(text, _LONGEST))
    name = address.rpartition("@")[0]
    if len(name) < _SHORTEST_NAME:
        return plain
    return re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.])", "<address>", plain, flags=re.IGNORECASE)


def refused_recipient(code: int, words: str, address: str) -> ChannelError:
    """The error for a reply to RCPT or to the words of a letter: whose fault it is decides what is tried next."""
    status = enhanced(words)
    detail = f"the mail server answered {code}: {without_address(words, address)}"
    if code < _PERMANENT or code in _FULL or is_full(status):
        return TransientError(detail)
    if is_policy(status):
        return OperatorError(detail)
    if status.startswith("5.1.") or status == "5.6.7":
        return RecipientError(detail)
    return RecipientError(detail) if code in _NO_SUCH_ADDRESS else OperatorError(detail)


def refused_us(code: int, words: str, step: str) -> ChannelError:
    """The error for a reply to anything else: the account is at fault, or the server asks for patience."""
    detail = f"the mail server answered {code} to {step}: {without_address(words, '')}"
    return TransientError(detail) if code < _PERMANENT else OperatorError(detail)
