"""Which inquiry a message belongs to: thread token, reply headers, reference in the subject; else it opens a new one.

On a channel that is one conversation, a message without any sign belongs to the inquiry that is open with its sender
there; once that is answered, only thanks do, or what is said while a review of it is open.

A sender whom SPF disowns and nothing vouches for, or whose mail forges what is said of it, is never let into anybody's
inquiry, whatever the mail carries: it opens one of its own, unverified. A good token or reply header from somebody the
case does not know joins it as a third party.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlmodel import Session

from channels.guess import thanks
from channels.message import FORGED, InboundMessage
from channels.tokens import read_token
from models.case import Case
from models.errors import UnknownInquiry
from models.inquiry import EMAIL, Channel
from models.reference import find_references
from models.tables import StoredMessage
from records import cases, contact_cases, contacts, messages, notices


class Place(NamedTuple):
    """The inquiry a message joins; `third_party` where the sender is not the person the case knows."""

    case: Case
    third_party: bool


class _Trail(NamedTuple):
    """A hint at an inquiry. `secret`: only who got our letters can know it; else the sender must be the case's own."""

    reference: str
    secret: bool


@dataclass(frozen=True)
class Clues:
    """What of a message tells where it belongs; `contact` is whom we know under the sender's `address`, if anybody."""

    channel: Channel
    contact: str | None
    address: str | None
    sender_verified: bool
    disowned: bool
    tokens: tuple[str, ...]
    in_reply_to: str
    references: tuple[str, ...]
    subject: str
    text: str


def clues_of(message: InboundMessage, contact: str | None, address: str | None) -> Clues:
    """Return the clues of a message that comes in."""
    return Clues(
        channel=message.channel,
        contact=contact,
        address=address,
        sender_verified=message.sender_verified,
        disowned=message.spf.strip().lower() in {"fail", FORGED} and not message.sender_verified,
        tokens=message.tokens,
        in_reply_to=message.in_reply_to,
        references=message.references,
        subject=message.subject,
        text=message.text,
    )


def stored_clues(row: StoredMessage, contact: str | None, address: str | None) -> Clues:
    """Return the clues of a message that a person has looked at and lets out of quarantine."""
    return Clues(
        channel=row.channel,
        contact=contact,
        address=address,
        sender_verified=row.sender_verified,
        disowned=False,
        tokens=(),
        in_reply_to=row.in_reply_to,
        references=tuple(row.references.split()),
        subject=row.subject,
        text=row.text,
    )


def place(
    session: Session, clues: Clues, *, prefix: str, reply_secret: bytes, conversation: bool = False
) -> Place | None:
    """Find the message's inquiry; None means a new one. `prefix` is that of the operator's references."""
    if clues.disowned:
        return None
    for trail in _trails(session, clues, prefix, reply_secret):
        case = _load(session, trail.reference)
        if case is None:
            continue
        own = _own(session, clues, case)
        if own or trail.secret:
            return Place(leading(session, case), third_party=not own)
    last = last_one(session, clues) if conversation else None
    if last and (last.final is None or last.appeal or (last.closed_at is None and thanks(clues.text))):
        return Place(last, third_party=False)
    return None


def last_one(session: Session, clues: Clues) -> Case | None:
    """Return the inquiry that the sender opened last on the channel, or the one it was merged into."""
    reference = contact_cases.conversation(session, clues.contact, clues.channel) if clues.contact else None
    found = _load(session, reference) if reference else None
    return leading(session, found) if found else None


def _own(session: Session, clues: Clues, case: Case) -> bool:
    """Whether the sender is the person of the case, or writes from where its letters go.

    An address that the platform moved to another account is nobody's of the first any more, whatever the case heard.
    """
    if clues.contact is not None:
        if clues.contact == case.contact:
            return True
        if contacts.account_of(session, clues.contact) and contacts.account_of(session, case.contact):
            return False
    return any(one.id == clues.address for one in case.addresses)


def _trails(session: Session, clues: Clues, prefix: str, reply_secret: bytes) -> Iterator[_Trail]:
    """Every hint, the surest first."""
    for token in clues.tokens:
        if reference := read_token(reply_secret, token):
            yield _Trail(reference, secret=True)
    for message_id in dict.fromkeys([clues.in_reply_to, *reversed(clues.references)]):
        if not message_id:
            continue
        key = notices.by_message_id(session, message_id) or notices.by_provider_id(session, clues.channel, message_id)
        if key:
            # Only a mail's Message-ID is a secret between us: on other channels ids can be counted through.
            yield _Trail(key.partition("/")[0], secret=clues.channel == EMAIL)
        elif (earlier := messages.find(session, clues.channel, message_id)) and earlier.reference:
            # A second message in the user's own thread, before any letter of ours.
            yield _Trail(earlier.reference, secret=False)
    if clues.sender_verified:
        for reference in find_references(clues.subject, prefix):
            yield _Trail(reference, secret=False)


def _load(session: Session, reference: str) -> Case | None:
    try:
        return cases.load(session, reference)
    except UnknownInquiry:
        return None


def leading(session: Session, case: Case) -> Case:
    """Return where an inquiry goes on: a merged one in the one that leads, which may have been merged itself."""
    passed = {case.reference}
    while case.merged_into and case.merged_into not in passed:
        passed.add(case.merged_into)
        case = _load(session, case.merged_into) or case
    return case
