"""What a provider counted: a number that is missing shows."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlmodel import col, select

from models.tables import StreamNumber
from records import streams
from records.database import Database
from records.streams import KEPT, LARGEST_GAP, Gap
from tests.records.mail import NOW


def keep(database: Database, stream: str, numbers: Iterable[int], at: datetime = NOW) -> None:
    with database.write() as session:
        streams.add(session, [(stream, n) for n in numbers], at)


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ((), []),
        ((7,), []),
        ((7, 8, 9), []),
        ((9, 7, 8, 8), []),
        ((1, 3), [(2, 2)]),
        ((1, 5, 9), [(2, 4), (6, 8)]),
        ((-3, -1), [(-2, -2)]),
        ((2**62, 2**62 + 2), [(2**62 + 1, 2**62 + 1)]),
        ((1, 1 + LARGEST_GAP), [(2, LARGEST_GAP)]),
        ((1, 2 + LARGEST_GAP), []),
    ],
)
def test_what_is_missing_between_two_that_came_is_a_gap(
    database: Database, numbers: tuple[int, ...], missing: list[tuple[int, int]]
) -> None:
    keep(database, "telegram:1", numbers)
    with database.read() as session:
        assert streams.gaps(session) == [Gap("telegram:1", *one) for one in missing]


def test_one_that_comes_late_closes_its_gap(database: Database) -> None:
    keep(database, "telegram:1", (1, 3))
    keep(database, "telegram:1", (2,))
    with database.read() as session:
        assert streams.gaps(session) == []


def test_streams_count_for_themselves(database: Database) -> None:
    keep(database, "telegram:1", (1, 3))
    keep(database, "telegram:12", (2, 5))
    keep(database, "x_%", (1, 4))
    with database.read() as session:
        assert [gap.stream for gap in streams.gaps(session)] == ["telegram:1", "telegram:12", "x_%"]
        assert [gap.stream for gap in streams.gaps(session, "telegram:12")] == ["telegram:12"]
        assert [gap.stream for gap in streams.gaps(session, "x_%")] == ["x_%"]
        assert streams.gaps(session, "x__") == []


def kept(database: Database) -> list[int]:
    with database.read() as session:
        return [row.n for row in session.exec(select(StreamNumber).order_by(col(StreamNumber.n)))]


def test_numbers_are_forgotten_after_30_days_but_for_the_newest_of_them(database: Database) -> None:
    keep(database, "telegram:1", range(1, 6))
    keep(database, "telegram:1", (7,), NOW + KEPT)
    assert kept(database) == [1, 2, 3, 4, 5, 7]
    later = NOW + KEPT + timedelta(seconds=1)
    keep(database, "telegram:1", (8,), later)
    assert kept(database) == [5, 7, 8]
    keep(database, "telegram:1", (3,), later)
    assert kept(database) == [5, 7, 8], "as if it had never been forgotten"
    with database.read() as session:
        assert streams.gaps(session) == [Gap("telegram:1", 6, 6)]


def test_only_what_was_missing_lately_is_looked_at(database: Database) -> None:
    keep(database, "telegram:1", (1, 3))
    keep(database, "telegram:1", (5,), NOW + KEPT)
    with database.read() as session:
        assert [gap.first for gap in streams.gaps(session)] == [2, 4]
        assert [gap.first for gap in streams.gaps(session, since=NOW)] == [2, 4]
        assert [gap.first for gap in streams.gaps(session, since=NOW + timedelta(seconds=1))] == [4]


def test_a_settled_stream_begins_behind_its_gaps(database: Database) -> None:
    keep(database, "telegram:1", (1, 3, 7, 8))
    keep(database, "telegram:12", (1, 3))
    settle = partial(streams.settle, by="ana", why="looked into", now=NOW)
    with database.write() as session:
        assert settle(session, "telegram:1") == [
            Gap("telegram:1", 2, 2),
            Gap("telegram:1", 4, 6),
        ]
        assert settle(session, "telegram:1") == []
        assert settle(session, "telegram:") == []
    keep(database, "telegram:1", (5,))
    with database.read() as session:
        assert streams.gaps(session) == [Gap("telegram:12", 2, 2)], "what comes late is no gap again"
    keep(database, "telegram:1", (10,))
    with database.read() as session:
        assert streams.gaps(session, "telegram:1") == [Gap("telegram:1", 9, 9), Gap("telegram:12", 2, 2)]


def test_a_new_start_far_below_is_counted_too(database: Database) -> None:
    keep(database, "telegram:1", (10 * LARGEST_GAP,))
    keep(database, "telegram:1", (1, 3))
    with database.read() as session:
        assert streams.gaps(session) == [Gap("telegram:1", 2, 2)]
