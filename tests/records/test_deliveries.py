"""Events on their way to other systems: none passed over, in order, tried again and given up, replayed."""

from datetime import timedelta

import pytest
from sqlmodel import select

from models.errors import Refused
from models.hooks import NAMES
from models.tables import Delivery, PublishedEvent
from records import cases, deliveries, hooks, ledger
from records.database import Database
from records.deliveries import GIVEN_UP_AFTER, KEPT, Tried
from tests.cases import MONDAY, new_case

SECOND = timedelta(seconds=1)


def subscribe(database: Database, *events: str) -> str:
    with database.write() as session:
        wanted = events or tuple(NAMES)
        row = hooks.subscribe(session, "https://x.example/", wanted, "sealed", label="", made_by="s-1", now=MONDAY)
    return row.id


def write(database: Database, *references: str) -> int:
    """Open cases; return how many of their events are published."""
    count = 0
    for reference in references:
        case = new_case(reference=reference)
        with database.write() as session:
            cases.add(session, case, subject="", excerpt="", status_token=reference)
            events = case.seal()
            ledger.append(session, events)
            cases.project(session, case)
        count += sum(event.type in set(NAMES.values()) for event in events)
    return count


def share(database: Database) -> int:
    with database.write() as session:
        return deliveries.share_out(session, MONDAY)


def due(database: Database, webhook: str, after: timedelta = timedelta()) -> list[Delivery]:
    with database.read() as session:
        return deliveries.due(session, webhook, MONDAY + after, 100)


def settle(database: Database, webhook: str, status: int, after: timedelta = timedelta()) -> None:
    """All that is due gets the same answer."""
    tried = [Tried(row.id or 0, status, f"answered {status}") for row in due(database, webhook, after)]
    with database.write() as session:
        deliveries.settle(session, webhook, tried, MONDAY + after, jitter=1.0)


def test_what_happens_is_shared_out_once_and_posted_in_order(database: Database) -> None:
    all_, some = subscribe(database), subscribe(database, "inquiry.opened.v1")
    count = write(database, "RX-7KQ4-M2PD", "RX-3333-3333")
    assert share(database) == count
    assert share(database) == 0
    for webhook, expected in ((all_, count), (some, 2)):
        seen: dict[str, list[int]] = {}
        while rows := due(database, webhook):
            assert len({row.reference for row in rows}) == len(rows)
            for row in rows:
                seen.setdefault(row.reference, []).append(row.seq)
            settle(database, webhook, 204)
        assert sum(map(len, seen.values())) == expected
        assert all(seqs == sorted(seqs) for seqs in seen.values())


def test_an_event_that_is_not_written_is_not_told(database: Database) -> None:
    subscribe(database)
    with database.write() as session:
        ledger.append(session, new_case().seal())
        session.rollback()
    assert share(database) == 0
    write(database, "RX-7KQ4-M2PD")
    with database.write() as session:
        assert deliveries.anything_waits(session)
        ledger.append(session, ledger.of_case(session, "RX-7KQ4-M2PD"))  # written before: nothing new
        rows = session.exec(select(PublishedEvent)).all()
    assert len({(row.reference, row.seq) for row in rows}) == len(rows)


def test_a_fault_holds_up_its_own_inquiry_alone_and_waits_ever_longer(database: Database) -> None:
    webhook = subscribe(database)
    write(database, "RX-7KQ4-M2PD", "RX-3333-3333")
    share(database)
    bad, good = due(database, webhook)
    with database.write() as session:
        tried = [Tried(bad.id or 0, 500, "answered 500"), Tried(good.id or 0, 200)]
        deliveries.settle(session, webhook, tried, MONDAY, jitter=1.0)
    assert [row.reference for row in due(database, webhook)] == ["RX-3333-3333"]
    waits = []
    for _ in range(16):
        with database.write() as session:
            row = session.get(Delivery, bad.id)
            assert row is not None
            assert row.not_before is not None
            waits.append(row.not_before - (row.tried_at or MONDAY))
            deliveries.settle(session, webhook, [Tried(bad.id or 0, 0, "away")], row.not_before, jitter=1.0)
    assert waits[:3] == [10 * SECOND, 20 * SECOND, 40 * SECOND]
    assert waits[-1] == timedelta(hours=6)
    with database.read() as session:
        row = session.get(Delivery, bad.id)
        assert deliveries.failing(session)[0].id == bad.id
    assert row is not None
    assert row.tries == 17
    assert row.outcome == ""


