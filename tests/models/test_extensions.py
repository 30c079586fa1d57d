"""Dates that letters move: extensions that take effect, bounce, revive or fall away; estimates of institutions."""

from datetime import date
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.inquiry import Flag
from models.letters import LetterKind
from models.obligations import ObligationKind
from models.post import Acceptance, accept, deliver
from tests.cases import (
    BANK,
    DAY,
    FULL,
    MONDAY,
    ORIGIN,
    SECOND_MAIL,
    SUPERVISOR,
    acknowledged,
    back,
    days_of,
    do,
    end_of,
    letters,
    live,
    send_all,
)

BANK_LATER: dict[str, Any] = BANK | {"estimate": "2026-04-01", "until": "2026-04-10"}


def extended(**more: Any) -> Case:
    case = do(acknowledged(**more), "extend", MONDAY + DAY, until="2026-04-10", reasons="complex")
    send_all(case, MONDAY + DAY)
    assert case.resolution_due == end_of(case, 2026, 4, 10)
    return case


# -- extensions --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.5")
def test_an_extension_that_bounces_before_the_old_date_brings_that_date_back() -> None:
    case = extended()
    back(case, case.extensions[0].letter, MONDAY + 2 * DAY)
    assert case.resolution_due == case.told == end_of(case, 2026, 3, 16)
    assert Flag.EXTENDED not in case.flags
    assert not days_of(case, ObligationKind.RESEND), "there is nothing to tell any more"
    again = do(case, "extend", MONDAY + 2 * DAY, until="2026-04-10", reasons="complex")
    assert again.extension_pending, "a void extension does not count as one"


@pytest.mark.rule("M3.5")
def test_an_extension_that_bounces_after_the_old_date_stands_and_is_told_late() -> None:
    case = extended(addresses=(ORIGIN, SECOND_MAIL))
    back(case, case.extensions[0].letter, end_of(case, 2026, 3, 17))
    assert case.resolution_due == end_of(case, 2026, 4, 10)
    assert Flag.LATE in case.flags
    assert days_of(case, ObligationKind.RESEND) == [date(2026, 3, 18)]
    (again,) = send_all(case, end_of(case, 2026, 3, 17))
    assert (again.kind, again.facts["new"]) == (LetterKind.EXTENSION, end_of(case, 2026, 4, 10).isoformat())
    back(case, again.key, end_of(case, 2026, 3, 19))
    assert len(days_of(case, ObligationKind.RESEND)) == 2, "and again if that one bounces"


@pytest.mark.rule("M3.5")
def test_a_further_extension_makes_the_bounce_of_the_first_one_late_news() -> None:
    case = do(extended(), "extend", MONDAY + DAY, actor=SUPERVISOR, until="2026-05-12", reasons="still")
    send_all(case, MONDAY + DAY)
    back(case, case.extensions[0].letter, MONDAY + 2 * DAY)
    assert case.resolution_due == case.told == end_of(case, 2026, 5, 12), "the second letter told it"
    assert case.extensions[0].told_late
    assert not days_of(case, ObligationKind.RESEND), "its date is not the date any more"


@pytest.mark.rule("M3.5")
def test_an_extension_overtaken_by_the_institutions_answer_is_void_when_it_bounces() -> None:
    case = do(extended(), "escalate", MONDAY + DAY, **BANK)
    send_all(case, MONDAY + DAY)
    case = do(case, "institution_answered", MONDAY + 2 * DAY, summary="paid")
    assert case.told == end_of(case, 2026, 4, 10)
    back(case, case.extensions[0].letter, MONDAY + 2 * DAY)
    assert case.told == end_of(case, 2026, 3, 16)
    assert case.resolution_due == end_of(case, 2026, 2, 11)


@pytest.mark.rule("M3.5")
def test_after_the_answer_nobody_is_told_of_an_extension_any_more() -> None:
    case = do(extended(), "resolve", MONDAY + DAY, outcome="upheld", draft=FULL)
    send_all(case, MONDAY + DAY)
    back(case, case.extensions[0].letter, end_of(case, 2026, 3, 18))
    assert not days_of(case, ObligationKind.RESEND)


