"""Months, quarters and any two days."""

from datetime import UTC, date, datetime

import pytest

from models.errors import Malformed
from starter.reporting.periods import MOST_MONTHS, read_period
from tests.cases import policy

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "name", "first", "last", "months"),
    [
        ("2026-02", "2026-02", date(2026, 2, 1), date(2026, 2, 28), ("2026-02",)),
        ("2025-12", "2025-12", date(2025, 12, 1), date(2025, 12, 31), ("2025-12",)),
        ("2025Q4", "2025Q4", date(2025, 10, 1), date(2025, 12, 31), ("2025-10", "2025-11", "2025-12")),
        ("2026-q1", "2026Q1", date(2026, 1, 1), date(2026, 3, 31), ("2026-01", "2026-02", "2026-03")),
        (
            "2026-01-15..2026-02-10",
            "2026-01-15..2026-02-10",
            date(2026, 1, 15),
            date(2026, 2, 10),
            ("2026-01", "2026-02"),
        ),
        ("2026-03-01..2026-03-01", "2026-03-01..2026-03-01", date(2026, 3, 1), date(2026, 3, 1), ("2026-03",)),
    ],
)
def test_a_period_is_read(text: str, name: str, first: date, last: date, months: tuple[str, ...]) -> None:
    found = read_period(text)
    assert (found.name, found.first, found.last, found.months) == (name, first, last, months)
    window = found.window(policy().whole_calendar(), NOW)
    assert len(window.edges) == len(months) + 1
    assert (window.end - window.start).days == (last - first).days + 1


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026", "2026Q5", "2026Q0", "2026-13", "2026-00", "0000-01", "9999Q4", "26Q1", "2026Q1 ", "\u0662026Q1"),
        *("2026-02-30..2026-03-01", "2026-03-02..2026-03-01", "2026-03-01..", "..", "2026-01-01..9999-12-31", "x" * 40),
        "2101-01-01..2199-12-31",
    ],
)
def test_what_is_no_period_is_refused_by_name(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_period(text)
    assert (refused.value.code, refused.value.field) == ("report.period", "period")


def test_a_period_that_has_not_begun_is_refused_and_one_that_runs_is_not() -> None:
    calendar = policy().whole_calendar()
    with pytest.raises(Malformed, match="has not begun"):
        read_period("2026Q4").window(calendar, NOW)
    running = read_period("2026Q3").window(calendar, NOW)
    assert running.cut == NOW < running.end
    assert len(read_period("2021-01-01..2025-12-31").months) == MOST_MONTHS
