"""What the passing of time does to a case: warnings, missed terms, repeated notices, found messages, the end."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.inquiry import Flag, Status
from models.letters import LetterKind, LetterState
from models.obligations import ObligationKind
from models.post import Acceptance, accept, bounce
from tests.cases import (
    DAY,
    FULL,
    MONDAY,
    ORIGIN,
    REGISTERED,
    SUPERVISOR,
    acknowledged,
    answered,
    closed,
    days_of,
    do,
    end_of,
    letters,
    live,
    new_case,
    send_all,
)

SECOND = timedelta(seconds=1)


def open_notice(case: Case) -> tuple[ObligationKind, date]:
    (notice,) = case.owed(ObligationKind.MISSED)
    return notice.kind, case.calendar.local_date(notice.due)


@pytest.mark.rule("M3.2")
@pytest.mark.rule("M3.11")
def test_a_missed_acknowledgement_is_made_good_by_one_late_letter_that_meets_both() -> None:
    case = new_case(addresses=(ORIGIN, REGISTERED))
    wake(case, end_of(case, 2026, 2, 9) + SECOND)
    assert open_notice(case) == (ObligationKind.MISSED, date(2026, 2, 10))
    late = letters(case, LetterKind.ACKNOWLEDGEMENT_LATE)[0]
    assert late.facts["promised"] == end_of(case, 2026, 2, 9).isoformat()
    sent = send_all(case, end_of(case, 2026, 2, 9) + DAY)
    assert {one.kind for one in sent} == {LetterKind.ACKNOWLEDGEMENT_LATE}, "the first one and its copy do not leave"
    assert not case.owed(ObligationKind.ACKNOWLEDGEMENT, ObligationKind.MISSED)
    assert Flag.LATE in case.flags
    assert case.told == end_of(case, 2026, 3, 16), "the answer date is unchanged"


@pytest.mark.rule("M3.2")
def test_a_term_includes_its_last_second() -> None:
    case = new_case()
    due = end_of(case, 2026, 2, 9)
    wake(case, due + timedelta(milliseconds=900))
    assert not case.owed(ObligationKind.MISSED)
    accept(case, Acceptance(key=case.letters[0].key, at=due + timedelta(milliseconds=900)))
    assert case.obligations[0].kept


@pytest.mark.rule("M3.2")
@pytest.mark.rule("M3.11")
def test_a_message_found_ten_days_late_is_acknowledged_late_at_once() -> None:
    case = new_case(MONDAY, now=MONDAY + 10 * DAY)
    wake(case, MONDAY + 10 * DAY)
    assert case.received_at == MONDAY, "its true reception stands"
    assert days_of(case, ObligationKind.ACKNOWLEDGEMENT) == [date(2026, 2, 9)]
    (sent,) = send_all(case, MONDAY + 10 * DAY)
    assert sent.kind is LetterKind.ACKNOWLEDGEMENT_LATE
    assert [o.kind for o in case.owed()] == [ObligationKind.FINAL]


@pytest.mark.rule("M3.4")
@pytest.mark.rule("M3.11")
def test_a_message_found_sixty_days_late_is_told_both_at_once_with_an_estimate_ahead() -> None:
    now = MONDAY + 60 * DAY
    case = new_case(MONDAY, now=now)
    wake(case, now)
    before = case.model_copy(deep=True)
    wake(case, now)
    assert case == before, "one wake brings everything up to date"
    sent = send_all(case, now)
    assert [one.kind for one in sent] == [LetterKind.ACKNOWLEDGEMENT_LATE, LetterKind.MISSED]
    assert datetime.fromisoformat(sent[1].facts["estimate"]) > now
    assert sent[1].facts["missed"] == end_of(case, 2026, 3, 16).isoformat()


@pytest.mark.rule("M3.4")
@pytest.mark.rule("M3.10")
@pytest.mark.rule("M3.11")
def test_a_missed_final_answer_is_told_the_next_business_day_and_every_five_until_answered() -> None:
    case = acknowledged()
    live(case, end_of(case, 2026, 4, 20))
    told = letters(case, LetterKind.MISSED)
    accepted = [case.calendar.local_date(one.accepted_at) for one in told if one.accepted_at]
    assert accepted == [date(2026, 3, 17), date(2026, 3, 24), date(2026, 3, 31), date(2026, 4, 9), date(2026, 4, 16)]
    assert len({one.facts["estimate"] for one in told}) == len(told), "each with a new estimate"
    assert all(o.kept for o in case.obligations if o.kind is ObligationKind.MISSED and o.met_at)
    assert len(letters(case, LetterKind.MISSED)) == sum(1 for o in case.obligations if o.met_by and o.n > 2)
    now = end_of(case, 2026, 4, 20)
    case = do(case, "resolve", now, outcome="upheld", draft=FULL)
    send_all(case, now)
    assert not case.owed(), "answered: no further notice"
    live(case, end_of(case, 2026, 7, 1))
    assert len(letters(case, LetterKind.MISSED)) == len(told)


@pytest.mark.rule("M3.11")
def test_a_missed_notice_that_is_itself_late_breeds_nothing() -> None:
    case = new_case(addresses=())
    live(case, end_of(case, 2026, 4, 20), sending=False)
    missed = [o for o in case.obligations if o.kind is ObligationKind.MISSED]
    assert len(missed) == 2
    assert all(o.missed_at for o in missed)
    assert len(letters(case, LetterKind.MISSED)) == 1
    assert Flag.UNDELIVERED in case.flags
    assert case.next_alarm() is None


@pytest.mark.rule("M3.11")
def test_a_missed_notice_sent_again_after_a_bounce_starts_no_second_row_of_notices() -> None:
    case = acknowledged(addresses=(ORIGIN, REGISTERED))
    now = live(case, end_of(case, 2026, 3, 17))
    bounce(case, letters(case, LetterKind.MISSED)[0].key, now, hard=True, reason="550")
    assert len(send_all(case, now)) == 1
    assert len(case.owed(ObligationKind.MISSED)) == 1


@pytest.mark.rule("M3.11")
def test_a_notice_about_a_date_that_holds_no_more_starts_none_either() -> None:
    case = do(acknowledged(), "extend", MONDAY, until="2026-04-10", reasons="x")
    extension = case.extensions[0].letter
    wake(case, end_of(case, 2026, 3, 17))
    missed = letters(case, LetterKind.MISSED)[0].key
    accept(case, Acceptance(key=extension, at=MONDAY))
    accept(case, Acceptance(key=missed, at=end_of(case, 2026, 3, 17)))
    assert not case.owed(ObligationKind.MISSED)


@pytest.mark.rule("M3.6")
@pytest.mark.rule("M3.11")
@pytest.mark.parametrize(
    ("name", "order", "work"),
    [
        ("escalate", {"institution": "a bank", "reasons": "x", "estimate": "2026-03-10"}, "external"),
        ("refer", {"area": "security", "question": "x"}, "referred"),
        ("note", {"text": "x"}, "review"),
    ],
)
def test_a_missed_notice_tells_the_state_of_work(name: str, order: dict[str, Any], work: str) -> None:
    case = do(acknowledged(), name, MONDAY, **order)
    send_all(case, MONDAY)
    wake(case, end_of(case, 2026, 3, 17))
    assert letters(case, LetterKind.MISSED)[0].facts["work"] == work


@pytest.mark.rule("M3.11")
def test_warnings_come_once_each_before_the_due_date_and_never_after_it() -> None:
    case = acknowledged()
    case.pending.clear()
    live(case, end_of(case, 2026, 3, 16))
    warned = [case.calendar.local_date(f.at) for f in case.pending if f.type == "obligation.warned"]
    assert warned == [date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 12), date(2026, 3, 13)]
    late = acknowledged()
    wake(late, end_of(late, 2026, 3, 20))
    assert not [f for f in late.pending if f.type == "obligation.warned"]
    once = acknowledged()
    wake(once, end_of(once, 2026, 3, 12))
    assert len([f for f in once.pending if f.type == "obligation.warned"]) == 1, "one word for what passed meanwhile"


@pytest.mark.rule("M3.10")
def test_a_case_closes_when_its_appeal_window_ends() -> None:
    case = answered()
    assert case.window_ends == end_of(case, 2026, 5, 4), "90 calendar days"
    assert case.next_alarm() == case.window_ends
    wake(case, case.window_ends - SECOND)
    assert case.status is Status.ANSWERED
    wake(case, case.window_ends)
    assert case.closed_at == case.window_ends
    assert case.next_alarm() is None


@pytest.mark.rule("M5.7")
def test_with_no_window_a_case_closes_with_the_last_letter() -> None:
    case = new_case(addresses=(ORIGIN, REGISTERED), appeal_window_days=0)
    send_all(case, MONDAY)
    case = do(case, "resolve", MONDAY, outcome="upheld", draft=FULL)
    final, copy = letters(case, LetterKind.FINAL_UPHELD)
    accept(case, Acceptance(key=final.key, at=MONDAY))
    assert case.closed_at is None, "the copy is still owed"
    accept(case, Acceptance(key=copy.key, at=MONDAY + DAY))
    assert case.closed_at == MONDAY + DAY


@pytest.mark.rule("M5.7")
def test_a_case_does_not_close_while_a_letter_is_owed_or_a_review_is_open() -> None:
    case = do(answered(), "reply", MONDAY + DAY, draft=FULL)
    wake(case, MONDAY + 200 * DAY)
    assert case.closed_at is None
    send_all(case, MONDAY + 200 * DAY)
    assert case.closed_at == MONDAY + 200 * DAY


@pytest.mark.rule("M3.2")
def test_a_letter_held_back_leaves_at_its_time() -> None:
    case = new_case()
    case.letters[0] = case.letters[0].model_copy(update={"not_before": MONDAY + DAY})
    assert case.outbox(MONDAY) is None
    assert case.next_alarm() == MONDAY + DAY
    wake(case, MONDAY + DAY)
    assert case.next_alarm() != MONDAY + DAY, "the alarm has done its work"
    assert case.outbox(MONDAY + DAY)


@pytest.mark.rule("M3.2")
def test_a_reopened_case_not_acknowledged_in_time_is_told_so_and_still_told_that_it_is_open_again() -> None:
    reception = (MONDAY + 120 * DAY).isoformat()
    case = do(closed(), "reopen", MONDAY + 120 * DAY, reasons="new facts", received_at=reception)
    wake(case, MONDAY + 130 * DAY)
    sent = send_all(case, MONDAY + 130 * DAY)
    assert [one.kind for one in sent] == [LetterKind.ACKNOWLEDGEMENT_LATE, LetterKind.REOPENED]
    assert sent[0].facts["received"] == reception


@pytest.mark.rule("M3.5")
@pytest.mark.rule("M3.6")
def test_an_escalation_letter_stuck_past_the_old_date_leaves_without_its_void_extension() -> None:
    case = do(
        acknowledged(),
        "escalate",
        MONDAY + DAY,
        institution="a bank",
        reasons="x",
        estimate="2026-04-01",
        until="2026-04-10",
    )
    wake(case, end_of(case, 2026, 3, 17))
    missed, told = send_all(case, end_of(case, 2026, 3, 17))
    assert (missed.kind, told.kind) == (LetterKind.MISSED, LetterKind.EXTERNAL)
    assert "new" not in told.facts
    assert "estimate" in told.facts
    assert letters(case, LetterKind.EXTERNAL)[0].state is LetterState.VOID
    assert case.resolution_due == end_of(case, 2026, 3, 16)


@pytest.mark.rule("M3.11")
def test_a_case_outlives_its_calendar() -> None:
    case = acknowledged()
    live(case, MONDAY + 900 * DAY)
    latest = [one.accepted_at for one in letters(case, LetterKind.MISSED)][-1]
    assert latest
    assert latest > MONDAY + 890 * DAY
    now = MONDAY + 900 * DAY
    case = do(case, "resolve", now, outcome="upheld", draft=FULL)
    send_all(case, now)
    case = do(case, "appeal", now + 1000 * DAY, actor=SUPERVISOR, text="I disagree", by="authority")
    assert case.owed(ObligationKind.AUTHORITY_REPLY)
