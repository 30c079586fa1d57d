"""The chat's book: numbers without gaps, letters once, and who can still be reached there."""

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from models.tables import ChatEvent
from records import chat, chat_sessions
from records.chat import LETTER, MESSAGE, Gap, Transcript
from records.database import Database
from tests.records.mail import NOW

LIVES = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@dataclass
class Letter:
    notice: str = "RX-7KQ4-M2PD/reply/1"
    subject: str = "Su retiro"
    text: str = "Su retiro llegó."
    html: str | None = None
    message_id: str = "1@example.org"


def opened(database: Database, **said: Any) -> tuple[str, str]:
    with database.write() as session:
        row, token = chat_sessions.open_session(session, NOW, lives=LIVES, **said)
    return row.id, token


def say(database: Database, visitor: str, key: str = "a", text: str = "Hola") -> tuple[int, bool]:
    event = ChatEvent(session=visitor, seq=0, kind=MESSAGE, key=key, message_id=key, text=text, at=NOW)
    with database.write() as session:
        row, new = chat.add(session, event)
    return row.seq, new


def test_a_session_is_found_by_its_token_while_it_lasts(database: Database) -> None:
    visitor, token = opened(database, email="ana@example.org", name="Ana", language="es")
    with database.read() as session:
        found = chat_sessions.by_token(session, token, NOW + LIVES - MINUTE)
        assert found is not None
        assert (found.id, found.email, found.name, found.language) == (visitor, "ana@example.org", "Ana", "es")
        assert token not in found.model_dump_json()
        assert chat_sessions.by_token(session, token, NOW + LIVES) is None
        for other in ("", token[:-1], token + "x", visitor, "\ud800"):
            assert chat_sessions.by_token(session, other, NOW) is None
        with pytest.raises(KeyError, match="cs_none"):
            chat_sessions.get(session, "cs_none")
    assert len(token) >= 43, "256 bits"


def test_numbers_run_without_a_gap_and_a_repetition_gets_the_first(database: Database) -> None:
    visitor, _ = opened(database)
    other, _ = opened(database)
    book = Transcript(database)
    assert say(database, visitor, "a") == (1, True)
    assert book.write(visitor, Letter(), NOW) == f"{visitor}/2"
    assert say(database, visitor, "a", "other words") == (1, False)
    assert book.write(visitor, Letter(text="other words"), NOW) == f"{visitor}/2"
    assert say(database, other, "a") == (1, True)
    assert say(database, visitor, "b") == (3, True)
    with database.read() as session:
        found = chat.events(session, visitor, 0, 10)
        assert [(one.seq, one.kind, one.text) for one in found] == [
            (1, MESSAGE, "Hola"),
            (2, LETTER, "Su retiro llegó."),
            (3, MESSAGE, "Hola"),
        ]
        assert found[1].reference == "RX-7KQ4-M2PD"
        assert [one.seq for one in chat.events(session, visitor, 1, 1)] == [2]
        assert chat.gaps(session) == []


