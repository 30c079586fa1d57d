"""What X's refusals mean: whose fault, whether to try again, and when.

X answers with a problem document: `title`, `detail`, `type`, `status`. Out of credits it says 402, at the spending cap
403; a person whose direct messages are closed to us is a 403 of the type `about:blank` that says so in words.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.text import one_line
from channels.x.fields import Table, number, rows, sub, text
from models.errors import ChannelError, OperatorError, RecipientError, TransientError, UnknownOutcome

OUT_OF_CREDITS = "out of credits: add credits or raise the spending cap in X's developer console; until then X brings"
OUT_OF_CREDITS += " no messages either"

_PAYMENT, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _FIRST_SERVER_ERROR = 402, 403, 404, 429, 500
_CREDITS = re.compile(r"credits|spend-?cap|usage-?cap", re.IGNORECASE)
_CLOSED = (
    "permission to dm",
    "cannot send messages to this user",
    "not following you",
    "not verified to send message",
    "user not found",
    "participant_id",
    "not allowed to create a tweet with duplicate content",
    "deleted or not visible",
    "reply to this conversation is not allowed",
    "not permitted to reply",
)
"""What X says of the other side, in lower case: closed or unknown addressees, posts that take no answer (again)."""
_IDENTIFYING = re.compile(r"@\w+|\[[^\]]*\]|\w*\d{4,}\w*")
_LIMITS = ("x-user-limit-24hour", "x-app-limit-24hour", "x-rate-limit")


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal's body, and its status."""

    status: int
    document: Table

    @classmethod
    def read(cls, status: int, body: bytes) -> "Problem":
        """Read a body, which may be anything."""
        try:
            document: Any = json.loads(body)
        except (ValueError, RecursionError):
            document = None
        return cls(status, document if isinstance(document, dict) else {})

    def told(self) -> str:
        """The status and X's words on one line, without ids and handles."""
        words = [text(self.document, key) for key in ("title", "detail")]
        kind = text(self.document, "type").rpartition("/")[2]
        said = _IDENTIFYING.sub("<id>", "; ".join(one for one in [*words, kind] if one))
        return f"answered {self.status}: {one_line(said)}" if said else f"answered {self.status}"

    @property
    def unpaid(self) -> bool:
        """Whether the account is out of credits or at its spending cap."""
        said = f"{text(self.document, 'title')} {text(self.document, 'type').rpartition('/')[2]}"
        return self.status == _PAYMENT or _CREDITS.search(said) is not None

    @property
    def closed(self) -> bool:
        """Whether it is for the other side that a letter cannot be taken: for that alone there is another address."""
        if self.status == _NOT_FOUND:
            return text(self.document, "type").endswith("/resource-not-found")
        words = [text(self.document, "detail"), *(text(one, "message") for one in rows(self.document, "errors"))]
        words += [name for one in rows(self.document, "errors") for name in sub(one, "parameters")]
        said = "\n".join(words).lower()
        return any(sign in said for sign in _CLOSED)


def refusal(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> ChannelError:
    """The error that an answer other than a 2xx stands for; `headers` have lower-case names, `now` is aware."""
    problem = Problem.read(status, body)
    if problem.unpaid:
        return OperatorError(f"{OUT_OF_CREDITS} ({problem.told()})")
    if status == _TOO_MANY:
        return TransientError(problem.told(), retry_after=_wait(headers, now))
    if status >= _FIRST_SERVER_ERROR:
        return UnknownOutcome(problem.told())
    if problem.closed:
        return RecipientError(problem.told())
    if status == _FORBIDDEN:
        return OperatorError(
            f"{problem.told()}; mend the app's access or the account's rights in X's developer console"
        )
    return OperatorError(problem.told())


def _wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the limit that is used up opens again; None where X does not say."""
    told = {name: number(headers, f"{name}-reset") for name in _LIMITS}
    used_up = [name for name in _LIMITS if told[name] and headers.get(f"{name}-remaining") == "0"]
    name = next(iter(used_up), "x-rate-limit")
    return max(1.0, int(told[name]) - now.timestamp()) if told[name] else None
