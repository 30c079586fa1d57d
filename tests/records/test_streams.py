"""What a provider counted: a number that is missing shows."""

from collections.abc import Iterable

import pytest

from records import streams
from records.database import Database
from records.streams import LARGEST_GAP, Gap
from tests.records.mail import NOW


def keep(database: Database, stream: str, numbers: Iterable[int]) -> None:
    with database.write() as session:
        streams.add(session, [(stream, n) for n in numbers], NOW)


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
