"""What is done with and of no more use goes, a batch at a time: hand-overs, kept answers, codes, chats that have ended.

What proves anything stays: the ledger, messages, letters and what providers reported of them, the audit log; and what
tells a repetition for one, whenever it comes: messages, the events of trackers, what was lost before a restore.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, select, tuple_
from sqlmodel import Session, SQLModel, col

from models.tables import Binding, ChatEvent, ChatSession, ChatTicket, Dispatch, GrantRow, RemoteFile, StoredAnswer
from records.chat import LETTER
from records.database import Database

AT_ONCE = 200
"""Rows of one transaction, so that nobody waits long for their turn to write."""

Ripe = tuple[ColumnElement[bool], ...]
"""What is true of rows that may go."""


class Spent(NamedTuple):
    """The rows of a table that may go: `key` names one, `ripe` picks those that lie before a moment (aware UTC).

    What refers to one by a column of `parts` goes with it. `rising` is a number that rises with a time: no row is
    looked at that comes after the first young one.
    """

    table: type[SQLModel]
    key: tuple[Any, ...]
    ripe: Callable[[datetime], Ripe]
    parts: tuple[Any, ...] = ()
    rising: tuple[Any, Any] | None = None


def _ended_chats(before: datetime) -> Ripe:
    """Nobody can open them any more, and no letter waits in them to be sent elsewhere."""
    unseen = (
        select(col(ChatEvent.seq))
        .where(
            col(ChatEvent.session) == col(ChatSession.id),
            col(ChatEvent.kind) == LETTER,
            col(ChatEvent.settled_at).is_(None),
            col(ChatEvent.seq) > col(ChatSession.read_seq),
        )
        .exists()
    )
    return (col(ChatSession.expires_at) < before, ~unseen)


SPENT = (
    Spent(StoredAnswer, (StoredAnswer.actor, StoredAnswer.key), lambda day: (col(StoredAnswer.created_at) < day,)),
    Spent(
        Dispatch,
        (Dispatch.id,),
        lambda day: (col(Dispatch.done_at) < day,),
        rising=(Dispatch.id, Dispatch.created_at),
    ),
    Spent(
        RemoteFile,
        (RemoteFile.id,),
        lambda day: (col(RemoteFile.done_at) < day,),
        rising=(RemoteFile.id, RemoteFile.created_at),
    ),
    Spent(Binding, (Binding.digest,), lambda day: (col(Binding.ends_at) < day,)),
    Spent(GrantRow, (GrantRow.id,), lambda day: (col(GrantRow.until) < day,)),
    Spent(ChatSession, (ChatSession.id,), _ended_chats, (ChatEvent.session, ChatTicket.session)),
)


def ripe(database: Database, spent: Spent, before: datetime) -> Ripe:
    """Return what may go, for any number of batches: the first young row, once it is known, stays that."""
    if spent.rising is None:
        return spent.ripe(before)
    number, at = spent.rising
    first_young = select(number).where(col(at) >= before).order_by(number).limit(1)
    with database.read() as session:
        young = session.connection().execute(first_young).scalar()
    return spent.ripe(before) if young is None else (*spent.ripe(before), col(number) < young)


def purge(database: Database, spent: Spent, ripe: Ripe, most: int = AT_ONCE) -> int:
    """Take a batch away; return how many rows it was, 0 once there are none. Raises RecordsUnavailable.

    They are looked for without the writers' turn, and under it by their keys alone.
    """
    with database.read() as session:
        found = session.connection().execute(select(*spent.key).where(*ripe).limit(most)).all()
    if not found:
        return 0
    with database.write() as session:
        return _take_away(session, spent, [tuple(row) for row in found], ripe)


def _take_away(session: Session, spent: Spent, keys: list[tuple[Any, ...]], ripe: Ripe) -> int:
    # Looked at again: a chat may have got a letter since.
    still = (tuple_(*spent.key).in_(keys), *ripe)
    rows = [tuple(row) for row in session.connection().execute(select(*spent.key).where(*still))]
    for part in spent.parts:
        session.connection().execute(delete(part.class_).where(col(part).in_([row[0] for row in rows])))
    session.connection().execute(delete(spent.table).where(tuple_(*spent.key).in_(rows)))
    return len(rows)
