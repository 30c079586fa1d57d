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


def make(session: Session, contact: str, *, bound: bool, made_by: str, now: datetime) -> tuple[str, datetime]:
    """Make a code for a contact: the code, shown once, and when it ends. `bound`: the maker vouches for the person."""
    code, ends_at = secrets.token_urlsafe(CODE_BYTES), now + LIFE
    row = Binding(digest=_digest(code), contact=contact, bound=bound, made_by=made_by, created_at=now, ends_at=ends_at)
    session.add(row)
    session.flush()
    return code, ends_at


def use(session: Session, code: str, now: datetime) -> Binding | None:
    """Take a code, once; None where it was never made, is used, or has ended."""
    row = session.get(Binding, _digest(code), with_for_update=True)
    if row is None or row.used_at is not None or row.ends_at <= now:
        return None
    row.used_at = now
    session.add(row)
    session.flush()
    return row


def used_from(session: Session, binding: Binding, address_id: str) -> None:
    """Keep the address that a code was shown from."""
    binding.address_id = address_id
    session.add(binding)
    session.flush()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