@pytest.mark.rule("M3.5")
@pytest.mark.rule("M3.6")
def test_a_bounced_escalation_letter_is_owed_again_and_announces_its_extension_anew() -> None:
    case = do(acknowledged(addresses=(ORIGIN, SECOND_MAIL)), "escalate", MONDAY + DAY, **BANK_LATER)
    (letter,) = send_all(case, MONDAY + DAY)
    back(case, letter.key, MONDAY + 2 * DAY)
    assert case.resolution_due == end_of(case, 2026, 3, 16)
    (again,) = send_all(case, MONDAY + 2 * DAY)
    assert (again.kind, again.facts["new"]) == (LetterKind.EXTERNAL, end_of(case, 2026, 4, 10).isoformat())
    assert case.resolution_due == case.told == end_of(case, 2026, 4, 10)
    assert len(case.owed(ObligationKind.EXTERNAL)) == 1, "the estimate is promised once"


@pytest.mark.rule("M3.6")
def test_a_bounced_estimate_is_sent_again_as_it_is_today() -> None:
    case = do(acknowledged(addresses=(ORIGIN, SECOND_MAIL)), "escalate", MONDAY + DAY, **BANK)
    (first,) = send_all(case, MONDAY + DAY)
    case = do(case, "re_estimate", MONDAY + DAY, estimate="2026-03-12", reasons="slow")
    send_all(case, MONDAY + DAY)
    back(case, first.key, MONDAY + 2 * DAY)
    (again,) = send_all(case, MONDAY + 2 * DAY)
    assert again.facts["estimate"] == end_of(case, 2026, 3, 12).isoformat()
    assert [case.calendar.local_date(o.due) for o in case.owed(ObligationKind.EXTERNAL)] == [date(2026, 3, 12)]
    back(case, again.key, MONDAY + 3 * DAY)
    case = do(case, "institution_answered", MONDAY + 3 * DAY, summary="paid")
    assert case.owed(ObligationKind.RESEND), "the user is still told who takes part"


@pytest.mark.rule("M3.5")
def test_a_void_extension_is_left_out_of_a_letter_that_is_sent_again() -> None:
    case = do(acknowledged(addresses=(ORIGIN, SECOND_MAIL)), "escalate", MONDAY + DAY, **BANK_LATER)
    letter = case.outbox(MONDAY)
    assert letter
    accept(case, Acceptance(key=letter.key, at=end_of(case, 2026, 3, 17)))
    assert case.extensions[0].void_at
    wake(case, end_of(case, 2026, 3, 17))
    back(case, letter.key, end_of(case, 2026, 3, 18))
    assert "new" not in letters(case, LetterKind.EXTERNAL)[-1].facts


@pytest.mark.rule("M3.5")
def test_a_bounced_extension_of_a_former_life_is_nobodys_news() -> None:
    case = do(extended(), "resolve", MONDAY + DAY, outcome="upheld", draft=FULL)
    send_all(case, MONDAY + DAY)
    case = do(case, "reopen", MONDAY + 2 * DAY, reasons="new facts")
    send_all(case, MONDAY + 2 * DAY)
    assert Flag.EXTENDED not in case.flags
    back(case, letters(case, LetterKind.EXTENSION)[0].key, MONDAY + 3 * DAY)
    assert not days_of(case, ObligationKind.RESEND)
    assert do(case, "extend", MONDAY + 3 * DAY, until="2026-03-25", reasons="x").extension_pending, "its own first one"


@pytest.mark.rule("M3.4")
@pytest.mark.rule("M3.5")
def test_a_final_answer_decided_while_an_extension_flies_meets_the_term_that_runs_then() -> None:
    case = do(acknowledged(), "extend", MONDAY + DAY, until="2026-04-10", reasons="complex")
    flying = case.extensions[0].letter
    case = do(case, "resolve", MONDAY + DAY, outcome="upheld", draft=FULL)
    assert case.extension_pending is None, "an answer needs no longer term"
    accept(case, Acceptance(key=flying, at=MONDAY + DAY))
    assert case.resolution_due == end_of(case, 2026, 4, 10), "but the letter had left"
    (final,) = send_all(case, MONDAY + DAY)
    assert not case.owed()
    assert case.obligations[-1].met_by == final.key


@pytest.mark.rule("M3.5")
@pytest.mark.rule("M3.11")
def test_an_extension_accepted_in_time_and_learned_late_takes_the_missed_notice_back() -> None:
    case = do(acknowledged(), "extend", MONDAY + DAY, until="2026-04-10", reasons="complex")
    key = case.extensions[0].letter
    wake(case, end_of(case, 2026, 3, 17))
    assert case.owed(ObligationKind.MISSED)
    accept(case, Acceptance(key=key, at=end_of(case, 2026, 3, 16)))
    assert [o.kind for o in case.owed()] == [ObligationKind.FINAL]
    assert Flag.LATE not in case.flags
    assert not case.waiting()


