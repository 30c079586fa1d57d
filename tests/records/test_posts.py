"""Posts that are kept as they came: in their order, read by one process at a time, dead letters beside the way."""

from datetime import timedelta

import pytest

from models.tables import StoredPost
from records import posts
from records.database import Database
from records.posts import DEAD_AFTER, Refused
from tests.cases import MONDAY

LEASE = timedelta(minutes=2)


def kept(database: Database, *bodies: bytes, channel: str = "telegram") -> None:
    rows = [StoredPost(channel=channel, door="updates", body=body, stored_at=MONDAY) for body in bodies]
    with database.write() as session:
        posts.add_all(session, rows)


def claimed(database: Database, later: timedelta = timedelta(), limit: int = 10) -> list[StoredPost]:
    with database.write() as session:
        return posts.claim(session, MONDAY + later, lease=LEASE, limit=limit)


def test_one_process_at_a_time_reads_what_waits_the_oldest_first(database: Database) -> None:
    kept(database, b"1", b"2", b"\x00\xff3")
    rows = claimed(database, limit=2)
    assert [row.body for row in rows] == [b"1", b"2"]
    assert claimed(database) == [], "the third must not overtake those that are being read"
    with database.write() as session:
        posts.settle(session, [row.number for row in rows], [])
    assert [row.body for row in claimed(database)] == [b"\x00\xff3"]


def test_what_a_dead_process_had_claimed_is_free_when_its_lease_ends(database: Database) -> None:
    kept(database, b"1")
    assert claimed(database)
    assert claimed(database, LEASE - timedelta(seconds=1)) == []
    assert [row.body for row in claimed(database, LEASE)] == [b"1"]


def test_what_is_left_unread_is_free_at_once(database: Database) -> None:
    kept(database, b"1", b"2")
    first, second = claimed(database)
    with database.write() as session:
        posts.settle(session, [first.number], [], left=[second.number])
    assert [row.body for row in claimed(database)] == [b"2"]


def test_what_was_refused_waits_for_its_time_and_nothing_waits_behind_it(database: Database) -> None:
    kept(database, b"1")
    for n in range(DEAD_AFTER):
        with database.read() as session:
            assert posts.channels(session) == ({"telegram"} if n == 0 else set())
            assert posts.waits(session, "telegram") is (n == 0)
            assert not posts.waits(session, "x")
            assert posts.due(session, MONDAY + n * LEASE)
            assert posts.dead(session) == []
        (row,) = claimed(database, n * LEASE)
        assert row.attempts == n
        with database.write() as session:
            posts.settle(session, [], [Refused(row.number, "ValueError", MONDAY + (n + 1) * LEASE)])
        assert claimed(database, n * LEASE) == []
    with database.read() as session:
        assert not posts.due(session, MONDAY)
        assert [row.last_error for row in posts.dead(session)] == ["ValueError"]


def test_a_post_that_was_never_stored_has_no_number() -> None:
    with pytest.raises(ValueError, match="never stored"):
        _ = StoredPost(channel="telegram", door="updates", body=b"1", stored_at=MONDAY).number
