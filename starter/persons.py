"""Who stands behind an address, and whether they can be reached there: what the cases must be told of it.

A person on several handles is one contact only after showing, from the other handle, a one-time code made for them.
Everything happens in the caller's transaction; `now` is aware UTC.
"""

from datetime import datetime

from sqlmodel import Session

from channels.message import InboundMessage
from channels.port import Claim
from channels.report import Reach
from models.inquiry import Address, Channel
from models.messages import AddressClosed, AddressOpen, IdentityBound, Order
from records import bindings, cases, contacts, dispatches

MOST_KEY = 128
MOST_ADDRESSES = 20


def take_claim(session: Session, channel: Channel, claim: Claim, now: datetime) -> bool:
    """Bind the address that a code was shown from; False where the code is not good, and nothing changed.

    Every open case of the two is told: it may write to all addresses of the person, and say all if they are known.
    """
    binding = bindings.use(session, claim.code, now)
    if binding is None:
        return False
    former, address = contacts.find_or_add(
        session, channel, claim.address, name=claim.name, contact=binding.contact, now=now
    )
    if former != binding.contact:
        contacts.join(session, address.id, binding.contact)
    if binding.bound:
        contacts.bind(session, binding.contact, now)
    bindings.used_from(session, binding, address.id)
    told = dict.fromkeys([*cases.open_of(session, binding.contact), *cases.open_of(session, former)])
    cases.hand_over(session, former, binding.contact)
    order = IdentityBound(
        contact=binding.contact,
        addresses=reachable_at(session, binding.contact)[:MOST_ADDRESSES],
        bound=binding.bound,
        key=f"binding:{binding.digest}",
    )
    for reference in told:
        _tell(session, reference, "identity_bound", order, now)
    return True


def known_person(session: Session, channel: Channel, message: InboundMessage, now: datetime) -> str | None:
    """Return the contact behind a message's sender, or None where they write for the first time.

    Where the channel vouches for an account, the sender's address belongs to whoever is bound to that account.
    """
    if not message.account:
        return contacts.known(session, channel, message.sender)
    owner = contacts.of_account(session, message.account)
    contact, address = contacts.find_or_add(
        session, channel, message.sender, name=message.sender_name, contact=owner, now=now
    )
    if owner is not None and owner != contact:
        contacts.join(session, address.id, owner)
        cases.hand_over(session, contact, owner)
    contacts.bind(session, owner or contact, now, account=message.account)
    return owner or contact


def take_reach(session: Session, reach: Reach, now: datetime) -> int:
    """Tell the open cases of a person that an address was shut, or opened again; return how many there are."""
    contact = contacts.known(session, reach.channel, reach.address)
    if contact is None:
        return 0
    _, address = contacts.find_or_add(session, reach.channel, reach.address, now=now)
    key = f"reach:{reach.event_id}"[:MOST_KEY]
    order: Order = (
        AddressOpen(address=address.id, key=key)
        if reach.open
        else AddressClosed(address=address.id, reason=reach.reason, key=key)
    )
    told = cases.open_of(session, contact)
    for reference in told:
        _tell(session, reference, "address_open" if reach.open else "address_closed", order, now)
    return len(told)


def take_address(session: Session, channel: Channel, sender: str, given: tuple[Channel, str], now: datetime) -> None:
    """Tell the open cases of somebody on a channel of another address that they gave. It proves nothing of them."""
    contact = contacts.known(session, channel, sender)
    if contact is None:
        return
    _, address = contacts.find_or_add(session, *given, contact=contact, now=now)
    order = IdentityBound(contact=contact, addresses=(address,), bound=False, key=f"address:{address.id}")
    for reference in cases.open_of(session, contact):
        _tell(session, reference, "identity_bound", order, now)


def reachable_at(session: Session, contact: str) -> tuple[Address, ...]:
    """Return all addresses of a person, the registered e-mail first."""
    return tuple(sorted(contacts.addresses(session, contact), key=lambda one: not one.registered))


def _tell(session: Session, reference: str, name: str, order: Order, now: datetime) -> None:
    dispatches.add(session, reference, name, order.model_dump(mode="json", exclude_none=True), now)
