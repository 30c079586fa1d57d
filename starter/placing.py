"""Which inquiry a message belongs to: thread token, reply headers, reference in the subject; else it opens a new one.

A sender whom SPF disowns and nothing vouches for is never let into anybody's inquiry, whatever the mail carries: it
opens one of its own, unverified. A good token or reply header from somebody the case does not know joins it as a third
party.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sqlmodel import Session

from channels.message import InboundMessage
from channels.tokens import read_token
from models.case import Case
from models.errors import UnknownInquiry
from models.inquiry import EMAIL
from models.reference import find_references
from records import cases, contacts, messages, notices


class Place(NamedTuple):
    """The inquiry a message joins; `third_party` where the sender is not the person the case knows."""

    case: Case
    third_party: bool


class _Trail(NamedTuple):
    """A hint at an inquiry. `secret`: only who got our letters can know it; else the sender must be the case's own."""

    reference: str
    secret: bool


def place(session: Session, message: InboundMessage, *, prefix: str, reply_secret: bytes) -> Place | None:
    """Find the message's inquiry; None means a new one. `prefix` is that of the operator's references."""
    if disowned(message):
        return None
    sender = contacts.known(session, EMAIL, message.sender)
    for trail in _trails(session, message, prefix, reply_secret):
        case = _load(session, trail.reference)
        if case is None:
            continue
        own = sender is not None and sender == case.contact
        if own or trail.secret:
            return Place(_leading(session, case), third_party=not own)
    return None


def disowned(message: InboundMessage) -> bool:
    """Say whether the domain in From says that it did not send this (SPF), and no signature of it says otherwise."""
    return message.spf.strip().lower() == "fail" and not message.sender_verified


def _trails(session: Session, message: InboundMessage, prefix: str, reply_secret: bytes) -> Iterator[_Trail]:
    """Every hint, the surest first."""
    for token in message.tokens:
        if reference := read_token(reply_secret, token):
            yield _Trail(reference, secret=True)
    for message_id in dict.fromkeys([message.in_reply_to, *reversed(message.references)]):
        if not message_id:
            continue
        if key := notices.by_message_id(session, message_id):
            yield _Trail(key.partition("/")[0], secret=True)
        elif (earlier := messages.find(session, EMAIL, message_id)) and earlier.reference:
            # A second mail in the user's own thread, before any letter of ours.
            yield _Trail(earlier.reference, secret=False)
    if message.sender_verified:
        for reference in find_references(message.subject, prefix):
            yield _Trail(reference, secret=False)


def _load(session: Session, reference: str) -> Case | None:
    try:
        return cases.load(session, reference)
    except UnknownInquiry:
        return None


def _leading(session: Session, case: Case) -> Case:
    """A merged inquiry goes on in the one that leads."""
    return (_load(session, case.merged_into) if case.merged_into else None) or case
