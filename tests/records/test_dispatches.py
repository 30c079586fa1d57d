"""The queue to Temporal: nothing lost, nothing overtakes."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import Cursor
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from models.tables import Dispatch
from records import dispatches
from records.database import Database
from tests.databases import Template
from tests.records.mail import NOW


def claim(database: Database, now: datetime = NOW, *, limit: int = 100, lease: float = 30) -> list[int]:
    with database.write() as session:
        return [row.number for row in dispatches.claim(session, now, lease_seconds=lease, limit=limit)]


def add(database: Database, reference: str, name: str = "receive_message", not_before: datetime | None = None) -> int:
    with database.write() as session:
        return dispatches.add(session, reference, name, {"key": "k"}, NOW, not_before=not_before).number


def done(database: Database, number: int) -> None:
    with database.write() as session:
        dispatches.done(session, number, NOW)


def test_a_conversation_goes_in_order_and_others_beside_it(database: Database) -> None:
    start, message = add(database, "RX-1", "start"), add(database, "RX-1")
    other = add(database, "RX-2", "start")
    assert claim(database) == [start, other]
    assert claim(database) == []
    done(database, start)
    assert claim(database) == [message]
    done(database, message)
    done(database, other)
    with database.read() as session:
        assert dispatches.waiting(session) == (0, {}, None)


def test_a_failure_holds_the_rest_of_its_conversation_back(database: Database) -> None:
    start, message = add(database, "RX-1", "start"), add(database, "RX-1")
    assert claim(database) == [start]
    later = NOW + timedelta(seconds=10)
    with database.write() as session:
        assert dispatches.retry(session, start, "Unavailable" * 100, later, refused=False) == 1
    assert claim(database) == []
    assert claim(database, later) == [start]
    with database.read() as session:
        waiting = dispatches.waiting(session)
        assert waiting == (2, {"start": 1, "receive_message": 1}, NOW)
        first, second = dispatches.undone(session, "RX-1")
        assert (first.attempts, len(first.last_error), second.number) == (1, 500, message)
    done(database, start)
    with database.write() as session:
        assert dispatches.retry(session, start, "late news", later, refused=True) == 1
    assert claim(database, later) == [message]


def test_only_what_somebody_refused_counts_as_refused(database: Database) -> None:
    start = add(database, "RX-1", "start")
    with database.write() as session:
        for n in range(10):
            dispatches.retry(session, start, "why", NOW, refused=n in {3, 7})
    with database.read() as session:
        (row,) = dispatches.undone(session, "RX-1")
    assert (row.attempts, row.refusals) == (10, 2)


def test_a_lease_that_ran_out_is_free_again(database: Database) -> None:
    start = add(database, "RX-1", "start")
    assert claim(database, lease=30) == [start]
    assert claim(database, NOW + timedelta(seconds=29)) == []
    assert claim(database, NOW + timedelta(seconds=30)) == [start]


def test_what_rests_on_purpose_lets_others_pass_until_it_is_due(database: Database) -> None:
    due = NOW + timedelta(minutes=10)
    resting = add(database, "RX-1", "notice_delivered", not_before=due)
    message = add(database, "RX-1")
    assert claim(database) == [message]
    done(database, message)
    last = add(database, "RX-1")
    assert claim(database, due) == [resting]
    done(database, resting)
    assert claim(database, due) == [last]


def test_delivered_letters_of_one_inquiry_travel_together(database: Database) -> None:
    due = NOW + timedelta(minutes=10)

    def deliver(reference: str, key: str, at: datetime) -> int:
        with database.write() as session:
            return dispatches.pending_delivered(session, reference, key, at, NOW, not_before=due).number

    first = deliver("RX-1", "RX-1/acknowledgement/1", NOW + timedelta(seconds=5))
    assert deliver("RX-1", "RX-1/extension/1", NOW + timedelta(seconds=3)) == first
    assert deliver("RX-1", "RX-1/extension/1", NOW + timedelta(seconds=3)) == first
    other = deliver("RX-2", "RX-2/acknowledgement/1", NOW)
    assert other != first
    with database.read() as session:
        (row,) = dispatches.undone(session, "RX-1")
    assert row.payload == {
        "notices": ["RX-1/acknowledgement/1", "RX-1/extension/1"],
        "at": (NOW + timedelta(seconds=5)).isoformat(),
    }
    assert claim(database, due) == [first, other]
    second = deliver("RX-1", "RX-1/final_upheld/1", NOW)
    assert second not in {first, other}
    with database.write() as session:
        dispatches.retry(session, first, "Unavailable", due, refused=False)
    assert deliver("RX-1", "RX-1/missed/1", NOW) == second
    done(database, first)
    done(database, second)
    assert deliver("RX-1", "RX-1/missed/2", NOW) not in {first, second}


def test_a_batch_has_an_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatches, "MOST_DELIVERED", 3)
    with database.write() as session:
        numbers = [
            dispatches.pending_delivered(session, "RX-1", f"RX-1/missed/{n}", NOW, NOW, not_before=NOW).number
            for n in range(4)
        ]
    assert len(set(numbers)) == 2


def test_several_dispatchers_never_share_a_row_nor_overtake(database: Database) -> None:
    added = [(f"RX-{n % 7}", add(database, f"RX-{n % 7}")) for n in range(70)]
    sent: dict[str, list[int]] = defaultdict(list)

    def dispatcher(_: int) -> None:
        while True:
            with database.write() as session:
                rows = dispatches.claim(session, NOW, lease_seconds=60, limit=3)
                left = dispatches.waiting(session).total
            if not left:
                return
            for row in rows:
                sent[row.reference].append(row.number)
                done(database, row.number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(dispatcher, range(4)))
    for reference in {reference for reference, _ in added}:
        assert sent[reference] == [number for owner, number in added if owner == reference]


@pytest.mark.sqlite
def test_what_was_ever_done_is_not_looked_at_again(database: Database) -> None:
    asked: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def ask(_connection: object, cursor: Cursor, statement: str, parameters: Sequence[object], *_: object) -> None:
        if statement.startswith("SELECT") and "LIMIT" in statement:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            asked.extend(row[-1] for row in cursor.fetchall())

    claim(database)
    assert any("ix_dispatches_oldest" in step for step in asked), asked


def test_an_unknown_number_is_an_error(database: Database) -> None:
    with pytest.raises(KeyError, match="99"), database.write() as session:
        dispatches.done(session, 99, NOW)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("ABC"), st.integers(0, 3)),
        st.tuples(st.just("claim"), st.integers(1, 4), st.integers(0, 2)),
        st.tuples(st.just("done"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("retry"), st.integers(0, 5), st.integers(0, 3)),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_whatever_happens_a_conversation_keeps_its_order(
    blank_records: Template, steps: list[tuple[str, object, int]]
) -> None:
    """`add` with 3 rests on purpose; everything else must leave in the order it came in."""
    with TemporaryDirectory() as folder:
        database = Database(blank_records.copy(Path(folder)))
        added: dict[str, list[int]] = defaultdict(list)
        finished: list[int] = []
        held: list[tuple[str, int]] = []
        rests: dict[int, datetime] = {}
        tried: set[int] = set()
        for clock, (verb, one, two) in enumerate(steps, 1):
            now = NOW + timedelta(seconds=clock)
            with database.write() as session:
                match verb:
                    case "add":
                        rest = now + timedelta(seconds=5) if two == 3 else None
                        row = dispatches.add(session, str(one), "receive_message", {}, now, not_before=rest)
                        added[str(one)].append(row.number)
                        if rest:
                            rests[row.number] = rest
                    case "claim":
                        for row in dispatches.claim(session, now, lease_seconds=two * 2, limit=int(str(one))):
                            for before in added[row.reference][: added[row.reference].index(row.number)]:
                                resting = before not in tried and before in rests and rests[before] > now
                                assert before in finished or resting
                            assert row.number not in finished
                            held.append((row.reference, row.number))
                    case "done" if held:
                        _, number = held.pop(int(str(one)) % len(held))
                        dispatches.done(session, number, now)
                        finished.append(number)
                    case "retry" if held:
                        _, number = held.pop(int(str(one)) % len(held))
                        dispatches.retry(session, number, "Unavailable", now + timedelta(seconds=two), refused=False)
                        tried.add(number)
                    case _:
                        pass
        for _ in range(sum(map(len, added.values())) + 1):
            with database.write() as session:
                end = NOW + timedelta(hours=1)
                for row in dispatches.claim(session, end, lease_seconds=0, limit=100):
                    dispatches.done(session, row.number, end)
        with database.read() as session:
            assert dispatches.waiting(session).total == 0
        database.close()


def test_a_row_that_was_never_stored_has_no_number() -> None:
    with pytest.raises(ValueError, match="never stored"):
        _ = Dispatch(reference="RX-7KQ4-M2PD", name="start", payload={}, created_at=NOW).number
