"""Letters exactly as they left, every try at sending them, and what the provider reported of them."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, update
from sqlmodel import Session, col, select

from models.inquiry import STAFF
from models.tables import Notice, NoticeEvent, NoticePart, NoticeState
from records.database import add_once, first

ACCEPTING = ("accepted", "processed", "deferred", "delivered", "bounce", "dropped")
"""The provider's reports that prove it had taken the letter; `dropped` means it took it and then would not send it."""

RETURNED = ("bounce", "dropped")
MOST_ERROR = 500

_FIND = select(Notice).where(col(Notice.key) == bindparam("key"))
_KEPT = select(Notice.key).where(col(Notice.key) == bindparam("key"))
_PART = select(NoticePart.notice).where(
    col(NoticePart.channel) == bindparam("channel"), col(NoticePart.provider_id) == bindparam("provider_id")
)
_TAKE = _FIND.with_for_update().execution_options(populate_existing=True)
_ACCEPT = update(Notice).where(col(Notice.key) == bindparam("of"))


class Fate(NamedTuple):
    """What became of a letter, without its words."""

    state: str
    accepted_at: datetime | None
    provider_id: str
    possible_duplicate: bool
    tries: int
    first_tried_at: datetime | None
    tried_at: datetime | None
    last_error: str
    delivered_at: datetime | None
    bounced_at: datetime | None
    wording: dict[str, str]


_FATE = (
    select(*(col(getattr(Notice, name)) for name in Fate._fields))
    .where(col(Notice.key) == bindparam("key"))
    .with_for_update()
)


def letter_hash(text: str, html: str) -> str:
    """Hash a letter's words: SHA-256 over both parts, hex."""
    return hashlib.sha256(f"{text}\0{html}".encode()).hexdigest()


def find(session: Session, key: str) -> Notice | None:
    """Return the letter with that key, or None while it was never begun."""
    return session.exec(_FIND, params={"key": key}).first()


def kept(session: Session, key: str) -> bool:
    """Say whether the letter was begun."""
    return first(session, _KEPT, key=key) is not None


def begin(session: Session, notice: Notice) -> bool:
    """Keep a letter before its first try, which follows at once; False, and nothing changed, when it was kept before.

    Once kept it stays: a later try gets the same words and the same Message-ID.
    """
    notice.tries, notice.first_tried_at, notice.tried_at = 1, notice.created_at, notice.created_at
    return add_once(session, notice)


def trying(session: Session, key: str, now: datetime, *, duplicate: bool) -> Notice:
    """A try begins. `duplicate`: an earlier one may have been accepted. Nothing changes once the letter is accepted."""
    row = _get(session, key)
    if row.accepted_at is None:
        row.tries += 1
        row.first_tried_at = row.first_tried_at or now
        row.tried_at = now
        row.possible_duplicate = row.possible_duplicate or duplicate
        row.state = NoticeState.SENDING
    return _put(session, row)


def refused(session: Session, key: str, error: str, now: datetime) -> Notice:
    """The try surely ended unaccepted. `error` without personal data."""
    return _ended(session, key, NoticeState.REFUSED, error, now)


def failed(session: Session, key: str, error: str, now: datetime) -> Notice:
    """This address will never take the letter."""
    return _ended(session, key, NoticeState.FAILED, error, now)


def accepted(session: Session, key: str, at: datetime, provider_id: str) -> Fate:
    """The channel took the letter at `at`, under an id of its own. The first acceptance stands."""
    row = first(session, _FATE, key=key)
    if row is None:
        raise _unknown(key)
    fate = Fate(*row)
    if fate.accepted_at is not None:
        return fate
    fate = fate._replace(accepted_at=at, provider_id=provider_id, last_error="", state=_state(fate))
    kept = {"accepted_at": at, "provider_id": provider_id, "last_error": "", "state": fate.state}
    session.connection().execute(_ACCEPT, {"of": key, **kept})
    return fate


def accepted_before(session: Session, key: str) -> bool:
    """Say whether it is kept that a channel took the letter."""
    row = find(session, key)
    return row is not None and row.accepted_at is not None


def of_case(session: Session, reference: str) -> list[Notice]:
    """Return a case's letters in the order they were begun; what colleagues were told is none of them."""
    query = select(Notice).where(
        col(Notice.reference) == reference, col(Notice.address_id).startswith(STAFF, autoescape=True).is_(False)
    )
    return list(session.exec(query.order_by(col(Notice.created_at), col(Notice.key))))


def by_message_id(session: Session, message_id: str) -> str | None:
    """Return the key of our letter with that Message-ID (angle brackets or none), or None: a reply finds its case."""
    query = select(Notice.key).where(col(Notice.message_id) == message_id.strip().strip("<>"))
    return session.exec(query).first()


def by_provider_id(session: Session, channel: str, provider_id: str) -> str | None:
    """Return the key of our letter that a channel took under that id, or None: a reply finds its case."""
    row = first(session, _PART, channel=channel, provider_id=provider_id)
    return str(row.notice) if row else None


def parts(session: Session, key: str) -> tuple[str, ...]:
    """Return the provider's ids of the parts of a letter that it took, in order."""
    query = select(NoticePart.provider_id).where(col(NoticePart.notice) == key).order_by(col(NoticePart.n))
    return tuple(session.exec(query))


def take_part(session: Session, key: str, n: int, *, channel: str, provider_id: str, now: datetime) -> None:
    """Keep that a channel took the `n`-th part (from 1) of a letter; kept before, it stays."""
    add_once(session, NoticePart(notice=key, n=n, channel=channel, provider_id=provider_id, at=now))


def add_event(session: Session, event: NoticeEvent) -> bool:
    """Keep a report of the provider and what it says of the letter; False when it was kept before."""
    if not add_once(session, event):
        return False
    row = session.exec(_TAKE, params={"key": event.notice}).first()
    if row is None:
        return True
    if event.kind == "delivered":
        row.delivered_at = min(row.delivered_at or event.at, event.at)
    elif event.kind in RETURNED:
        row.bounced_at = min(row.bounced_at or event.at, event.at)
    if row.accepted_at is not None:
        row.state = _state(row)
    _put(session, row)
    return True


def events(session: Session, key: str) -> list[NoticeEvent]:
    """Return what the provider reported of a letter, by its own times."""
    query = select(NoticeEvent).where(col(NoticeEvent.notice) == key)
    return list(session.exec(query.order_by(col(NoticeEvent.at), col(NoticeEvent.event_id))))


def evidence(session: Session, key: str) -> NoticeEvent | None:
    """Return the earliest report that proves the provider took the letter, or None."""
    return next((event for event in events(session, key) if event.kind in ACCEPTING), None)


def _get(session: Session, key: str) -> Notice:
    row = session.exec(_TAKE, params={"key": key}).first()
    if row is None:
        raise _unknown(key)
    return row


def _unknown(key: str) -> KeyError:
    return KeyError(f"no letter was begun under the key {key}")


def _put(session: Session, row: Notice) -> Notice:
    session.add(row)
    session.flush()
    return row


def _ended(session: Session, key: str, state: NoticeState, error: str, now: datetime) -> Notice:
    row = _get(session, key)
    if row.accepted_at is None:
        row.state, row.last_error, row.tried_at = state, error[:MOST_ERROR], now
    return _put(session, row)


def _state(letter: Notice | Fate) -> NoticeState:
    """What became of an accepted letter."""
    if letter.bounced_at:
        return NoticeState.BOUNCED
    return NoticeState.DELIVERED if letter.delivered_at else NoticeState.ACCEPTED
