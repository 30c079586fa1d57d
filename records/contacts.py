"""Contacts and their addresses: who stands behind the opaque ids that travel through the engine."""

from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from models.inquiry import EMAIL, WEB, Address, Channel
from models.tables import Contact, ContactAddress
from records.ids import new_id

FOLDED = (EMAIL, WEB)
"""The channels whose addresses are compared without regard to case."""


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
    found = session.exec(
        select(ContactAddress).where(col(ContactAddress.channel) == channel, col(ContactAddress.folded) == folded)
    ).first()
    if found is None:
        if contact is None:
            contact = new_id("ct")
            session.add(Contact(id=contact, created_at=now))
            session.flush()
        found = ContactAddress(
            id=new_id("ad"),
            contact=contact,
            channel=channel,
            value=value,
            folded=folded,
            name=name,
            registered=registered,
            created_at=now,
        )
    else:
        found.name = found.name or name
        found.registered = found.registered or registered
    session.add(found)
    session.flush()
    return found.contact, _address(found)


def addresses(session: Session, contact: str) -> tuple[Address, ...]:
    """Return a contact's addresses, the oldest first; none for an unknown contact."""
    query = select(ContactAddress).where(col(ContactAddress.contact) == contact)
    return tuple(
        _address(row) for row in session.exec(query.order_by(col(ContactAddress.created_at), col(ContactAddress.id)))
    )


def known(session: Session, channel: Channel, value: str) -> str | None:
    """Return the contact behind an address, or None; nothing is added."""
    folded = value.strip().casefold() if channel in FOLDED else value.strip()
    query = select(ContactAddress.contact).where(
        col(ContactAddress.channel) == channel, col(ContactAddress.folded) == folded
    )
    return session.exec(query).first()


def reveal(session: Session, address_id: str) -> Revealed:
    """Return an address in clear. KeyError for an id that is not ours."""
    row = session.get(ContactAddress, address_id)
    if row is None:
        raise KeyError(f"no address has the id {address_id}")
    return Revealed(row.channel, row.value, row.name)


def _address(row: ContactAddress) -> Address:
    return Address(id=row.id, channel=row.channel, registered=row.registered)