def test_a_receiver_that_takes_nothing_is_left_alone_and_then_given_up(database: Database) -> None:
    webhook = subscribe(database)
    count = write(database, "RX-7KQ4-M2PD")
    share(database)
    settle(database, webhook, 503)
    with database.read() as session:
        assert hooks.ready(session, MONDAY) == []
        assert [row.id for row in hooks.ready(session, MONDAY + 10 * SECOND)] == [webhook]
        assert hooks.get(session, webhook).failing_since == MONDAY
    settle(database, webhook, 503, GIVEN_UP_AFTER)
    with database.write() as session:
        assert deliveries.tidy(session, MONDAY + GIVEN_UP_AFTER) == count - 1
        assert deliveries.standing(session)[webhook].given_up == count
        deliveries.tidy(session, MONDAY + GIVEN_UP_AFTER + KEPT + SECOND)
        assert deliveries.standing(session) == {}
    write(database, "RX-3333-3333")
    share(database)
    settle(database, webhook, 200)
    with database.read() as session:
        row = hooks.get(session, webhook)
        assert (row.failing_since, row.failures, row.error) == (None, 0, "")


def test_a_receiver_that_is_gone_gets_nothing_more(database: Database) -> None:
    webhook = subscribe(database)
    write(database, "RX-7KQ4-M2PD")
    share(database)
    settle(database, webhook, 410)
    write(database, "RX-3333-3333")
    share(database)
    with database.write() as session:
        assert hooks.ready(session, MONDAY + KEPT) == []
        assert hooks.get(session, webhook).off_at == MONDAY
        with pytest.raises(Refused, match=r"webhook\.off"):
            deliveries.replay(session, webhook, MONDAY, MONDAY + SECOND, MONDAY)
        hooks.remove(session, webhook)
        assert deliveries.standing(session) == {}
        deliveries.settle(session, webhook, [Tried(1, 200)], MONDAY, jitter=1.0)
        with pytest.raises(KeyError):
            deliveries.replay(session, webhook, MONDAY, MONDAY, MONDAY)
        with pytest.raises(KeyError):
            hooks.remove(session, webhook)


def test_what_was_missed_is_replayed_in_order(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    count = write(database, "RX-7KQ4-M2PD", "RX-3333-3333")
    assert share(database) == count
    webhook, opened = subscribe(database), subscribe(database, "inquiry.opened.v1")
    with database.write() as session:
        assert deliveries.replay(session, webhook, MONDAY, MONDAY, MONDAY) == 0
        assert deliveries.replay(session, webhook, MONDAY, MONDAY + SECOND, MONDAY) == count
        assert deliveries.replay(session, opened, MONDAY, MONDAY + SECOND, MONDAY) == 2
        rows = [row for row in session.exec(select(Delivery)) if row.webhook == webhook]
        assert {row.type for row in rows} <= set(NAMES)
        seqs = [row.seq for row in rows if row.reference == "RX-7KQ4-M2PD"]
        assert seqs == sorted(seqs)
        assert deliveries.moment_of(session, "evt_RX-7KQ4-M2PD_1") == MONDAY
        assert deliveries.moment_of(session, "evt_RX-7KQ4-M2PD_99") is None
        assert deliveries.moment_of(session, "x") is None
        monkeypatch.setattr(deliveries, "MOST_REPLAYED", count - 1)
        with pytest.raises(Refused, match="too-long"):
            deliveries.replay(session, webhook, MONDAY, MONDAY + SECOND, MONDAY)
        hooks.get(session, webhook).events = ["retired.v1"]
        assert deliveries.replay(session, webhook, MONDAY, MONDAY + SECOND, MONDAY) == 0


def test_there_may_be_so_many(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "MOST", 1)
    subscribe(database)
    with pytest.raises(Refused, match="too-many"):
        subscribe(database)


def test_a_new_secret_leaves_the_former_one_good_for_a_day(database: Database) -> None:
    webhook = subscribe(database)
    with database.write() as session:
        row = hooks.rotate(session, webhook, "new", MONDAY)
        assert (row.secret, row.former_secret, row.former_until) == ("new", "sealed", MONDAY + hooks.BOTH_GOOD)
