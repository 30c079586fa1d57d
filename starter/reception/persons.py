"""Who stands behind an address, and whether they can be reached there: what the cases must be told of it.

A person on several handles is one contact only after showing, from the other handle, a one-time code made for them, or
where the operator's platform vouches for the account behind it. An address that somebody merely gives proves nothing:
letters may go there, but whoever writes from it is a contact of their own. Nobody but the platform moves an address
away from an account, and an account's inquiries stay its own.

Everything happens in the caller's transaction; `now` is aware UTC.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from channels.message import InboundMessage
from channels.port import Claim, Courtesy
from channels.report import Reach
from models.arrivals import AddressClosed, AddressOpen, IdentityBound
from models.inquiry import Address, Channel
from models.messages import Order
from records import bindings, cases, contact_cases, contacts, dispatches
from starter.reception.reaching import known_at, reachable_at

MOST_KEY = 128
MOST_ADDRESSES = 20

CONFIRMED = "portal"
"""Where a code was shown that the operator's portal confirmed."""


def take_claim(session: Session, channel: Channel, claim: Claim, now: datetime, *, typed: bool) -> Courtesy | None:
    """Bind the address that a code was shown from; return what to say of it, or None where it was said before.

    Nothing changes unless it is "connected".

    Every open case of the two is told: it may write to all addresses of the person, and say all if they are known.
    Somebody may have been led to press a link without a look at it. So the address of another account is not moved by a
    code, and one that has inquiries only by a code that the person wrote themselves (`typed`).
    """
    binding = bindings.find(session, claim.code, now)
    if binding is None:
        before = bindings.shown_from(session, claim.code)
        same = before is not None and before == contacts.address_id(session, channel, claim.address)
        return None if same else "link_over"
    contact = binding.contact
    former, address = contacts.find_or_add(session, channel, claim.address, name=claim.name, contact=contact, now=now)
    if former != contact:
        if contacts.account_of(session, former):
            return "link_other"
        if not typed and contact_cases.any_of(session, former):
            return "link_to_type"
    bindings.use(session, binding, address.id, now)
    if binding.bound:
        contacts.bind(session, contact, now)
    told = dict.fromkeys([*contact_cases.open_of(session, contact), *contact_cases.open_of(session, former)])
    _become(session, former, contact)
    order = _identity(session, contact, bound=binding.bound, key=f"binding:{binding.digest}")
    _tell(session, told, "identity_bound", order, now)
    # Whoever shows a code there can be written to there, whatever came back before.
    _tell(session, told, "address_open", AddressOpen(address=address.id, key=f"shown:{binding.digest}"), now)
    return "connected"


def confirm(session: Session, code: str, contact: str, now: datetime) -> bool:
    """Somebody signed in to an account opened the link of an `identity_request`: its person is that of the account.

    False, and nothing changed, for a code that is over or was made for another account.
    """
    binding = bindings.find(session, code, now)
    if binding is None or contacts.account_of(session, binding.contact) not in {
        None,
        contacts.account_of(session, contact),
    }:
        return False
    former = binding.contact
    bindings.use(session, binding, CONFIRMED, now)
    told = dict.fromkeys([*contact_cases.open_of(session, contact), *contact_cases.open_of(session, former)])
    if former != contact:
        _become(session, former, contact)
    _tell(
        session, told, "identity_bound", _identity(session, contact, bound=True, key=f"confirmed:{binding.digest}"), now
    )
    return True


def of_account(session: Session, account: str, now: datetime) -> str:
    """Return the contact bound to an account, made when there is none."""
    contact = contacts.of_account(session, account) or contacts.add(session, now)
    contacts.bind(session, contact, now, account=account)
    return contact


def known_person(session: Session, channel: Channel, message: InboundMessage, now: datetime) -> str | None:
    """Return the contact behind a message's sender, or None where they write for the first time.

    Where the channel vouches for an account, the sender's address belongs to whoever is bound to that account.
    """
    if not message.account:
        return contacts.known(session, channel, message.sender)
    contact = of_account(session, message.account, now)
    given = (channel, message.sender)
    _vouched(session, contact, given, now, name=message.sender_name, bound=message.bound)
    return contact


def register(session: Session, contact: str, given: tuple[Channel, str], now: datetime) -> Address:
    """The platform says that an address is registered on a person's account: it is theirs, whoever had it before.

    Where that is news, the account's open cases hear it: letters go to the registered address, and no more to the last.
    """
    before, told = contacts.addresses(session, contact), contact_cases.open_of(session, contact)
    address = _vouched(session, contact, given, now, registered=True)
    after = reachable_at(session, contact)
    if news := [one for one in after if one not in before]:
        addresses = tuple(dict.fromkeys([*news, *after]))[:MOST_ADDRESSES]
        key = f"registered:{address.id}:{now.isoformat()}"
        order = known_at(session, contact, addresses, bound=False, key=key)
        _tell(session, told, "identity_bound", order, now)
    return address


