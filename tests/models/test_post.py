"""What becomes of letters: bounced, delivered, accepted, learned late, doubled."""

from datetime import date, timedelta
from typing import Any

import pytest

from models.clock import wake
from models.inquiry import Address, Flag, Status
from models.letters import LetterKind
from models.obligations import ObligationKind
from models.post import Acceptance, accept, deliver, fail
from tests.cases import (
    DAY,
    FULL,
    MONDAY,
    ORIGIN,
    REGISTERED,
    SECOND_MAIL,
    TELEGRAM,
    acknowledged,
    answered,
    back,
    closed,
    days_of,
    do,
    end_of,
    letters,
    new_case,
    send_all,
)

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
