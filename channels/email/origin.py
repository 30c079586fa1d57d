"""Who vouches for a mail: its sender's domain (SPF, DKIM) and the time of its reception."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from channels.email.headers import Headers, date_of

_VERDICT = re.compile(r"@?([A-Za-z0-9.-]+)\s*:\s*([a-z]+)")
_BY = re.compile(r"\bby\s+([A-Za-z0-9.-]+)")


def received(headers: Headers, stored_at: datetime, trusted: tuple[str, ...], oldest: timedelta) -> datetime:
    """The date of the topmost Received line if a trusted server wrote it and it is plausible, else `stored_at`.

    So reading 2 has it. The lines below the topmost may be the sender's own invention, and so is `Date:`.
    """
    top = next(iter(headers.raw("received")), "")
    by = _BY.search(top)
    at = date_of(top.rpartition(";")[2].strip())
    if by is None or at is None or not within(by.group(1), trusted):
        return stored_at
    return at if stored_at - oldest <= at <= stored_at else stored_at


def vouched_for(sender: str, envelope_from: str, spf: str, dkim: str) -> bool:
    """Whether SPF or DKIM passed for the domain of `sender` or one above it.

    A pass for another domain, such as a forwarder's own, vouches for nobody.
    """
    passed = [domain for domain, verdict in _VERDICT.findall(dkim) if verdict == "pass"]
    if spf.lower() == "pass" and "@" in envelope_from:
        passed.append(envelope_from.strip(" <>").rpartition("@")[2])
    return "@" in sender and within(sender.rpartition("@")[2], passed)


def within(domain: str, others: Iterable[str]) -> bool:
    """Whether `domain` is one of the others or lies below one; a top-level domain alone counts for nothing."""
    name = domain.lower().strip(".")
    return any(
        "." in one and (name == one or name.endswith(f".{one}")) for one in (o.lower().strip(".") for o in others)
    )
