"""One-time codes by which a person shows that two addresses are theirs. Only a code's hash is kept."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session

from models.tables import Binding

LIFE = timedelta(minutes=15)
CODE_BYTES = 18
CODE = re.compile(r"[A-Za-z0-9_-]{24}")
"""18 bytes in base64: 144 bits, fit for a deep link."""

_LINKED = re.compile(rf"(\bcode=){CODE.pattern}")


def make(
    session: Session, contact: str, *, bound: bool, made_by: str, now: datetime, life: timedelta = LIFE
) -> tuple[str, datetime]:
    """Make a code for a contact: the code, shown once, and when it ends. `bound`: the maker vouches for the person."""
    code, ends_at = secrets.token_urlsafe(CODE_BYTES), now + life
    row = Binding(digest=_digest(code), contact=contact, bound=bound, made_by=made_by, created_at=now, ends_at=ends_at)
    session.add(row)
    session.flush()
    return code, ends_at


def masked(words: str) -> str:
    """Hide the code of a link in words that are shown to anybody but the person to whom they were written."""
    return _LINKED.sub(r"\1...", words)


def find(session: Session, code: str, now: datetime) -> Binding | None:
    """Return what a code was made for, held until the transaction ends; None where it is unknown, used, or over."""
    row = session.get(Binding, _digest(code), with_for_update=True)
    return row if row and row.used_at is None and now < row.ends_at else None


def shown_from(session: Session, code: str) -> str | None:
    """Return the address that a code was shown from, or None."""
    row = session.get(Binding, _digest(code))
    return row.address_id if row else None


def use(session: Session, binding: Binding, address_id: str, now: datetime) -> None:
    """A code was shown from an address; it is good no more."""
    binding.used_at, binding.address_id = now, address_id
    session.add(binding)
    session.flush()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
