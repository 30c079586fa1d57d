"""What is done with goes after its time, a batch at a time; what waits, is young, or is proof stays."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from sqlite3 import Cursor

import pytest
from sqlalchemy import Connection, event
from sqlmodel import Session, SQLModel, func, select

from models.inquiry import EMAIL
from models.tables import (
    Binding,
    ChatEvent,
    ChatSession,
    ChatTicket,
    Dispatch,
    GrantRow,
    RemoteFile,
    StoredAnswer,
    StoredMessage,
)
from records import bindings, chat, chat_sessions, contacts, dispatches, keys, messages, purging, visibility
from records.database import Database
from records.documents import FolderStore
from records.purging import SPENT
from starter.collector import now, purge_spent
from tests.records.mail import NOW, message

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
BEFORE = NOW + 100 * DAY


def purge(database: Database, table: type[SQLModel]) -> int:
    (spent,) = (one for one in SPENT if one.table is table)
    ripe = purging.ripe(database, spent, BEFORE)
    return sum(iter(lambda: purging.purge(database, spent, ripe, most=2), 0))


def count(database: Database, table: type[SQLModel]) -> int:
    with database.read() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def answer(session: Session, key: str, at: datetime) -> None:
    keys.remember(session, key, "agent-1", "f", status=200, body={"reference": "RX-1"}, now=at)


def hand_over(session: Session, reference: str, at: datetime, done: datetime | None) -> None:
    row = dispatches.add(session, reference, "start", {}, at)
    if done:
        dispatches.done(session, row.number, done)


def test_an_answer_is_given_again_for_its_time_and_no_longer(database: Database) -> None:
    with database.write() as session:
        for n in range(5):
            answer(session, f"old-{n}", BEFORE - MINUTE)
        answer(session, "young", BEFORE)
    assert purge(database, StoredAnswer) == 5
    with database.read() as session:
        assert keys.recall(session, "young", "agent-1", "f")
        assert keys.recall(session, "old-1", "agent-1", "f") is None


def test_only_what_temporal_has_had_for_long_goes(database: Database) -> None:
    with database.write() as session:
        hand_over(session, "RX-WAITS", NOW, None)
        for n in range(3):
            hand_over(session, f"RX-{n}", NOW, BEFORE - MINUTE)
        hand_over(session, "RX-YOUNG", NOW, BEFORE)
        hand_over(session, "RX-YOUNGER", BEFORE, BEFORE)
    assert purge(database, Dispatch) == 3
    with database.read() as session:
        left = session.exec(select(Dispatch.reference).order_by("id")).all()
        assert left == ["RX-WAITS", "RX-YOUNG", "RX-YOUNGER"]
        assert dispatches.waiting(session).total == 1


@pytest.mark.sqlite
def test_nobody_waits_for_the_turn_while_the_backlog_is_looked_through(database: Database) -> None:
    with database.write() as session:
        for n in range(5):
            hand_over(session, f"RX-{n}", NOW, BEFORE - MINUTE)
        hand_over(session, "RX-YOUNG", BEFORE, BEFORE)
    plans: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def ask(connection: Connection, cursor: Cursor, statement: str, parameters: Sequence[object], *_: object) -> None:
        if connection.get_execution_options().get("plazo_writes") and "dispatches" in statement:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[-1] for row in cursor.fetchall())

    assert purge(database, Dispatch) == 5
    assert plans
    assert not [step for step in plans if step.startswith("SCAN dispatches")], plans


def test_where_nothing_is_young_all_that_is_done_goes(database: Database) -> None:
    with database.write() as session:
        hand_over(session, "RX-1", NOW, NOW)
        hand_over(session, "RX-2", NOW, None)
    assert purge(database, Dispatch) == 1


def test_the_note_of_a_file_goes_once_it_was_fetched(database: Database, files: FolderStore) -> None:
    mail = message()
    filed = messages.file(mail, mail.raw, files)
    with database.write() as session:
        row, _ = messages.store(session, mail, filed, NOW)
        for done_at in (NOW, BEFORE, None):
            session.add(
                RemoteFile(
                    message=row.id,
                    channel=EMAIL,
                    remote_id="f",
                    filename="f",
                    content_type="image/png",
                    created_at=NOW,
                    done_at=done_at,
                )
            )
    assert purge(database, RemoteFile) == 1
    assert (count(database, RemoteFile), count(database, StoredMessage)) == (2, 1)


def test_codes_that_are_over_go(database: Database) -> None:
    with database.write() as session:
        contact, _ = contacts.find_or_add(session, EMAIL, "ana@example.org", now=NOW)
        old, _ = bindings.make(session, contact, bound=True, made_by="s-1", now=NOW)
        young, _ = bindings.make(session, contact, bound=True, made_by="s-1", now=BEFORE - MINUTE)
    assert purge(database, Binding) == 1
    with database.write() as session:
        assert bindings.find(session, young, BEFORE)
        assert bindings.find(session, old, NOW) is None


def test_glass_that_is_whole_again_goes(database: Database) -> None:
    with database.write() as session:
        visibility.grant(session, "RX-1", "cx-lead", NOW, BEFORE - MINUTE)
        visibility.grant(session, "RX-2", "cx-lead", NOW, BEFORE)
    assert purge(database, GrantRow) == 1
    with database.read() as session:
        assert visibility.granted(session, "RX-2", "cx-lead", BEFORE - MINUTE)


def visit(session: Session, key: str, kind: str = chat.MESSAGE, lives: timedelta = DAY) -> str:
    """A session with a ticket and one thing said in it; return its id."""
    row, _ = chat_sessions.open_session(session, NOW, lives=lives, email="ana@example.org")
    chat_sessions.new_ticket(session, row.id, NOW)
    chat.add(session, ChatEvent(session=row.id, seq=0, kind=kind, key=key, message_id="", text="words", at=NOW))
    return row.id


def test_a_chat_goes_with_its_book_long_after_it_ended(database: Database) -> None:
    with database.write() as session:
        visit(session, "old")
        lasting = visit(session, "lasting", lives=200 * DAY)
        seen = visit(session, "RX-1/reply/1", chat.LETTER)
        chat.seen(session, seen, 1, NOW)
        unseen = visit(session, "RX-2/reply/1", chat.LETTER)
    assert purge(database, ChatSession) == 2
    with database.read() as session:
        assert set(session.exec(select(ChatSession.id))) == {lasting, unseen}
        assert set(session.exec(select(ChatEvent.session))) == {lasting, unseen}
        assert chat.gaps(session) == []
        assert [one.session for one in chat.abandoned(session, BEFORE)] == [unseen]
    with database.write() as session:
        chat.settle(session, unseen, 1, BEFORE)
    assert purge(database, ChatSession) == 1
    assert (count(database, ChatEvent), count(database, ChatTicket)) == (1, 1)
    with pytest.raises(KeyError):
        chat.Transcript(database).reachable(unseen, BEFORE)


def test_the_collector_takes_all_of_it_away_in_batches_and_nothing_younger(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.collector.BREATH", 0)
    with database.write() as session:
        for n in range(purging.AT_ONCE + 1):
            answer(session, f"old-{n}", now() - 31 * DAY)
        answer(session, "young", now() - 29 * DAY)
        hand_over(session, "RX-1", now() - 31 * DAY, now() - 31 * DAY)
    stop = threading.Event()
    stop.set()
    purge_spent(database, 30 * DAY, stop)
    assert count(database, StoredAnswer) == purging.AT_ONCE + 2, "told to stop it begins nothing"
    purge_spent(database, 30 * DAY, threading.Event())
    assert (count(database, StoredAnswer), count(database, Dispatch)) == (1, 0)


def test_what_is_looked_at_again_before_it_goes_may_stay(database: Database) -> None:
    """A letter was put there between the look and the writers' turn."""
    with database.write() as session:
        there = visit(session, "old")
    (spent,) = (one for one in SPENT if one.table is ChatSession)
    write: Callable[..., object] = database.write

    def late(*args: object) -> object:
        with write() as session:  # type: ignore[attr-defined]
            letter = ChatEvent(session=there, seq=0, kind=chat.LETTER, key="k", message_id="", text="t", at=NOW)
            chat.add(session, letter)
        return write(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "write", late)
        assert purging.purge(database, spent, spent.ripe(BEFORE)) == 0
    assert count(database, ChatSession) == 1
