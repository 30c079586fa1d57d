"""What the world reports of a case: messages, what became of letters, where the person can be reached, who they are."""

from datetime import datetime

from models.answering import begin_again
from models.arrivals import (
    AddressClosed,
    AddressOpen,
    IdentityBound,
    NoticeBounced,
    NoticeDelivered,
    ReceiveMessage,
    Visit,
)
from models.asking import information_came
from models.case import Case
from models.errors import Refused
from models.inquiry import Actor, Address
from models.letters import LetterKind
from models.post import bounce, deliver
from models.resending import found_address, leave, tell_new_channel
from models.telling import alert_bounced, is_alert
from models.urgency import notice_urgency
from models.visits import come


def receive_message(case: Case, order: ReceiveMessage, actor: Actor, now: datetime) -> None:
    """M5.5: a message of the user joins the case; the words stay in the records database.

    An address that the user writes from works, whatever came back from it before: what had nowhere to go leaves for it.
    A closed case is open again until a sender knows that nobody can read the message.
    """
    alive = {a.id for a in order.addresses}
    case.dead = tuple(one for one in case.dead if one not in alive)
    for one in order.addresses:
        if one.channel in case.visits:
            come(case, Visit(address=one, at=order.at))
    join(case, tuple(one for one in order.addresses if one.channel not in case.visits), now)
    if order.reopens and case.closed_at and not case.merged_into:
        begin_again(case, min(order.at, now), actor, now, reasons="")
    case.unread += 1
    case.heard += 1
    what = "message.edited" if order.edits else "message.received"
    case.record(
        now,
        what,
        actor=actor,
        rule="M5.5",
        message=order.message,
        received_at=order.at,
        edits=order.edits,
        place=order.place,
    )
    if order.addresses:  # intake names them for the person of the case alone, not for a third party
        information_came(case, now, message=order.message)
    notice_urgency(case, order.urgent, now)
    if order.unreadable:
        case.closed_at = None
        tell_new_channel(case, now)
        facts = {"received": order.at.isoformat()} | ({"channel": order.channel} if order.channel else {})
        case.write(LetterKind.UNREADABLE, now, facts=facts)


def address_closed(case: Case, order: AddressClosed, actor: Actor, now: datetime) -> None:
    """M4.2, reading 8: the person shut a channel; what waits goes elsewhere, and the new channel is told."""
    closed = next((a for a in case.addresses if a.id == order.address), None)
    if closed is None or closed.id in case.dead:
        return
    case.dead = (*case.dead, closed.id)
    texts = {"reason": order.reason}
    case.record(now, "address.closed", actor=actor, rule="M4.2", address=closed.id, texts=texts)
    leave(case, closed, now)


def address_open(case: Case, order: AddressOpen, actor: Actor, now: datetime) -> None:
    """M4.2: what had nowhere to go leaves for an address that works again."""
    if order.address in case.dead:
        case.dead = tuple(one for one in case.dead if one != order.address)
        case.record(now, "address.open", actor=actor, rule="M4.2", address=order.address)
        found_address(case, now)


def identity_bound(case: Case, order: IdentityBound, actor: Actor, now: datetime) -> None:
    """Reading 7: the person is known, so letters may say all and go to every address of theirs.

    What came back from one of them before still counts: that it is theirs does not make it work.
    """
    case.contact, case.bound = order.contact, case.bound or order.bound
    what = "identity.bound" if order.bound else "address.added"
    named = (*order.addresses, order.visit.address) if order.visit else order.addresses
    case.record(now, what, actor=actor, rule="M3.7", addresses=[one.id for one in named])
    if order.visit:
        come(case, order.visit)
    join(case, order.addresses, now)


def join(case: Case, addresses: tuple[Address, ...], now: datetime) -> None:
    """The person can be reached there too, and what had nowhere to go leaves for it.

    Which of the addresses are registered is as it was said last.
    """
    known, given = {a.id for a in case.addresses}, {a.id: a for a in addresses}
    kept = (given.get(a.id, a) for a in case.addresses)
    case.addresses = (*kept, *(a for a in addresses if a.id not in known))
    found_address(case, now)


def notice_delivered(case: Case, order: NoticeDelivered, _actor: Actor, now: datetime) -> None:
    """Reading 10: what reached the user's mailbox. That an alert reached a colleague's is no news."""
    for key in order.notices:
        if not is_alert(case, key):
            deliver(case, key, _possible(case, key, order.at, now))


def notice_bounced(case: Case, order: NoticeBounced, _actor: Actor, now: datetime) -> None:
    """Reading 10: what came back. An alert that does goes to the next colleague."""
    if is_alert(case, order.notice):
        alert_bounced(case, order.notice, now)
        return
    at = _possible(case, order.notice, order.at, now)
    bounce(case, order.notice, at, hard=order.hard, reason=order.reason)


def _possible(case: Case, key: str, at: datetime, now: datetime) -> datetime:
    """When it can have happened: not before the letter was written, not after now, whatever a foreign clock says."""
    letter = case.letter(key)
    if letter is None or letter.address is None:
        raise Refused("notice.unknown", f"this case sent no letter {key}", field="notice")
    return max(letter.created_at, min(at, now))
