"""Mails that no person wrote: bounces, auto-replies and our own letters coming back. None is ever answered by machine.

Sources: RFC 3834 (Auto-Submitted), RFC 3464 (delivery reports), RFC 8098 (read receipts), and what mail servers and
lists really add.
"""

import re
from dataclasses import dataclass

from channels.email.headers import Headers
from channels.message import Disposition

_MAILER = re.compile(r"^(?:mailer-daemon|postmaster|mail-daemon)(?:[+@]|$)", re.IGNORECASE)
_NO_REPLY = re.compile(
    r"^(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|noresponder|no[-_.]responder)(?:[+@]|$)", re.IGNORECASE
)
_OUR_MESSAGE_ID = re.compile(r"[A-Z]{1,6}-[A-Z0-9]{4}-[A-Z0-9]{4}\b", re.IGNORECASE)
_MASS = {"bulk", "list", "junk", "auto_reply"}


@dataclass(frozen=True, slots=True)
class Own:
    """Whose house this is: the addresses letters leave from or come in at, and the domain of their Message-IDs."""

    addresses: tuple[str, ...] = ()
    domain: str = ""

    def wrote(self, address: str, message_id: str) -> bool:
        """Whether a mail with this sender or this Message-ID is a letter of ours that came back."""
        local, _, domain = address.lower().rpartition("@")
        bare = f"{local.partition('+')[0]}@{domain}"
        ours_by_id = bool(self.domain) and message_id.lower().endswith(f"@{self.domain.lower()}")
        return bare in {one.lower() for one in self.addresses} or (
            ours_by_id and bool(_OUR_MESSAGE_ID.match(message_id))
        )

    def runs_list(self, list_id: str) -> bool:
        """Whether a list is ours: a group address that hands mail on to the software adds list headers to all of it."""
        name = list_id.strip().rstrip(">").lower()
        return bool(self.domain) and (name.endswith((f".{self.domain.lower()}", f"<{self.domain.lower()}")))


def disposition(headers: Headers, sender: str, envelope_from: str | None, own: Own) -> tuple[Disposition, str]:
    """What a mail is, and the sign by which it was known. `envelope_from` is None where the provider did not say."""
    if own.wrote(sender, next(iter(headers.message_ids("message-id")), "")) or headers.has("x-loop"):
        return Disposition.LOOP, "it comes from ourselves"
    if (reason := _bounce(headers, sender)) is not None:
        return Disposition.BOUNCE, reason
    if (reason := _auto_reply(headers, sender, envelope_from, own)) is not None:
        return Disposition.AUTO_REPLY, reason
    if not sender:
        return Disposition.UNANSWERABLE, "no sender address can be read"
    return Disposition.MESSAGE, ""


def _bounce(headers: Headers, sender: str) -> str | None:
    kind = headers.content_type()
    report = headers.parameter("report-type").lower()
    if kind == "message/delivery-status" or (kind == "multipart/report" and report != "disposition-notification"):
        return f"Content-Type: {kind}"
    if headers.has("x-failed-recipients"):
        return "X-Failed-Recipients"
    return "a mail server's own address" if _MAILER.match(sender) else None


def _auto_reply(headers: Headers, sender: str, envelope_from: str | None, own: Own) -> str | None:
    submitted = headers.text("auto-submitted").partition(";")[0].strip().lower()
    precedence = headers.text("precedence").strip().lower()
    no_return = "<>" in headers.raw("return-path") or (
        envelope_from is not None and envelope_from.strip() in {"", "<>"}
    )
    our_list = own.runs_list(headers.text("list-id"))
    signs = {
        "Auto-Submitted": submitted not in {"", "no"},
        "a read receipt": headers.content_type() == "multipart/report",
        "empty return path": no_return,
        "an address that takes no replies": bool(_NO_REPLY.match(sender)),
        "a mailing list": (headers.has("list-id") or headers.has("list-unsubscribe")) and not our_list,
        "Precedence": precedence in (_MASS - {"list"} if our_list else _MASS),
    }
    for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress"):
        signs[name] = headers.has(name) and headers.text(name).strip().lower() not in {"no", "none"}
    return next((sign for sign, seen in signs.items() if seen), None)
