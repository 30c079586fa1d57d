"""What the user was asked for: the reminder before the day, the fact when it has passed, and no term that waits."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.errors import Refused
from models.inquiry import Address
from models.letters import LetterKind, LetterState
from tests.cases import (
    DAY,
    FULL,
    MONDAY,
    ORIGIN,
    acknowledged,
    answered,
    do,
    end_of,
    letters,
    live,
    send_all,
)

TUESDAY = MONDAY + DAY
NINE_ON_TUESDAY = datetime.fromisoformat("2026-02-10T15:00:00+00:00")
"""Two business days before Thursday 12 February, 09:00 in San Salvador."""
HOME = ORIGIN.model_dump(mode="json")
REMINDER = LetterKind.INFORMATION_REMINDER


def asked(by: str = "2026-02-12", **more: Any) -> Case:
    case = do(acknowledged(**more), "request_information", TUESDAY, draft=FULL, by=by)
    send_all(case, TUESDAY)
    return case


def what(case: Case) -> list[str]:
    return [fact.type for fact in case.pending if fact.type.startswith("information.")]


@pytest.mark.rule("M3.8")
def test_the_user_is_reminded_before_the_day_and_the_owner_told_when_it_has_passed() -> None:
    case = asked()
    due = case.resolution_due
    live(case, NINE_ON_TUESDAY)
    (reminder,) = letters(case, REMINDER)
    assert reminder.created_at == NINE_ON_TUESDAY
    assert reminder.facts["by"] == end_of(case, 2026, 2, 12).isoformat()
    assert reminder.draft == letters(case, LetterKind.INFORMATION_REQUEST)[0].draft
    live(case, NINE_ON_TUESDAY + 5 * DAY)
    assert what(case) == ["information.asked", "information.due"]
    assert [fact.at for fact in case.pending if fact.type == "information.due"] == [end_of(case, 2026, 2, 12)]
    assert len(letters(case, REMINDER)) == 1
    assert case.resolution_due == due


@pytest.mark.rule("M3.4")
def test_nothing_is_asked_for_after_the_answer_is_due_while_that_date_runs() -> None:
    assert asked("2026-03-16").asked
    with pytest.raises(Refused, match="by 2026-03-16 at the latest") as caught:
        asked("2026-03-17")
    assert (caught.value.code, caught.value.field) == ("information.too-late", "by")
    assert asked("2026-03-17", dates_bounded=False).asked
    case = acknowledged()
    live(case, end_of(case, 2026, 3, 17))
    assert do(case, "request_information", end_of(case, 2026, 3, 17), draft=FULL, by="2026-04-01").asked


@pytest.mark.rule("M3.8")
def test_several_things_are_asked_for_at_once_each_by_its_own_day() -> None:
    case = do(asked("2026-02-12"), "request_information", TUESDAY, draft=FULL, by="2026-02-20")
    assert [one.by for one in case.unheard] == [end_of(case, 2026, 2, 12), end_of(case, 2026, 2, 20)]


@pytest.mark.rule("M3.8")
def test_what_the_user_writes_ends_the_wait() -> None:
    case = asked()
    wake(case, NINE_ON_TUESDAY)
    case = do(
        case,
        "receive_message",
        NINE_ON_TUESDAY,
        message="ms_2",
        at=NINE_ON_TUESDAY.isoformat(),
        addresses=[HOME],
    )
    assert not case.unheard
    assert letters(case, REMINDER)[0].state is LetterState.VOID
    live(case, NINE_ON_TUESDAY + 5 * DAY)
    assert what(case) == ["information.asked", "information.ended"]


def test_what_a_third_party_writes_does_not() -> None:
    case = do(asked(), "receive_message", TUESDAY, message="ms_2", at=TUESDAY.isoformat())
    assert case.unheard


def test_asked_shortly_before_there_is_no_reminder() -> None:
    case = asked(by="2026-02-05")
    live(case, MONDAY + 5 * DAY)
    assert not letters(case, REMINDER)
    assert what(case) == ["information.asked", "information.due"]


def test_a_request_that_found_nobody_is_not_reminded_of() -> None:
    case = do(acknowledged(), "request_information", TUESDAY, draft=FULL, by="2026-02-12")
    wake(case, NINE_ON_TUESDAY)
    assert not letters(case, REMINDER)


def test_a_day_found_passed_brings_no_reminder_any_more() -> None:
    case = asked()
    wake(case, NINE_ON_TUESDAY + 5 * DAY)
    assert not letters(case, REMINDER)
    assert what(case) == ["information.asked", "information.due"]


def test_nobody_waits_once_the_case_is_decided_and_reopening_asks_for_nothing() -> None:
    case = do(asked(), "resolve", TUESDAY, outcome="upheld", draft=FULL)
    assert not case.unheard
    send_all(case, TUESDAY)
    case = do(case, "reopen", TUESDAY + DAY, reasons="new facts")
    assert not case.unheard
    assert what(case) == ["information.asked", "information.ended"]


def test_where_policy_wants_no_reminder_nothing_is_watched() -> None:
    case = asked(information_reminder_business_days=0)
    live(case, MONDAY + 12 * DAY)
    assert not what(case)
    assert not case.asked


def test_a_reopened_case_that_asked_for_nothing_says_nothing_of_it() -> None:
    assert not what(do(answered(), "reopen", MONDAY + 2 * DAY, reasons="new facts"))


def test_what_came_before_the_day_is_not_asked_for_again() -> None:
    case = do(asked(), "receive_message", TUESDAY, message="ms_2", at=TUESDAY.isoformat(), addresses=[HOME])
    case = do(case, "request_information", TUESDAY, draft=FULL, by="2026-02-20")
    case = do(case, "receive_message", TUESDAY, message="ms_3", at=TUESDAY.isoformat(), addresses=[HOME])
    assert what(case).count("information.ended") == 2


def test_an_address_elsewhere_gets_the_reminder_too() -> None:
    case = asked(addresses=(Address(id="ad_x", channel="x"),), channel="x")
    wake(case, NINE_ON_TUESDAY + timedelta(hours=1))
    assert letters(case, REMINDER)[0].address == Address(id="ad_x", channel="x")
