"""The quarterly report of ten thousand inquiries."""

import time
from datetime import timedelta

import pytest

from records.database import Database
from starter.reporting.periods import read_period
from starter.reporting.report import make_report
from starter.reporting.shapes import Report
from tests.cases import policy
from tests.reporting.conftest import FIRST, LATER
from tests.reporting.copies import copy
from tests.reporting.past import everyone, on_time, store

COPIES = 124
WANTED = 2.0
"""Seconds."""


@pytest.mark.timeout(300)
def test_the_quarter_of_ten_thousand_inquiries_takes_at_most_two_seconds(database: Database) -> None:
    rest = [on_time(FIRST + timedelta(days=n * 1.3), reference=f"RX-A{n:03}") for n in range(57)]
    store(database, *everyone(FIRST, apart=timedelta(days=2)), *rest)
    with database.read() as session:
        once = make_report(session, policy(), read_period("2026Q1"), LATER)
    copy(database, COPIES)
    # Processor time, the best of three: other tests may use this machine meanwhile. `make bench` tells the wall clock.
    runs = [_timed(database) for _ in range(3)]
    made = runs[0][0]
    assert made.grounds.inquiries == 10_000
    assert made.promises[0].tally.due == (COPIES + 1) * once.promises[0].tally.due
    assert made.backlog.after == (COPIES + 1) * once.backlog.after
    assert (
        sum(made.escalations.institutions.values()) + made.escalations.unnamed == (COPIES + 1) * once.escalations.begun
    )
    assert min(seconds for _, seconds in runs) < WANTED


def _timed(database: Database) -> tuple[Report, float]:
    begun = time.process_time()
    with database.read() as session:
        made = make_report(session, policy(), read_period("2026Q1"), LATER)
    return made, time.process_time() - begun