# -- estimates ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.6")
def test_two_estimates_in_a_row_promise_only_the_last_one() -> None:
    case = do(acknowledged(), "escalate", MONDAY + DAY, **BANK)
    case = do(case, "re_estimate", MONDAY + DAY, estimate="2026-03-12", reasons="slow")
    letter = case.outbox(MONDAY + DAY)
    assert letter
    accept(case, Acceptance(key=letter.key, at=MONDAY + DAY))
    assert case.escalation
    assert case.escalation.told == end_of(case, 2026, 3, 10), "what that letter said"
    send_all(case, MONDAY + DAY)
    assert [case.calendar.local_date(o.due) for o in case.owed(ObligationKind.EXTERNAL)] == [date(2026, 3, 12)]
    assert all(o.kept for o in case.obligations if o.kind is ObligationKind.EXTERNAL and not o.open)


@pytest.mark.rule("M3.6")
def test_a_new_estimate_is_told_even_after_the_term_was_missed() -> None:
    case = do(acknowledged(), "escalate", MONDAY + DAY, **BANK)
    send_all(case, MONDAY + DAY)
    now = live(case, end_of(case, 2026, 3, 20))
    case = do(case, "re_estimate", now, estimate="2026-04-15", reasons="slow")
    (told,) = send_all(case, now)
    assert told.kind is LetterKind.RE_ESTIMATE
    assert case.resolution_due == end_of(case, 2026, 3, 16), "an estimate is no new term"


@pytest.mark.rule("M3.6")
def test_an_estimate_told_after_the_institution_answered_promises_nothing_more() -> None:
    case = do(acknowledged(), "escalate", MONDAY + DAY, **BANK)
    case = do(case, "institution_answered", MONDAY + DAY, summary="paid")
    (told,) = send_all(case, MONDAY + DAY)
    assert told.kind is LetterKind.EXTERNAL, "the user still hears who took part"
    assert [o.kind for o in case.owed()] == [ObligationKind.FINAL]


@pytest.mark.rule("M3.5")
def test_an_extension_void_already_stays_void_when_its_letter_is_accepted_late() -> None:
    case = do(acknowledged(), "extend", MONDAY, until="2026-04-10", reasons="x")
    key = case.extensions[0].letter
    wake(case, end_of(case, 2026, 3, 17))
    accept(case, Acceptance(key=key, at=end_of(case, 2026, 3, 17)))
    assert case.extensions[0].void_at == end_of(case, 2026, 3, 16)
    assert case.resolution_due == end_of(case, 2026, 3, 16)


@pytest.mark.rule("M3.5")
def test_an_extension_accepted_in_flight_moves_no_date_but_the_one_it_was_announced_for() -> None:
    case = do(acknowledged(), "escalate", MONDAY, **BANK)
    send_all(case, MONDAY)
    case = do(case, "extend", MONDAY, until="2026-04-10", reasons="x")
    flying = case.extensions[0].letter
    case = do(case, "institution_answered", MONDAY + DAY, summary="paid")
    accept(case, Acceptance(key=flying, at=MONDAY + DAY))
    assert case.resolution_due == end_of(case, 2026, 2, 10), "five business days after the institution's answer"


@pytest.mark.rule("M3.10")
def test_the_answer_to_the_user_is_none_to_the_authority() -> None:
    case = do(acknowledged(), "appeal", MONDAY, text="they ask", by="authority")
    case = do(case, "resolve", MONDAY, outcome="upheld", draft=FULL)
    send_all(case, MONDAY)
    assert [o.kind for o in case.owed()] == [ObligationKind.AUTHORITY_REPLY]


@pytest.mark.rule("M3.6")
@pytest.mark.rule("M5.7")
def test_the_answer_ends_estimates_even_those_on_their_way() -> None:
    case = do(acknowledged(), "escalate", MONDAY + DAY, **BANK)
    case = do(case, "resolve", MONDAY + DAY, outcome="upheld", draft=FULL)
    assert case.final
    deliver(case, case.final.letter, MONDAY + DAY)
    assert not case.waiting()
    assert not case.owed()
    assert case.escalated is None
