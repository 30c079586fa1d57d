"""Every miss has one reason, the first that the ledger shows."""

from collections.abc import Callable

import pytest

from models.case import Case
from models.post import fail
from records.database import Database
from records.figures_misses import Reason
from records.statistics import statistics
from starter.reporting.periods import read_period
from tests.cases import DAY, FULL, MONDAY, back, do, new_case, policy, send_all
from tests.reporting import past
from tests.reporting.conftest import LATER

ACKNOWLEDGEMENT, FINAL = "acknowledgement", "final response"


def reasons(database: Database, *made: Case) -> dict[str, dict[str, int]]:
    past.store(database, *made)
    window = read_period("2026-02-01..2026-06-30").window(policy().whole_calendar(), LATER)
    found: dict[str, dict[str, int]] = {}
    with database.read() as session:
        for one in statistics(session, window).misses:
            found.setdefault(one.kind, {})[one.reason] = one.number
    return found


@pytest.mark.rule("M3.11")
@pytest.mark.parametrize(
    ("life", "kind", "reason"),
    [
        (past.found_late, ACKNOWLEDGEMENT, Reason.FOUND_LATE),
        (past.nowhere, ACKNOWLEDGEMENT, Reason.NO_ADDRESS),
        (past.in_public, ACKNOWLEDGEMENT, Reason.NO_ADDRESS),
        (past.not_sent, ACKNOWLEDGEMENT, Reason.SENDING_DELAYED),
        (past.not_sent, FINAL, Reason.DELAY),
        (past.unanswered, FINAL, Reason.DELAY),
        (past.unseen, FINAL, Reason.DELAY),
        (past.extension_void, FINAL, Reason.EXTENSION_VOID),
        (past.proposed, FINAL, Reason.APPROVAL),
        (past.with_an_institution, FINAL, Reason.INSTITUTION),
        (past.late_for_an_area, FINAL, Reason.AREA),
    ],
)
def test_a_miss_has_the_reason_that_the_ledger_shows(
    database: Database, life: Callable[..., Case], kind: str, reason: Reason
) -> None:
    assert reasons(database, life(MONDAY))[kind] == {reason.value: 1}


def test_a_question_that_was_withdrawn_is_no_reason(database: Database) -> None:
    case = past.order(new_case(MONDAY), "refer", 3, area="compliance", question="?")
    case = past.order(case, "withdraw_referral", 5, area="compliance", reasons="not needed")
    past.stay(case, 50, since=5)
    assert reasons(database, case)[FINAL] == {Reason.DELAY.value: 1}


def test_a_channel_that_refused_the_answer_is_the_reason_even_if_another_took_it_later(database: Database) -> None:
    case = new_case(addresses=past.BOTH)
    past.stay(case, 30)
    case = do(case, "resolve", MONDAY + 30 * DAY, outcome="upheld", draft=FULL)
    fail(case, case.letters[-1].key, MONDAY + 31 * DAY, "blocked")
    past.stay(case, 45, since=31, sending=False)
    send_all(case, MONDAY + 46 * DAY)
    assert reasons(database, case)[FINAL] == {"channel failed": 1}


def test_what_was_under_way_before_a_reopening_is_no_reason_after_it(database: Database) -> None:
    case = past.order(new_case(), "refer", 2, area="compliance", question="?")
    case = past.order(case, "withdraw", 3, reasons="settled", message="ms_1")
    case = past.order(case, "reopen", 5, reasons="not settled")
    past.stay(case, 80, since=5)
    assert reasons(database, case)[FINAL] == {"delay": 1}


def test_a_letter_that_came_back_and_was_sent_again_in_time_is_no_miss(database: Database) -> None:
    case = new_case(addresses=past.BOTH)
    past.stay(case, 1)
    back(case, case.letters[0].key, MONDAY + DAY)
    past.stay(case, 3, since=1)
    case = past.order(case, "resolve", 4, outcome="upheld", draft=FULL)
    assert reasons(database, case) == {}


def test_no_other_letter_waits_for_areas_and_institutions(database: Database) -> None:
    case = past.order(new_case(), "refer", 2, area="compliance", question="?", send=False)
    past.stay(case, 8, since=2, sending=False)
    found = reasons(database, case)
    assert found["referral notice"] == {"sending delayed": 1}
