"""Where a person can be reached, as cases are told of it: at what lasts, and on the latest of their visits alone."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from models.arrivals import IdentityBound, Visit
from models.inquiry import CHAT, Address
from records import contacts

VISITED = frozenset({CHAT})
"""The channels on which each visit has an address of its own."""


def reachable_at(session: Session, contact: str) -> tuple[Address, ...]:
    """Return all addresses of a person, the registered e-mail first, of their visits the latest alone."""
    return tuple(sorted(_latest_alone(contacts.addresses(session, contact)), key=lambda one: not one.registered))


def known_at(
    session: Session,
    contact: str,
    addresses: tuple[Address, ...],
    *,
    bound: bool,
    key: str,
    present: datetime | None = None,
) -> IdentityBound:
    """Return the order that tells of a person's addresses.

    `present` (aware UTC) is when they were last on the visit that is among them; unsaid, it is when that one began.
    """
    lasting, here = _parted(addresses)
    visit = Visit(address=here, at=present or contacts.known_since(session, here.id)) if here else None
    return IdentityBound(contact=contact, addresses=lasting, bound=bound, visit=visit, key=key)


def others_than(address: Address, addresses: Iterable[Address]) -> tuple[Address, ...]:
    """Leave out an address and, where it is that of a visit, all other visits on its channel."""
    visited = {address.channel} & VISITED
    return tuple(one for one in addresses if one != address and one.channel not in visited)


def _parted(addresses: Iterable[Address]) -> tuple[tuple[Address, ...], Address | None]:
    """Tell the addresses that last from that of the latest visit."""
    known = _latest_alone(addresses)
    visit = next((one for one in known if one.channel in VISITED), None)
    return tuple(one for one in known if one != visit), visit


def _latest_alone(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """Leave out all visits on a channel but the one that is named last."""
    known = tuple(addresses)
    last = {one.channel: one for one in known if one.channel in VISITED}
    return tuple(one for one in known if last.get(one.channel, one) == one)
