"""Dates on which a colleague looks at a case again."""

from datetime import datetime
from typing import Any

import pytest

from models.case import Case
from models.errors import Refused
from models.inquiry import Status
from tests.cases import AGENT, DAY, MONDAY, acknowledged, answered, closed, do, live

NINE_ON_FRIDAY = datetime.fromisoformat("2026-02-06T15:00:00+00:00")
NINE_ON_MONDAY = datetime.fromisoformat("2026-02-09T15:00:00+00:00")


def noted(case: Case | None = None, on: str = "2026-02-06") -> Case:
    return do(case or acknowledged(), "follow_up", MONDAY, on=on, note="Ask the bank again.")


def refused(case: Case, name: str, **order: Any) -> str:
    with pytest.raises(Refused) as caught:
        do(case, name, MONDAY, **order)
    return caught.value.code


@pytest.mark.rule("M5.5")
def test_the_case_is_called_up_at_the_working_hour_of_that_day() -> None:
    case = noted()
    assert case.follow_up_at == NINE_ON_FRIDAY
    live(case, NINE_ON_FRIDAY)
    setting, call = (fact for fact in case.pending if fact.type.startswith("follow-up."))
    assert (setting.texts, setting.actor) == ({"note": "Ask the bank again."}, AGENT)
    assert (call.type, call.at) == ("follow-up.due", NINE_ON_FRIDAY)
    assert (call.data["follow_up"], call.data["set_by"]) == (1, AGENT.id)
    assert case.noted


@pytest.mark.parametrize("on", ["2026-02-07", "2026-02-08", "2026-02-09", "2026-02-09T15:00:00Z"])
def test_a_closed_day_means_the_next_business_day(on: str) -> None:
    assert noted(on=on).follow_up_at == NINE_ON_MONDAY


@pytest.mark.rule("M5.5")
def test_what_is_done_calls_nobody_up() -> None:
    case = do(noted(noted()), "follow_up_done", MONDAY, follow_up=1, note="They answered.")
    case = do(case, "follow_up_done", MONDAY, follow_up=2)
    live(case, NINE_ON_MONDAY)
    assert [fact.type for fact in case.pending if fact.type.startswith("follow-up.")] == [
        "follow-up.set",
        "follow-up.set",
        "follow-up.done",
        "follow-up.done",
    ]
    assert case.follow_up_at is None


def test_a_case_does_not_close_before_its_follow_up_is_done() -> None:
    case = noted(answered(), on="2026-02-20")
    late = MONDAY + 100 * DAY
    live(case, late)
    assert case.status is Status.ANSWERED
    case = do(case, "follow_up_done", late, follow_up=1)
    live(case, late)
    assert case.status is Status.CLOSED


def test_refusals() -> None:
    assert refused(acknowledged(), "follow_up", on="2026-02-02", note="x") == "follow.past"
    assert refused(closed(), "follow_up", on="2026-02-20", note="x") == "case.closed"
    assert refused(acknowledged(), "follow_up_done", follow_up=1) == "follow.unknown"
    case = do(noted(), "follow_up_done", MONDAY, follow_up=1)
    assert refused(case, "follow_up_done", follow_up=1) == "follow.done"