def given_address(session: Session, contact: str, given: tuple[Channel, str], now: datetime) -> Address:
    """Return an address that somebody merely gave. On whose account it may be registered is nothing of theirs."""
    owner, address = contacts.find_or_add(session, *given, now=now)
    return address if owner == contact else address.model_copy(update={"registered": False})


def take_reach(session: Session, reach: Reach, now: datetime) -> int:
    """Tell the open cases of a person that an address was shut, or opened again; return how many there are."""
    contact = contacts.known(session, reach.channel, reach.address)
    if contact is None:
        return 0
    _, address = contacts.find_or_add(session, reach.channel, reach.address, now=now)
    key = short_key("reach", reach.event_id)
    told = contact_cases.open_of(session, contact)
    if reach.open:
        _tell(session, told, "address_open", AddressOpen(address=address.id, key=key), now)
    else:
        closed = AddressClosed(address=address.id, reason=reach.reason[:500], key=key)
        _tell(session, told, "address_closed", closed, now)
    return len(told)


def take_address(session: Session, channel: Channel, sender: str, given: tuple[Channel, str], now: datetime) -> None:
    """Tell the open cases of somebody on a channel of another address that they gave. It proves nothing of them."""
    contact = contacts.known(session, channel, sender)
    if contact is None:
        return
    address = given_address(session, contact, given, now)
    order = known_at(session, contact, (address,), bound=False, key=f"address:{address.id}")
    _tell(session, contact_cases.open_of(session, contact), "identity_bound", order, now)


def wrote_from(session: Session, contact: str, address: Address, message: str, now: datetime, *, but: str) -> None:
    """Somebody wrote from an address: their other open cases that have nowhere to write to can write there.

    `message` is its id; the case `but` knows already.
    """
    for reference in contact_cases.open_of(session, contact):
        case = cases.load(session, reference) if reference != but else None
        if case is None or case.address():
            continue
        if any(one.id == address.id for one in case.addresses):
            _tell(session, [reference], "address_open", AddressOpen(address=address.id, key=f"from:{message}"), now)
        else:
            key = f"from:{message}"
            order = known_at(session, contact, (address,), bound=False, key=key, present=now)
            _tell(session, [reference], "identity_bound", order, now)


def short_key(kind: str, event_id: str) -> str:
    """Return the key under which a case counts an event once, however long the provider's id of it is."""
    key = f"{kind}:{event_id}"
    return key if len(key) <= MOST_KEY else f"{kind}:sha256:{hashlib.sha256(event_id.encode()).hexdigest()}"


def _vouched(
    session: Session,
    contact: str,
    given: tuple[Channel, str],
    now: datetime,
    *,
    name: str = "",
    registered: bool = False,
    bound: bool = False,
) -> Address:
    """An address is a person's: the platform says so. Cases of whoever had it, unless it was another account, too."""
    former, address = contacts.find_or_add(session, *given, name=name, registered=registered, contact=contact, now=now)
    if registered:
        contacts.only_registered(session, contact, address)
    if former == contact:
        return address
    if contacts.account_of(session, former):
        _move(session, address, former, contact, now)
        return address
    told = contact_cases.open_of(session, former)
    _become(session, former, contact)
    order = _identity(session, contact, bound=bound, key=f"account:{address.id}")
    _tell(session, told, "identity_bound", order, now)
    return address


def _move(session: Session, address: Address, former: str, contact: str, now: datetime) -> None:
    """The platform moved an address from one account to another: no letter of the first goes there any more."""
    contacts.join(session, address.id, contact)
    at = f"{address.id}:{now.isoformat()}"
    closed = AddressClosed(address=address.id, reason="registered on another account", key=f"moved:{at}")
    _tell(session, contact_cases.open_of(session, former), "address_closed", closed, now)
    # It may have been theirs before, and shut to them since.
    _tell(
        session,
        contact_cases.open_of(session, contact),
        "address_open",
        AddressOpen(address=address.id, key=f"back:{at}"),
        now,
    )


def _become(session: Session, former: str, contact: str) -> None:
    """Two contacts turned out to be one person."""
    contacts.merge(session, former, contact)
    contact_cases.hand_over(session, former, contact)


def _identity(session: Session, contact: str, *, bound: bool, key: str) -> IdentityBound:
    addresses = reachable_at(session, contact)[:MOST_ADDRESSES]
    return known_at(session, contact, addresses, bound=bound, key=key)


def _tell(session: Session, references: Iterable[str], name: str, order: Order, now: datetime) -> None:
    payload = order.model_dump(mode="json", exclude_none=True)
    for reference in references:
        dispatches.add(session, reference, name, payload, now)
