"""The ledger only grows, has one writer a chain, and its texts can go without breaking it."""

from datetime import timedelta

import pytest
from sqlmodel import Session, text

from models.case import Case
from models.errors import LedgerError
from models.ledger import GENESIS, Event
from records import cases, ledger
from records.database import Database
from tests.cases import MONDAY, do, new_case


def let_delete(session: Session) -> None:
    """Do what only the database's owner could: take the guard away."""
    on_postgresql = session.connection().dialect.name == "postgresql"
    guard = "ALTER TABLE events DISABLE TRIGGER events_no_change" if on_postgresql else "DROP TRIGGER events_no_delete"
    session.connection().execute(text(guard))


def opened(database: Database) -> tuple[Case, list[Event]]:
    case = do(new_case(), "note", MONDAY + timedelta(hours=1), text="La usuaria llamó.")
    with database.write() as session:
        cases.add(session, case, subject="", excerpt="", status_token="t")
    return case, case.seal()


def test_events_come_back_as_they_were_sealed(database: Database) -> None:
    case, events = opened(database)
    with database.write() as session:
        assert ledger.append(session, events) == len(events)
    with database.read() as session:
        assert ledger.of_case(session, case.reference) == events
        assert ledger.verify(session, case.reference) == case.head
        assert ledger.verify(session, "RX-NONE") == GENESIS
        assert ledger.references(session) == [case.reference]
    assert any(event.texts for event in events)


def test_the_same_events_again_change_nothing(database: Database) -> None:
    case, events = opened(database)
    with database.write() as session:
        assert ledger.append(session, events[:2]) == 2
    with database.write() as session:
        assert ledger.append(session, events) == len(events) - 2
        assert ledger.append(session, [*events, *events]) == 0
        assert ledger.append(session, []) == 0
    with database.read() as session:
        assert ledger.verify(session, case.reference) == case.head


def test_doubles_within_one_append_are_skipped(database: Database) -> None:
    _, events = opened(database)
    with database.write() as session:
        assert ledger.append(session, [*events, events[-1]]) == len(events)


def test_several_chains_in_one_append(database: Database) -> None:
    _, events = opened(database)
    other = new_case(reference="RX-2222-2222").seal()
    mixed = [one for pair in zip(events, other, strict=False) for one in pair]
    with database.write() as session:
        assert ledger.append(session, mixed) == len(mixed)
        assert ledger.references(session) == ["RX-2222-2222", "RX-7KQ4-M2PD"]


def test_another_history_under_the_same_numbers_is_refused(database: Database) -> None:
    _, events = opened(database)
    other = new_case(now=MONDAY + timedelta(minutes=5)).seal()
    with database.write() as session:
        ledger.append(session, events)
    with pytest.raises(LedgerError, match="event 1: the ledger holds another event"), database.write() as session:
        ledger.append(session, other)


def test_gaps_breaks_and_forgeries_are_refused_and_nothing_is_kept(database: Database) -> None:
    case, events = opened(database)
    wrong_end = events[1].model_copy(update={"previous": "f" * 64})
    forged = events[1].model_copy(update={"rule": "M9.9"})
    for batch, problem in (
        ([events[0], events[2]], "expected number 2"),
        ([events[0], wrong_end], "does not follow"),
        ([events[0], forged], "not what its hash was made of"),
    ):
        with pytest.raises(LedgerError, match=problem), database.write() as session:
            ledger.append(session, batch)
    with database.read() as session:
        assert ledger.of_case(session, case.reference) == []


def test_a_chain_whose_end_was_cut_off_is_found(database: Database) -> None:
    case, events = opened(database)
    with database.write() as session:
        ledger.append(session, events)
        cases.project(session, case)
        assert ledger.verify(session, case.reference) == case.head
        let_delete(session)
        session.connection().execute(text("DELETE FROM events WHERE seq = :seq"), {"seq": case.seq})
    with database.read() as session, pytest.raises(LedgerError, match="cut or replaced"):
        ledger.verify(session, case.reference)


def test_a_case_whose_chain_is_gone_is_named_and_found(database: Database) -> None:
    case, events = opened(database)
    with database.write() as session:
        ledger.append(session, events)
        cases.project(session, case)
        let_delete(session)
        session.connection().execute(text("DELETE FROM events"))
    with database.read() as session:
        assert ledger.references(session) == [case.reference]
        with pytest.raises(LedgerError, match="cut or replaced"):
            ledger.verify(session, case.reference)


def test_a_text_that_was_changed_is_found_and_one_that_was_erased_is_not_missed(database: Database) -> None:
    case, events = opened(database)
    with database.write() as session:
        ledger.append(session, events)
    with database.write() as session:
        session.connection().execute(text("UPDATE event_texts SET text = 'something else'"))
    with database.read() as session, pytest.raises(LedgerError, match="not the one that was sealed"):
        ledger.verify(session, case.reference)
    with database.write() as session:
        session.connection().execute(text("DELETE FROM event_texts"))
        session.connection().execute(text("DELETE FROM salts"))
    with database.read() as session:
        assert ledger.verify(session, case.reference) == case.head
        assert not any(event.texts for event in ledger.of_case(session, case.reference))
