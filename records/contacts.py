"""Contacts and their addresses: who stands behind the opaque ids that travel through the engine."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, update
from sqlmodel import Session, col, select

from models.inquiry import EMAIL, WEB, Address, Channel
from models.tables import Binding, Contact, ContactAddress
from records.database import add_once, first
from records.ids import new_id

FOLDED = (EMAIL, WEB)
"""The channels whose addresses are compared without regard to case."""

_THIS = col(ContactAddress.channel) == bindparam("channel"), col(ContactAddress.folded) == bindparam("folded")
_FOUND = select(ContactAddress.id, ContactAddress.contact, ContactAddress.name, ContactAddress.registered).where(*_THIS)
_REVEAL = select(ContactAddress.channel, ContactAddress.value, ContactAddress.name).where(
    col(ContactAddress.id) == bindparam("id")
)
_BOUND = select(Contact.bound_at).where(col(Contact.id) == bindparam("id"))
_JOIN = update(ContactAddress).where(col(ContactAddress.id) == bindparam("of")).values(contact=bindparam("whose"))
_MERGE = update(ContactAddress).where(col(ContactAddress.contact) == bindparam("of")).values(contact=bindparam("whose"))
_CODES = update(Binding).where(col(Binding.contact) == bindparam("of")).values(contact=bindparam("whose"))
_ONLY = (
    update(ContactAddress)
    .where(
        col(ContactAddress.contact) == bindparam("whose"),
        col(ContactAddress.channel) == bindparam("on"),
        col(ContactAddress.registered).is_(True),
        col(ContactAddress.id) != bindparam("this"),
    )
    .values(registered=False)
)
_CHANGE = update(ContactAddress).where(col(ContactAddress.id) == bindparam("of"))


class Revealed(NamedTuple):
    """An address in clear. Personal data."""

    channel: Channel
    value: str
    name: str


def find_or_add(
    session: Session,
    channel: Channel,
    value: str,
    *,
    name: str = "",
    registered: bool = False,
    contact: str | None = None,
    now: datetime,
) -> tuple[str, Address]:
    """Return the contact behind an address and the address, both made when unknown.

    An address that is known keeps its contact whatever `contact` says; a new one joins `contact` when given. A name is
    kept once, `registered` is only ever raised.
    """
    value = value.strip()
    folded = value.casefold() if channel in FOLDED else value
    found = first(session, _FOUND, channel=channel, folded=folded)
    if found is not None:
        kept, raised = found.name or name, found.registered or registered
        if (kept, raised) != (found.name, found.registered):
            session.connection().execute(_CHANGE, {"of": found.id, "name": kept, "registered": raised})
        return found.contact, Address(id=found.id, channel=channel, registered=raised)
    if contact is None:
        contact = add(session, now)
    added = ContactAddress(
        id=new_id("ad"),
        contact=contact,
        channel=channel,
        value=value,
        folded=folded,
        name=name,
        registered=registered,
        created_at=now,
    )
    if not add_once(session, added):
        # Another transaction was quicker.
        return find_or_add(session, channel, value, name=name, registered=registered, now=now)
    return contact, _address(added)


def add(session: Session, now: datetime) -> str:
    """Add a contact of whom nothing is known yet, and return its id."""
    contact = new_id("ct")
    add_once(session, Contact(id=contact, created_at=now))
    return contact


def addresses(session: Session, contact: str) -> tuple[Address, ...]:
    """Return a contact's addresses, the oldest first; none for an unknown contact."""
    query = select(ContactAddress).where(col(ContactAddress.contact) == contact)
    ordered = query.order_by(col(ContactAddress.created_at), col(ContactAddress.id))
    return tuple(_address(row) for row in session.exec(ordered.execution_options(populate_existing=True)))


def known_since(session: Session, address_id: str) -> datetime:
    """Return when an address came to be known (aware UTC). KeyError for an id that is not ours."""
    row = session.get(ContactAddress, address_id)
    if row is None:
        raise _unknown(address_id)
    return row.created_at


def known(session: Session, channel: Channel, value: str) -> str | None:
    """Return the contact behind an address, or None; nothing is added."""
    row = _look_up(session, channel, value)
    return row.contact if row else None


def address_id(session: Session, channel: Channel, value: str) -> str | None:
    """Return the id of an address, or None; nothing is added."""
    row = _look_up(session, channel, value)
    return row.id if row else None


def _look_up(session: Session, channel: Channel, value: str) -> Any:
    folded = value.strip().casefold() if channel in FOLDED else value.strip()
    return first(session, _FOUND, channel=channel, folded=folded)


def bound(session: Session, contact: str) -> bool:
    """Say whether somebody vouches for who a contact is."""
    row = first(session, _BOUND, id=contact)
    return row is not None and row.bound_at is not None


def bind(session: Session, contact: str, now: datetime, *, account: str | None = None) -> None:
    """Keep that a contact's identity is vouched for, with the operator's own id of the account where there is one.

    KeyError for an unknown contact.
    """
    row = session.get(Contact, contact)
    if row is None:
        raise KeyError(f"no contact has the id {contact}")
    row.bound_at, row.account = row.bound_at or now, row.account or account
    session.add(row)
    session.flush()


def of_account(session: Session, account: str) -> str | None:
    """Return the contact that is bound to an account, or None."""
    return session.exec(select(Contact.id).where(col(Contact.account) == account)).first()


def account_of(session: Session, contact: str) -> str | None:
    """Return the account that a contact is bound to, or None."""
    row = session.get(Contact, contact)
    return row.account if row else None


def join(session: Session, address_id: str, contact: str) -> None:
    """Give an address to another contact: the person has shown that both are theirs."""
    session.connection().execute(_JOIN, {"of": address_id, "whose": contact})


def merge(session: Session, former: str, contact: str) -> None:
    """Give all addresses of a contact to another, and the codes made for it: both are the same person."""
    for change in (_MERGE, _CODES):
        session.connection().execute(change, {"of": former, "whose": contact})


def only_registered(session: Session, contact: str, address: Address) -> None:
    """No other address of the person on that channel is registered any more: they have changed it."""
    session.connection().execute(_ONLY, {"whose": contact, "on": address.channel, "this": address.id})


def reveal(session: Session, address_id: str) -> Revealed:
    """Return an address in clear. KeyError for an id that is not ours."""
    row = first(session, _REVEAL, id=address_id)
    if row is None:
        raise _unknown(address_id)
    return Revealed(row.channel, row.value, row.name)


def _address(row: ContactAddress) -> Address:
    return Address(id=row.id, channel=row.channel, registered=row.registered)


def _unknown(address_id: str) -> KeyError:
    return KeyError(f"no address has the id {address_id}")
