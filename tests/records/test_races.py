"""Many at once, from two processes' engines, on PostgreSQL: what one writer at a time promises holds there too."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest

from models.area_work import Incident
from models.errors import Refused
from models.inquiry import EMAIL
from models.tables import ChatEvent, Notice, NoticeEvent, Salt
from records import (
    bindings,
    cases,
    chat,
    chat_sessions,
    contacts,
    dispatches,
    feeds,
    incidents,
    keys,
    messages,
    notices,
)
from records.database import Database, add_once
from tests.cases import new_case
from tests.databases import Template
from tests.starter.mailbag import NOW, Bench, left
from tests.starter.talk import said

T = TypeVar("T")
MANY = 12
LEASE = timedelta(minutes=1)


class Pair:
    """Two engines on one database, as two processes have them."""

    def __init__(self, records_url: str) -> None:
        self.engines = Database(records_url, patience=30), Database(records_url, patience=30)

    @property
    def one(self) -> Database:
        return self.engines[0]

    def race(self, work: Callable[[Database, int], T], runners: int = MANY) -> list[T]:
        """Let all begin at the same moment; return what each got."""
        ready = threading.Barrier(runners)

        def run(n: int) -> T:
            ready.wait(30)
            return work(self.engines[n % 2], n)

        with ThreadPoolExecutor(runners) as pool:
            return list(pool.map(run, range(runners)))


@pytest.fixture
def pair(blank_on_postgresql: Template, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(blank_on_postgresql.copy(tmp_path))
    yield made
    for engine in made.engines:
        engine.close()


def test_one_of_many_adds_a_row(pair: Pair) -> None:
    def add(database: Database, n: int) -> bool:
        with database.write() as session:
            return add_once(session, Salt(reference="a", salt=str(n)))

    assert sum(pair.race(add)) == 1


def test_what_was_read_still_stands_when_it_is_written(pair: Pair) -> None:
    with pair.one.write() as session:
        session.add(Salt(reference="n", salt="0"))

    def count(database: Database, _n: int) -> None:
        for _ in range(5):
            with database.write() as session:
                row = session.get_one(Salt, "n")
                row.salt = str(int(row.salt) + 1)

    pair.race(count)
    with pair.one.read() as session:
        assert session.get_one(Salt, "n").salt == str(5 * MANY)


def test_one_person_who_writes_often_at_once_has_one_inquiry(pair: Pair, tmp_path: Path) -> None:
    def write(database: Database, n: int) -> bool:
        return Bench(database, tmp_path / "documents").intake.receive(said(n + 1, f"Parte {n + 1}")).new

    assert sum(pair.race(write)) == 1
    bench = Bench(pair.one, tmp_path / "documents")
    (reference,) = bench.references()
    assert [name for _, name in bench.rows()] == ["start", *["receive_message"] * (MANY - 1)]
    with pair.one.read() as session:
        assert len(messages.of_case(session, reference)) == MANY


def test_the_same_message_many_times_at_once_is_one(pair: Pair, tmp_path: Path) -> None:
    def write(database: Database, _n: int) -> bool:
        return Bench(database, tmp_path / "documents").intake.receive(said()).duplicate

    assert sum(not duplicate for duplicate in pair.race(write)) == 1


def test_an_address_has_one_contact(pair: Pair) -> None:
    def find(database: Database, _n: int) -> str:
        with database.write() as session:
            return contacts.find_or_add(session, EMAIL, "ana@example.org", now=NOW)[0]

    assert len(set(pair.race(find))) == 1


def test_numbers_in_a_chat_have_no_gap_and_no_double(pair: Pair) -> None:
    with pair.one.write() as session:
        visitor = chat_sessions.open_session(session, NOW, lives=LEASE)[0].id

    def say(database: Database, n: int) -> int:
        event = ChatEvent(session=visitor, seq=0, kind=chat.MESSAGE, key=str(n), message_id=str(n), text="", at=NOW)
        with database.write() as session:
            return chat.add(session, event)[0].seq

    assert sorted(pair.race(say)) == list(range(1, MANY + 1))
    with pair.one.read() as session:
        assert chat.gaps(session) == []


def test_a_ticket_opens_one_stream(pair: Pair) -> None:
    with pair.one.write() as session:
        visitor = chat_sessions.open_session(session, NOW, lives=LEASE)[0].id
        ticket = chat_sessions.new_ticket(session, visitor, NOW)

    def redeem(database: Database, _n: int) -> bool:
        with database.write() as session:
            return chat_sessions.redeem(session, ticket, NOW) is not None

    assert sum(pair.race(redeem)) == 1


def test_a_feed_has_one_holder(pair: Pair) -> None:
    def hold(database: Database, n: int) -> bool:
        with database.write() as session:
            return feeds.hold(session, "mail", EMAIL, f"process {n}", now=NOW, lease=LEASE) is not None

    assert sum(pair.race(hold)) == 1


def test_a_row_for_temporal_is_claimed_by_one_and_in_order(pair: Pair) -> None:
    with pair.one.write() as session:
        for n in range(MANY * 2):
            dispatches.add(session, f"RX-{n % MANY}", dispatches.START, {}, NOW)

    def claim(database: Database, _n: int) -> list[int]:
        with database.write() as session:
            return [row.number for row in dispatches.claim(session, NOW, lease_seconds=60, limit=2)]

    claimed = [number for some in pair.race(claim) for number in some]
    assert sorted(claimed) == list(range(1, MANY + 1)), "the first of each conversation, once"


def test_rows_are_numbered_in_the_order_in_which_they_become_visible(pair: Pair) -> None:
    """Else a reader that goes on from the last number it saw would pass one over."""
    stop, seen = threading.Event(), []

    def watch() -> None:
        while not stop.is_set():
            with pair.one.read() as session:
                seen.append([row.number for row in dispatches.all_undone(session)])

    def add(database: Database, n: int) -> None:
        for _ in range(5):
            with database.write() as session:
                dispatches.add(session, f"RX-{n}", dispatches.START, {}, NOW)

    watching = threading.Thread(target=watch)
    watching.start()
    pair.race(add)
    stop.set()
    watching.join()
    for earlier, later in pairwise(seen):
        assert later[: len(earlier)] == earlier


def test_deliveries_of_one_inquiry_gather_in_one_signal(pair: Pair) -> None:
    def tell(database: Database, n: int) -> int:
        with database.write() as session:
            row = dispatches.pending_delivered(session, "RX-1", f"RX-1/reply/{n}", NOW, NOW, not_before=NOW + LEASE)
            return row.number

    assert len(set(pair.race(tell))) == 1
    with pair.one.read() as session:
        (row,) = dispatches.undone(session, "RX-1")
    assert len(row.payload["notices"]) == MANY


def test_an_idempotency_key_has_one_answer(pair: Pair) -> None:
    def answer(database: Database, n: int) -> object:
        with database.write() as session:
            return keys.remember(session, "k", "ana", "f", status=202, body={"n": n}, now=NOW).body["n"]

    assert len(set(pair.race(answer))) == 1

    def other(database: Database, n: int) -> str:
        try:
            with database.write() as session:
                keys.remember(session, "l", "ana", f"f{n}", status=202, body={}, now=NOW)
        except Refused as refused:
            return refused.code
        return "taken"

    assert sorted(pair.race(other)) == [*["idempotency.other-request"] * (MANY - 1), "taken"]


def test_a_code_is_good_once(pair: Pair) -> None:
    with pair.one.write() as session:
        code, _ = bindings.make(session, contacts.add(session, NOW), bound=True, made_by="ana", now=NOW)

    def show(database: Database, n: int) -> bool:
        with database.write() as session:
            found = bindings.find(session, code, NOW)
            if found is None:
                return False
            bindings.use(session, found, f"ad_{n}", NOW)
            return True

    assert sum(pair.race(show)) == 1


def test_a_letter_begins_once_and_every_report_counts_once(pair: Pair) -> None:
    def begin(database: Database, _n: int) -> bool:
        with database.write() as session:
            return notices.begin(session, Notice(**left("RX-1").model_dump()))

    assert sum(pair.race(begin)) == 1

    def report(database: Database, n: int) -> bool:
        event = NoticeEvent(event_id=str(n // 2), notice="RX-1/acknowledgement/1", kind="delivered", at=NOW)
        event.stored_at = NOW
        with database.write() as session:
            return notices.add_event(session, event)

    assert sum(pair.race(report)) == MANY // 2


def test_an_incident_is_told_to_its_tracker_by_one(pair: Pair) -> None:
    incident = Incident(n=1, area="treasury", matter="withdrawal", draft="d", opened_at=NOW)
    with pair.one.write() as session:
        incidents.place(session, incident, key="RX-1-I1", reference="RX-1", tracker="board", title="t")

    def begin(database: Database, _n: int) -> bool:
        with database.write() as session:
            return incidents.begin(session, "RX-1-I1", "board", NOW, NOW + LEASE, duplicate=False)

    assert sum(pair.race(begin)) == 1


def test_a_reference_is_given_once(pair: Pair) -> None:
    def open_one(database: Database, n: int) -> bool:
        with database.write() as session:
            return cases.add(session, new_case(), subject="", excerpt="", status_token=str(n))

    assert sum(pair.race(open_one)) == 1
