"""The web chat's book, whose provider we are ourselves: what was said in each session, numbered without gaps.

Numbers are given while the session's row is held, in the transaction that writes: none is missing, none comes twice.
"""

from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy import and_, bindparam, func, or_, update
from sqlmodel import Session, col, select

from models.inquiry import CHAT
from models.tables import ChatEvent, ChatSession, StoredMessage
from records.chat_sessions import PRESENT_FOR, get, hold, put
from records.database import Database

MESSAGE, LETTER = "message", "letter"
_BY_KEY = select(ChatEvent).where(
    col(ChatEvent.session) == bindparam("session"),
    col(ChatEvent.kind) == bindparam("kind"),
    col(ChatEvent.key) == bindparam("key"),
)


class Letter(Protocol):
    """What is read here of `channels.letter.OutboundLetter`, which says what each field means."""

    # fmt: off
    @property
    def notice(self) -> str: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def html(self) -> str | None: ...  # noqa: D102
    @property
    def message_id(self) -> str: ...  # noqa: D102
    # fmt: on


class Gap(NamedTuple):
    """A session whose numbers do not run from 1 to `last_seq`, of which `found` are there."""

    session: str
    last_seq: int
    found: int


class Transcript:
    """The book as the channel's adapter writes in it: `channels.port.Transcript`."""

    def __init__(self, database: Database) -> None:
        """Keep the book in this database."""
        self._database = database

    def reachable(self, session: str, now: datetime) -> bool:
        """Say whether the visitor can still read there: present, or with nowhere else that intake was told of.

        Once the session has ended nobody can.
        """
        with self._database.read() as reading:
            row = get(reading, session)
        if now >= row.expires_at:
            return False
        return now - row.seen_at <= PRESENT_FOR or not row.email_told

    def write(self, session: str, letter: Letter, now: datetime) -> str:
        """Put a letter before the visitor, once for its notice; return `<session>/<seq>`.

        KeyError when there is no such session.
        """
        event = ChatEvent(
            session=session,
            seq=0,
            kind=LETTER,
            key=letter.notice,
            message_id=letter.message_id,
            reference=letter.notice.partition("/")[0],
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            at=now,
        )
        with self._database.write() as writing:
            written, _ = add(writing, event)
        return f"{session}/{written.seq}"


def add(session: Session, event: ChatEvent) -> tuple[ChatEvent, bool]:
    """Write an event under the session's next number: the row, and True when it is new.

    One with the same kind and key gives the first row and False. KeyError when there is no such session.
    """
    row = hold(session, event.session)
    known = find(session, event.session, event.kind, event.key)
    if known is not None:
        return known, False
    event.seq = row.last_seq = row.last_seq + 1
    if event.kind == MESSAGE:
        row.seen_at = max(row.seen_at, event.at)
    session.add(event)
    put(session, row)
    return event, True


def find(session: Session, session_id: str, kind: str, key: str) -> ChatEvent | None:
    """Return an event by its kind and key, or None."""
    return session.exec(_BY_KEY, params={"session": session_id, "kind": kind, "key": key}).first()


def place(session: Session, message: StoredMessage, reference: str) -> None:
    """What a visitor said belongs to that inquiry. Nothing where it was said elsewhere than here.

    Its id is `<session>/<key>`, as `channels.chat.post` makes it; that of a mail may look so because somebody wants it.
    """
    if message.channel != CHAT:
        return
    of, _, key = message.provider_id.partition("/")
    event = find(session, of, MESSAGE, key)
    if event is not None:
        event.reference = reference
        session.add(event)


def events(session: Session, session_id: str, after: int, limit: int) -> list[ChatEvent]:
    """Return what comes after a number, in order."""
    query = select(ChatEvent).where(col(ChatEvent.session) == session_id, col(ChatEvent.seq) > after)
    return list(session.exec(query.order_by(col(ChatEvent.seq)).limit(limit)))


def unread(session: Session, session_id: str, until: int) -> list[ChatEvent]:
    """Return the letters up to a number that the visitor had not seen."""
    query = select(ChatEvent).join(ChatSession, col(ChatSession.id) == col(ChatEvent.session))
    query = query.where(col(ChatEvent.session) == session_id, col(ChatEvent.kind) == LETTER)
    query = query.where(col(ChatEvent.seq) > col(ChatSession.read_seq), col(ChatEvent.seq) <= until)
    return list(session.exec(query.order_by(col(ChatEvent.seq))))


def seen(session: Session, session_id: str, until: int, now: datetime) -> int:
    """The visitor has seen everything up to a number; return how far that is now. KeyError for an unknown session."""
    row = hold(session, session_id)
    row.read_seq = max(row.read_seq, min(until, row.last_seq))
    settle(session, session_id, row.read_seq, now)
    return put(session, row).read_seq


def abandoned(session: Session, now: datetime, limit: int = 100) -> list[ChatEvent]:
    """Return letters that nobody will see where they were put: the session has ended, or its visitor has left it.

    Who left without having given an e-mail address may come back as long as the session lasts.
    """
    left = and_(
        col(ChatEvent.at) < now - PRESENT_FOR,
        col(ChatSession.seen_at) < now - PRESENT_FOR,
        col(ChatSession.email_told).is_(True),
    )
    query = select(ChatEvent).join(ChatSession, col(ChatSession.id) == col(ChatEvent.session))
    query = query.where(col(ChatEvent.kind) == LETTER, col(ChatEvent.settled_at).is_(None))
    query = query.where(or_(left, col(ChatSession.expires_at) <= now), col(ChatSession.read_seq) < col(ChatEvent.seq))
    return list(session.exec(query.order_by(col(ChatEvent.at)).limit(limit)))


def settle(session: Session, session_id: str, until: int, now: datetime) -> None:
    """Nothing more is to be told of the letters up to a number."""
    these = col(ChatEvent.session) == session_id, col(ChatEvent.kind) == LETTER, col(ChatEvent.seq) <= until
    query = update(ChatEvent).where(*these, col(ChatEvent.settled_at).is_(None))
    session.connection().execute(query.values(settled_at=now))


def gaps(session: Session, since: datetime | None = None) -> list[Gap]:
    """Return the sessions whose numbers do not run from 1 without a gap; an empty list proves that none is missing.

    With `since`, aware UTC, only those whose visitor was there after that.
    """
    found = func.count(col(ChatEvent.seq))
    highest, lowest = func.max(col(ChatEvent.seq)), func.min(col(ChatEvent.seq))
    query = (
        select(ChatSession.id, ChatSession.last_seq, found)
        .join(ChatEvent, col(ChatEvent.session) == col(ChatSession.id), isouter=True)
        .group_by(col(ChatSession.id), col(ChatSession.last_seq))
        .having(
            (found != col(ChatSession.last_seq))
            | (func.coalesce(highest, 0) != col(ChatSession.last_seq))
            | (func.coalesce(lowest, 1) != 1)
        )
    )
    if since is not None:
        query = query.where(col(ChatSession.seen_at) >= since)
    return [Gap(*row) for row in session.exec(query.order_by(col(ChatSession.id)))]
