"""Intake keeps no hours: nothing waits for a business day to be received and acknowledged."""

from datetime import UTC, datetime

import pytest

from models.letters import LetterKind
from records import cases
from tests.starter.mailbag import Bench, message


@pytest.mark.rule("M5.2")
@pytest.mark.parametrize(
    "received",
    [
        pytest.param(datetime(2026, 2, 9, 5, 59, 59, tzinfo=UTC), id="Sunday, the last second"),
        pytest.param(datetime(2026, 12, 25, 9, 0, tzinfo=UTC), id="Christmas, three in the morning"),
        pytest.param(datetime(2026, 4, 3, 17, 0, tzinfo=UTC), id="Good Friday, before noon"),
        pytest.param(datetime(2028, 2, 29, 6, 0, tzinfo=UTC), id="a leap day at midnight"),
    ],
)
def test_an_inquiry_is_taken_in_at_any_hour_of_any_day(bench: Bench, received: datetime) -> None:
    bench.now = received
    receipt = bench.intake.receive(message(received_at=received))
    assert receipt.reference is not None
    with bench.database.read() as session:
        case = cases.load(session, receipt.reference)
    assert case.received_at == received
    letter = case.outbox(received)
    assert letter is not None, "the acknowledgement leaves at once"
    assert letter.kind is LetterKind.ACKNOWLEDGEMENT