def test_many_writers_at_once_leave_no_gap(database: Database, records_url: str) -> None:
    visitor, _ = opened(database)
    second = Database(records_url)

    def write(book: Database, name: str) -> None:
        for n in range(10):
            say(book, visitor, f"{name}{n % 8}")

    threads = [threading.Thread(target=write, args=(book, name)) for book in (database, second) for name in "abab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    with database.read() as session:
        assert [one.seq for one in chat.events(session, visitor, 0, 100)] == list(range(1, 17))
        assert chat.gaps(session) == []


def test_what_fails_takes_no_number(database: Database) -> None:
    visitor, _ = opened(database)
    event = ChatEvent(session=visitor, seq=0, kind=MESSAGE, key="a", message_id="a", text="x", at=NOW)

    def killed() -> None:
        with database.write() as session:
            chat.add(session, event)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        killed()
    assert say(database, visitor, "b") == (1, True)
    with pytest.raises(KeyError):
        say(database, "cs_none")


@pytest.mark.parametrize(
    "broken", ["DELETE FROM chat_events WHERE seq = 2", "UPDATE chat_events SET seq = 0 WHERE seq = 1"]
)
def test_a_gap_is_found(database: Database, broken: str) -> None:
    visitor, _ = opened(database)
    opened(database)
    for key in "abc":
        say(database, visitor, key)
    with database.write() as session:
        session.connection().exec_driver_sql(broken)
    with database.read() as session:
        assert chat.gaps(session) == [Gap(visitor, 3, 2 if "DELETE" in broken else 3)]


@pytest.mark.rule("M4.2")
def test_a_visitor_can_be_reached_while_there_or_with_nowhere_else(database: Database) -> None:
    visitor, _ = opened(database)
    book = Transcript(database)
    assert book.reachable(visitor, NOW + LIVES - MINUTE), "nowhere else"
    assert not book.reachable(visitor, NOW + LIVES), "nobody can read an ended session"
    with database.write() as session:
        chat_sessions.describe(session, visitor, email="ana@example.org", name=None)
    assert book.reachable(visitor, NOW + timedelta(hours=1)), "intake does not know the address yet"
    with database.write() as session:
        chat_sessions.told(session, visitor, "other@example.org")
        chat_sessions.told(session, visitor, "ana@example.org")
    assert book.reachable(visitor, NOW + 2 * MINUTE)
    assert not book.reachable(visitor, NOW + 2 * MINUTE + timedelta(seconds=1))
    with database.write() as session:
        chat_sessions.present(session, [visitor], NOW + 5 * MINUTE)
    assert book.reachable(visitor, NOW + 7 * MINUTE)
    with database.write() as session:
        changed = chat_sessions.describe(session, visitor, email="ana2@example.org", name="Ana")
    assert (changed.email_told, changed.name) == (False, "Ana")
    with pytest.raises(KeyError):
        book.reachable("cs_none", NOW)
    with pytest.raises(KeyError):
        book.write("cs_none", Letter(), NOW)


def test_a_message_shows_that_its_visitor_is_there(database: Database) -> None:
    visitor, _ = opened(database)
    event = ChatEvent(session=visitor, seq=0, kind=MESSAGE, key="a", message_id="a", text="x", at=NOW + 5 * MINUTE)
    with database.write() as session:
        chat.add(session, event)
    with database.read() as session:
        assert chat_sessions.get(session, visitor).seen_at == NOW + 5 * MINUTE


def test_letters_are_seen_up_to_a_number_and_only_forwards(database: Database) -> None:
    visitor, _ = opened(database)
    book = Transcript(database)
    say(database, visitor)
    for n in (1, 2, 3):
        book.write(visitor, Letter(notice=f"RX-7KQ4-M2PD/reply/{n}"), NOW)
    with database.write() as session:
        assert [one.seq for one in chat.unread(session, visitor, 3)] == [2, 3]
        assert chat.seen(session, visitor, 3, NOW) == 3
        assert chat.seen(session, visitor, 1, NOW) == 3
        assert [one.seq for one in chat.unread(session, visitor, 99)] == [4]
        assert chat.seen(session, visitor, 99, NOW) == 4, "nobody sees what is not written"
        assert chat.unread(session, visitor, 99) == []


@pytest.mark.rule("M4.2")
def test_letters_in_an_ended_session_are_found_whoever_it_was(database: Database) -> None:
    visitor, _ = opened(database)
    book = Transcript(database)
    for n in (1, 2):
        book.write(visitor, Letter(notice=f"RX-7KQ4-M2PD/reply/{n}"), NOW)
    with database.write() as session:
        chat.seen(session, visitor, 1, NOW)
        chat_sessions.present(session, [visitor], NOW + LIVES)
        assert chat.abandoned(session, NOW + LIVES - MINUTE) == [], "they may come back"
        assert [one.seq for one in chat.abandoned(session, NOW + LIVES)] == [2]
        chat.settle(session, visitor, 2, NOW + LIVES)
        assert chat.abandoned(session, NOW + LIVES) == []


@pytest.mark.rule("M4.2")
def test_letters_left_unseen_are_found_once_the_visitor_has_gone(database: Database) -> None:
    visitor, _ = opened(database, email="ana@example.org")
    silent, _ = opened(database)
    book, later = Transcript(database), NOW + 3 * MINUTE
    for n in (1, 2):
        book.write(visitor, Letter(notice=f"RX-7KQ4-M2PD/reply/{n}"), NOW)
    book.write(silent, Letter(notice="RX-7KQ4-M2PE/reply/1"), NOW)
    with database.write() as session:
        assert chat.abandoned(session, later) == []
        chat_sessions.told(session, visitor, "ana@example.org")
        assert chat.abandoned(session, NOW + MINUTE) == []
        chat.seen(session, visitor, 1, NOW)
        assert [one.seq for one in chat.abandoned(session, later)] == [2]
        chat_sessions.present(session, [visitor], later)
        assert chat.abandoned(session, later) == [], "they are back"
        later += 3 * MINUTE
        chat.settle(session, visitor, 2, later)
        assert chat.abandoned(session, later) == []


def test_a_ticket_is_good_once_and_not_for_long(database: Database) -> None:
    visitor, _ = opened(database)
    with database.write() as session:
        ticket, late, over = (chat_sessions.new_ticket(session, visitor, NOW) for _ in range(3))
        found = chat_sessions.redeem(session, ticket, NOW)
        assert found is not None
        assert found.id == visitor
        assert chat_sessions.redeem(session, ticket, NOW) is None
        assert chat_sessions.redeem(session, "none", NOW) is None
        assert chat_sessions.redeem(session, late, NOW + chat_sessions.TICKET_LIVES) is None
        chat_sessions.new_ticket(session, visitor, NOW + MINUTE)
        assert chat_sessions.redeem(session, over, NOW) is None, "those out of date are swept away"
