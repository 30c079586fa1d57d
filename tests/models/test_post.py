"""What becomes of letters: accepted, refused for good, delivered, bounced, learned late, doubled."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.errors import Refused
from models.inquiry import AUTHORITY, EMAIL, Address, Flag, Status
from models.letters import LetterKind, LetterState
from models.obligations import ObligationKind
from models.post import Acceptance, accept, bounce, deliver, fail
from tests.cases import (
    DAY,
    FULL,
    MONDAY,
    ORIGIN,
    REGISTERED,
    SUPERVISOR,
    TELEGRAM,
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

SECOND_MAIL = Address(id="ad_second", channel=EMAIL)
BANK: dict[str, Any] = {"institution": "a bank", "reasons": "x", "estimate": "2026-03-10"}
BANK_LATER: dict[str, Any] = BANK | {"estimate": "2026-04-01", "until": "2026-04-10"}


def back(case: Case, key: str, at: datetime, *, hard: bool = True) -> None:
    bounce(case, key, at, hard=hard, reason="550")


def extended(**more: Any) -> Case:
    case = do(acknowledged(**more), "extend", MONDAY + DAY, until="2026-04-10", reasons="complex")
    send_all(case, MONDAY + DAY)
    assert case.resolution_due == end_of(case, 2026, 4, 10)
    return case


# -- bounced -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.2")
@pytest.mark.rule("M3.7")
@pytest.mark.rule("M4.2")
def test_a_bounced_acknowledgement_was_sent_in_time_and_goes_to_another_channel_the_next_business_day() -> None:
    case = acknowledged(addresses=(ORIGIN, TELEGRAM))
    back(case, case.letters[0].key, MONDAY + DAY)
    assert case.obligations[0].kept, "sent in time stays"
    assert days_of(case, ObligationKind.RESEND) == days_of(case, ObligationKind.CHANNEL_CHANGE) == [date(2026, 2, 4)]
    change, again = send_all(case, MONDAY + DAY)
    assert (change.kind, change.facts) == (LetterKind.CHANNEL_CHANGE, {"old": "email", "new": "telegram"})
    assert (again.kind, again.address) == (LetterKind.ACKNOWLEDGEMENT, TELEGRAM)
    assert [o.kind for o in case.owed()] == [ObligationKind.FINAL]


@pytest.mark.rule("M4.2")
def test_another_address_on_the_same_channel_is_no_change_of_channel() -> None:
    case = acknowledged(addresses=(ORIGIN, SECOND_MAIL))
    back(case, case.letters[0].key, MONDAY + DAY)
    (again,) = send_all(case, MONDAY + DAY)
    assert again.address == SECOND_MAIL
    assert not days_of(case, ObligationKind.CHANNEL_CHANGE)


@pytest.mark.rule("M3.7")
def test_a_soft_bounce_goes_to_the_same_address_once_more_and_then_elsewhere() -> None:
    case = acknowledged(addresses=(ORIGIN, SECOND_MAIL))
    back(case, case.letters[0].key, MONDAY, hard=False)
    (again,) = send_all(case, MONDAY)
    assert again.address == ORIGIN
    back(case, again.key, MONDAY, hard=False)
    (third,) = send_all(case, MONDAY)
    assert third.address == SECOND_MAIL


@pytest.mark.rule("M3.7")
def test_a_second_bounce_or_delivery_of_the_same_letter_changes_nothing() -> None:
    case = acknowledged()
    key = case.letters[0].key
    deliver(case, key, MONDAY + DAY)
    back(case, key, MONDAY + DAY)
    before = case.model_copy(deep=True)
    deliver(case, key, MONDAY + 2 * DAY)
    back(case, key, MONDAY + 2 * DAY)
    accept(case, Acceptance(key=key, at=MONDAY + 2 * DAY))
    for strange in ("", "RX-7KQ4-M2PD/extension/9"):
        accept(case, Acceptance(key=strange, at=MONDAY))
        deliver(case, strange, MONDAY)
        back(case, strange, MONDAY)
        fail(case, strange, MONDAY, "x")
    fail(case, key, MONDAY, "x")
    assert case == before


@pytest.mark.rule("M5.7")
def test_a_bounced_final_answer_was_given_in_time_and_is_sent_again() -> None:
    case = answered(addresses=(ORIGIN, SECOND_MAIL))
    assert case.final
    back(case, case.final.letter, MONDAY + 2 * DAY)
    assert case.obligations[1].kept
    assert case.status is Status.ANSWERED
    (again,) = send_all(case, MONDAY + 3 * DAY)
    assert (again.kind, again.draft) == (LetterKind.FINAL_UPHELD, FULL["id"])
    assert case.window_ends == end_of(case, 2026, 5, 4), "the window counts from the answer"


@pytest.mark.rule("M3.7")
def test_a_bounce_opens_a_closed_case_until_the_letter_is_sent_again() -> None:
    case = closed(addresses=(ORIGIN, SECOND_MAIL))
    assert case.final
    back(case, case.final.letter, MONDAY + 110 * DAY)
    assert case.closed_at is None
    send_all(case, MONDAY + 110 * DAY)
    assert case.closed_at == MONDAY + 110 * DAY


@pytest.mark.rule("M3.7")
def test_a_bounced_copy_is_not_chased_and_no_further_copy_goes_there() -> None:
    case = acknowledged(addresses=(ORIGIN, REGISTERED))
    case = do(case, "extend", MONDAY, until="2026-04-10", reasons="x")
    back(case, letters(case, LetterKind.ACKNOWLEDGEMENT)[1].key, MONDAY)
    assert not days_of(case, ObligationKind.RESEND)
    assert [one.address for one in send_all(case, MONDAY)] == [ORIGIN], "the copy that waited does not leave either"
    case = do(case, "resolve", MONDAY, outcome="upheld", draft=FULL)
    assert [one.address for one in send_all(case, MONDAY)] == [ORIGIN]


@pytest.mark.rule("M3.7")
def test_a_letter_sent_again_is_not_copied_again() -> None:
    case = acknowledged(addresses=(ORIGIN, SECOND_MAIL, REGISTERED))
    back(case, case.letters[0].key, MONDAY)
    (again,) = send_all(case, MONDAY)
    assert again.address == SECOND_MAIL


@pytest.mark.rule("M4.2")
def test_what_waits_for_a_dead_address_leaves_elsewhere_and_the_change_is_told_once_and_first() -> None:
    case = acknowledged(addresses=(ORIGIN, TELEGRAM))
    case = do(case, "reply", MONDAY, draft=FULL)
    case = do(case, "resolve", MONDAY, outcome="upheld", draft=FULL)
    back(case, case.letters[0].key, MONDAY)
    sent = send_all(case, MONDAY)
    assert {one.address for one in sent} == {TELEGRAM}
    assert [one.kind for one in sent].count(LetterKind.CHANNEL_CHANGE) == 1
    assert sent[0].kind is LetterKind.CHANNEL_CHANGE, "before the channel's first use"
    assert case.status is Status.ANSWERED


@pytest.mark.rule("M4.2")
def test_when_the_new_channel_fails_too_only_the_next_one_is_told() -> None:
    case = acknowledged(addresses=(ORIGIN, TELEGRAM, Address(id="ad_x", channel="x")))
    back(case, case.letters[0].key, MONDAY)
    change = case.outbox(MONDAY)
    assert change
    fail(case, change.key, MONDAY, "no such chat")
    sent = send_all(case, MONDAY)
    assert [(one.kind, one.facts["new"]) for one in sent if one.kind is LetterKind.CHANNEL_CHANGE] == [
        (LetterKind.CHANNEL_CHANGE, "x")
    ]
    assert {one.address.id for one in sent if one.address} == {"ad_x"}
    assert [o.kind for o in case.owed()] == [ObligationKind.FINAL]


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


# -- refused for good --------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.7")
@pytest.mark.rule("M4.2")
def test_an_address_that_never_takes_the_letter_gives_way_to_the_next() -> None:
    case = new_case(addresses=(ORIGIN, TELEGRAM))
    fail(case, case.letters[0].key, MONDAY, "no such mailbox")
    change, again = send_all(case, MONDAY)
    assert (change.kind, again.kind) == (LetterKind.CHANNEL_CHANGE, LetterKind.ACKNOWLEDGEMENT)
    assert case.obligations[0].kept
    assert case.channel_now == "telegram"


@pytest.mark.rule("M3.7")
def test_no_address_left_is_a_flag_until_a_supervisor_signs_or_the_user_writes() -> None:
    case = new_case()
    fail(case, case.letters[0].key, MONDAY, "no such mailbox")
    assert case.undelivered
    assert Flag.UNDELIVERED in case.flags
    assert case.outbox(MONDAY) is None
    with pytest.raises(Refused, match="only a supervisor"):
        do(case, "attempts_exhausted", MONDAY, reasons="all tried")
    signed = do(case, "attempts_exhausted", MONDAY, actor=SUPERVISOR, reasons="all tried")
    assert signed.obligations[0].exhausted_at == MONDAY
    assert not signed.undelivered
    with pytest.raises(Refused, match="nothing is owed"):
        do(signed, "attempts_exhausted", MONDAY, actor=SUPERVISOR, reasons="again")
    wrote: dict[str, Any] = {"message": "ms_1", "at": MONDAY.isoformat()}
    assert do(case, "receive_message", MONDAY, **wrote).undelivered
    alive = do(case, "receive_message", MONDAY, **wrote, addresses=[ORIGIN.model_dump()])
    assert [one.kind for one in send_all(alive, MONDAY)] == [LetterKind.ACKNOWLEDGEMENT], "it works after all"
    elsewhere = do(case, "receive_message", MONDAY, **wrote, addresses=[TELEGRAM.model_dump()])
    assert [one.kind for one in send_all(elsewhere, MONDAY)] == [LetterKind.CHANNEL_CHANGE, LetterKind.ACKNOWLEDGEMENT]


@pytest.mark.rule("M3.4")
def test_an_answer_that_nobody_can_be_given_ends_the_case_by_a_signature() -> None:
    case = do(acknowledged(), "escalate", MONDAY, **BANK)
    send_all(case, MONDAY)
    now = live(case, end_of(case, 2026, 3, 17))
    case = do(case, "resolve", now, outcome="upheld", draft=FULL)
    assert case.final
    fail(case, case.final.letter, now, "gone")
    assert case.undelivered
    case = do(case, "attempts_exhausted", now, actor=SUPERVISOR, reasons="all tried")
    wake(case, now)
    assert case.status is Status.CLOSED
    assert not case.owed()


@pytest.mark.rule("M3.7")
@pytest.mark.parametrize("name", ["withdraw", "merge"])
def test_an_end_that_nobody_can_be_told_of_is_signed_too(name: str) -> None:
    orders: dict[str, dict[str, Any]] = {
        "withdraw": {"reasons": "never mind", "message": "ms_1"},
        "merge": {"other": "RX-2", "leads": False, "contact": "ct_1", "received_at": MONDAY.isoformat()},
    }
    case = do(acknowledged(), name, MONDAY, **orders[name])
    fail(case, case.letters[-1].key, MONDAY, "gone")
    case = do(case, "attempts_exhausted", MONDAY, actor=SUPERVISOR, reasons="all tried")
    wake(case, MONDAY)
    assert case.status is Status.CLOSED


@pytest.mark.rule("M3.7")
def test_one_signature_covers_every_letter_that_nobody_can_be_given() -> None:
    case = do(answered(), "reopen", MONDAY + 2 * DAY, reasons="new facts")
    fail(case, case.letters[-1].key, MONDAY + 2 * DAY, "gone")
    wake(case, MONDAY + 20 * DAY)
    assert {one.kind for one in case.waiting()} == {LetterKind.REOPENED, LetterKind.ACKNOWLEDGEMENT_LATE}
    case = do(case, "attempts_exhausted", MONDAY + 20 * DAY, actor=SUPERVISOR, reasons="all tried")
    assert [o.kind for o in case.owed()] == [ObligationKind.FINAL]


@pytest.mark.rule("M3.5")
def test_an_extension_goes_along_to_the_next_address() -> None:
    case = do(acknowledged(addresses=(ORIGIN, SECOND_MAIL)), "extend", MONDAY, until="2026-04-10", reasons="x")
    fail(case, case.extensions[0].letter, MONDAY, "gone")
    (again,) = send_all(case, MONDAY)
    assert case.extensions[0].letter == again.key
    assert case.resolution_due == end_of(case, 2026, 4, 10)


@pytest.mark.rule("M4.2")
def test_a_copy_that_fails_is_let_go() -> None:
    case = new_case(addresses=(ORIGIN, REGISTERED))
    fail(case, case.letters[1].key, MONDAY, "gone")
    assert [one.state for one in case.letters] == [LetterState.OWED, LetterState.FAILED]


@pytest.mark.rule("M3.10")
def test_a_letter_to_the_authority_never_goes_to_the_user_instead() -> None:
    case = do(answered(), "appeal", MONDAY + 2 * DAY, text="they ask", by="authority")
    send_all(case, MONDAY + 2 * DAY)
    case = do(case, "reply", MONDAY + 2 * DAY, draft=FULL, to="authority")
    fail(case, case.letters[-1].key, MONDAY + 2 * DAY, "no such mailbox")
    assert case.undelivered
    assert case.letters[-1].address is None
    again = do(case, "reply", MONDAY + 2 * DAY, draft=FULL, to="authority")
    (sent,) = send_all(again, MONDAY + 2 * DAY)
    assert sent.address == AUTHORITY
    assert not again.owed()
    back(again, sent.key, MONDAY + 3 * DAY)
    assert again.undelivered
    done = do(again, "appeal_decided", MONDAY + 3 * DAY, result="upheld", text="so it is")
    assert not done.owed()
    assert not done.undelivered


# -- known late, known before ------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.7")
def test_delivered_before_accepted_is_an_acceptance() -> None:
    case = new_case()
    key = case.letters[0].key
    deliver(case, key, MONDAY + DAY)
    letter = case.letter(key)
    assert letter
    assert (letter.accepted_at, letter.delivered_at) == (MONDAY + DAY, MONDAY + DAY)
    assert case.obligations[0].kept
    accept(case, Acceptance(key=key, at=MONDAY, provider_id="p"))
    assert case.obligations[0].met_at == MONDAY, "the true acceptance was earlier"


@pytest.mark.rule("M3.2")
@pytest.mark.rule("M3.11")
def test_an_acceptance_in_time_that_is_learned_late_takes_lateness_back() -> None:
    case = new_case()
    key = case.letters[0].key
    due = end_of(case, 2026, 2, 9)
    wake(case, due + timedelta(hours=1))
    quick, slow = case.model_copy(deep=True), case
    accept(quick, Acceptance(key=key, at=due))
    assert [o.kind for o in quick.owed()] == [ObligationKind.FINAL]
    assert not quick.waiting(), "nobody is told of lateness that was none"
    send_all(slow, due + timedelta(hours=1))
    assert Flag.LATE in slow.flags
    accept(slow, Acceptance(key=key, at=due))
    assert Flag.LATE not in slow.flags


@pytest.mark.rule("M3.7")
def test_a_letter_that_was_accepted_after_all_is_not_sent_again() -> None:
    case = do(acknowledged(addresses=(ORIGIN, SECOND_MAIL)), "resolve", MONDAY, outcome="upheld", draft=FULL)
    assert case.final
    original = case.final.letter
    fail(case, original, MONDAY, "said to be gone")
    assert case.final.letter != original
    deliver(case, original, MONDAY + DAY)
    assert case.outbox(MONDAY + DAY) is None
    assert case.status is Status.ANSWERED
    assert case.final.letter == original


@pytest.mark.rule("M3.11")
def test_an_acknowledgement_known_late_does_not_take_a_later_date_back() -> None:
    case = new_case(addresses=(ORIGIN, SECOND_MAIL))
    first = case.letters[0].key
    fail(case, first, MONDAY, "said to be gone")
    send_all(case, MONDAY)
    case = do(case, "extend", MONDAY, until="2026-04-10", reasons="x")
    send_all(case, MONDAY)
    deliver(case, first, MONDAY + DAY)
    assert case.told == end_of(case, 2026, 4, 10)


@pytest.mark.rule("M3.11")
def test_a_foreign_clock_cannot_make_a_letter_early_or_late() -> None:
    case = new_case()
    order: dict[str, Any] = {"notices": [case.letters[0].key], "at": (MONDAY - 9000 * DAY).isoformat()}
    assert do(case, "notice_delivered", MONDAY + DAY, **order).obligations[0].met_at == MONDAY
    order["at"] = "9999-12-31T23:59:59Z"
    assert do(case, "notice_delivered", MONDAY + DAY, **order).obligations[0].met_at == MONDAY + DAY


@pytest.mark.rule("M3.7")
def test_a_possible_duplicate_is_recorded_as_one() -> None:
    case = new_case()
    accept(case, Acceptance(key=case.letters[0].key, at=MONDAY, duplicate=True))
    assert case.letters[0].duplicate
    assert case.pending[-3].data["possible_duplicate"] is True


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


# -- the end -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.10")
def test_withdrawing_leaves_what_the_authority_is_owed_and_the_word_about_a_new_channel() -> None:
    case = do(acknowledged(addresses=(ORIGIN, TELEGRAM)), "appeal", MONDAY, text="they ask", by="authority")
    unanswered = do(case, "withdraw", MONDAY, reasons="never mind", message="ms_1")
    assert unanswered.owed(ObligationKind.AUTHORITY_REPLY)
    case = do(case, "reply", MONDAY, draft=FULL, to="authority")
    case = do(case, "change_channel", MONDAY, channel="telegram", reasons="asked")
    case = do(case, "refer", MONDAY, area="security", question="x")
    case = do(case, "withdraw", MONDAY, reasons="never mind", message="ms_1")
    assert case.referred is None
    assert [one.kind for one in send_all(case, MONDAY)] == [
        LetterKind.CHANNEL_CHANGE,
        LetterKind.AUTHORITY_REPLY,
        LetterKind.WITHDRAWN,
    ]
    assert not case.owed()
    assert case.status is Status.APPEALED


@pytest.mark.rule("M5.7")
def test_a_withdrawn_case_may_come_back_before_its_confirmation_left() -> None:
    case = do(acknowledged(), "withdraw", MONDAY, reasons="never mind", message="ms_1")
    case = do(case, "reply", MONDAY, draft=FULL)
    case = do(case, "reopen", MONDAY, reasons="I want it after all")
    assert [one.kind for one in send_all(case, MONDAY)] == [LetterKind.REPLY, LetterKind.REOPENED]
    assert [o.kind for o in case.owed()] == [ObligationKind.FINAL]


@pytest.mark.rule("M3.10")
def test_new_facts_reopen_a_case_during_a_review() -> None:
    case = do(answered(), "appeal", MONDAY + DAY, text="I disagree")
    case = do(case, "reopen", MONDAY + DAY, reasons="new facts")
    assert case.status is Status.APPEALED
    assert case.final_term


@pytest.mark.rule("M4.2")
def test_a_case_that_goes_elsewhere_takes_all_but_the_authoritys_letters_along() -> None:
    case = do(new_case(addresses=(ORIGIN, TELEGRAM)), "appeal", MONDAY, text="they ask", by="authority")
    case = do(case, "reply", MONDAY, draft=FULL, to="authority")
    first = case.letters[0].key
    case = do(case, "change_channel", MONDAY, channel="telegram", reasons="asked")
    assert next(f for f in case.pending if f.type == "channel.changed").actor.id == "agent-1"
    accept(case, Acceptance(key=first, at=MONDAY))
    by_address = {one.kind: one.address for one in send_all(case, MONDAY) if not one.copy_of}
    assert by_address == {
        LetterKind.CHANNEL_CHANGE: TELEGRAM,
        LetterKind.REVIEW_NOTED: TELEGRAM,
        LetterKind.AUTHORITY_REPLY: AUTHORITY,
    }, "the acknowledgement in flight is not sent twice"


@pytest.mark.rule("M3.2")
def test_merging_takes_the_earlier_acknowledgement_too() -> None:
    earlier = new_case(MONDAY - 3 * DAY)
    order: dict[str, Any] = {
        "other": "RX-2",
        "leads": True,
        "contact": "ct_1",
        "received_at": earlier.received_at.isoformat(),
    }
    dues: dict[str, Any] = {
        "acknowledgement_due": earlier.obligations[0].due.isoformat(),
        "final_due": earlier.obligations[1].due,
    }
    case = do(new_case(), "merge", MONDAY, **order, **dues)
    assert [o.due for o in case.owed()] == [earlier.obligations[0].due, earlier.obligations[1].due]
    send_all(case, MONDAY)
    assert [o.kind for o in case.owed()] == [ObligationKind.FINAL], "the letter on its way meets the new date"
    assert case.told == earlier.obligations[1].due


@pytest.mark.rule("M3.4")
@pytest.mark.rule("M3.11")
def test_a_merged_case_that_missed_its_term_is_told_of_the_earlier_miss_alone() -> None:
    case = acknowledged()
    now = end_of(case, 2026, 3, 17)
    wake(case, now)
    order: dict[str, Any] = {"other": "RX-2", "leads": True, "contact": "ct_1", "received_at": MONDAY.isoformat()}
    late: dict[str, Any] = {"acknowledgement_due": end_of(case, 2026, 12, 1), "final_due": end_of(case, 2026, 3, 12)}
    case = do(case, "merge", now, **order, **late)
    wake(case, now)
    missed, _merged = send_all(case, now)
    assert missed.facts["missed"] == end_of(case, 2026, 3, 12).isoformat()
    assert Flag.LATE in case.flags
    unacknowledged = do(new_case(), "merge", MONDAY, **order, **late)
    assert unacknowledged.owed()[0].due == end_of(case, 2026, 2, 9), "a later date changes nothing"


@pytest.mark.rule("M3.2")
@pytest.mark.rule("M3.11")
def test_lateness_taken_back_for_one_term_is_told_for_the_other() -> None:
    case = new_case()
    key = case.letters[0].key
    wake(case, end_of(case, 2026, 3, 17))
    accept(case, Acceptance(key=key, at=MONDAY))
    assert [one.kind for one in case.waiting()] == [LetterKind.MISSED]
    assert len(case.owed(ObligationKind.MISSED)) == 1


@pytest.mark.rule("M3.4")
@pytest.mark.rule("M3.5")
def test_a_merged_case_keeps_the_earlier_date_and_drops_an_extension_on_its_way() -> None:
    earlier = new_case(MONDAY - 3 * DAY)
    order: dict[str, Any] = {
        "other": "RX-2",
        "leads": True,
        "contact": "ct_1",
        "received_at": earlier.received_at.isoformat(),
    }
    case = do(acknowledged(), "extend", MONDAY, until="2026-04-10", reasons="x")
    case = do(case, "merge", MONDAY, **order, final_due=earlier.obligations[1].due)
    assert [one.kind for one in send_all(case, MONDAY)] == [LetterKind.MERGED]
    assert case.resolution_due == case.told == earlier.obligations[1].due
    with pytest.raises(Refused, match="given or on its way"):
        do(answered(), "merge", MONDAY + DAY, **order)
    for absurd in ("1970-01-01T00:00:00Z", "2030-01-01T00:00:00Z"):
        with pytest.raises(Refused, match="must lie after"):
            do(acknowledged(), "merge", MONDAY, **order | {"received_at": absurd})


@pytest.mark.rule("M3.6")
def test_a_closed_or_merged_case_goes_to_no_institution() -> None:
    merged: dict[str, Any] = {"other": "RX-2", "leads": False, "contact": "ct_1", "received_at": MONDAY.isoformat()}
    for case in (closed(), do(acknowledged(), "merge", MONDAY, **merged)):
        with pytest.raises(Refused, match="the case is closed"):
            do(case, "escalate", MONDAY + DAY, **BANK)


@pytest.mark.rule("M3.5")
def test_what_turns_out_an_inquiry_is_not_extended() -> None:
    case = do(acknowledged(), "extend", MONDAY, until="2026-04-10", reasons="x")
    case = do(case, "reclassify", MONDAY, actor=SUPERVISOR, kind="inquiry", reasons="a question", draft=FULL)
    assert [one.kind for one in send_all(case, MONDAY)] == [LetterKind.REPLY]
    assert case.resolution_due == end_of(case, 2026, 3, 16)


def test_absurd_dates_are_refused_wherever_they_come() -> None:
    orders: dict[str, dict[str, Any]] = {
        "appeal": {"text": "x", "by": "authority", "answer_by": "9990-01-01"},
        "request_information": {"draft": FULL, "by": "9990-01-01"},
        "extend": {"until": "1970-01-01", "reasons": "x"},
    }
    for name, order in orders.items():
        with pytest.raises(Refused, match="must lie between"):
            do(acknowledged(), name, MONDAY, **order)
