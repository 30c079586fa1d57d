"""One-time codes by which a person shows that two addresses are theirs. Only a code's hash is kept.

The code of a link that leaves in a letter is made of the secret of reply addresses and a number. What is kept of the
letter holds the number alone, and the code is put in its place where the words go to the user.
"""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session

from models.tables import Binding
from records.ids import new_id

LIFE = timedelta(minutes=15)
CODE_BYTES = 18
CODE = re.compile(r"[A-Za-z0-9_-]{24}")
"""18 bytes in base64: 144 bits, fit for a deep link."""

NUMBER = re.compile(r"ic_[a-z2-7]{16}")
"""What stands for the code of a link in all that is kept."""

_LINKED = re.compile(rf"(\bcode=)(?:{CODE.pattern}|{NUMBER.pattern})")
_NUMBERED = re.compile(rf"(?<=\bcode=){NUMBER.pattern}\b")


def make(session: Session, contact: str, *, bound: bool, made_by: str, now: datetime) -> tuple[str, datetime]:
    """Make a code for a contact: the code, shown once, and when it ends. `bound`: the maker vouches for the person."""
    code, ends_at = secrets.token_urlsafe(CODE_BYTES), now + LIFE
    row = Binding(digest=_digest(code), contact=contact, bound=bound, made_by=made_by, created_at=now, ends_at=ends_at)
    session.add(row)
    session.flush()
    return code, ends_at


def number(
    session: Session, contact: str, reference: str, secret: bytes, *, made_by: str, now: datetime, life: timedelta
) -> tuple[str, datetime]:
    """Make a code for the link of a letter of that inquiry: the number that stands for it, and when it ends."""
    made, ends_at = new_id("ic"), now + life
    digest = _digest(_derived(secret, reference, made))
    row = Binding(digest=digest, contact=contact, bound=False, made_by=made_by, created_at=now, ends_at=ends_at)
    session.add(row)
    session.flush()
    return made, ends_at


def spelled_out(words: str, reference: str, secret: bytes) -> str:
    """Put the codes of an inquiry's links in the place of their numbers, in words that go to the user and nobody else.

    The number of another inquiry gives a code that opens nothing.
    """
    return _NUMBERED.sub(lambda found: _derived(secret, reference, found[0]), words)


def masked(words: str) -> str:
    """Hide the code of a link, or its number, in words that are shown to anybody but whom they were written to."""
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


def _derived(secret: bytes, reference: str, number: str) -> str:
    made = hmac.new(secret, f"identity code 1\0{reference}\0{number}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made[:CODE_BYTES]).decode()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
