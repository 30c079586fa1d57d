"""How cases end, merge, move elsewhere and come back: what stays owed, and what nobody is told any more."""

from typing import Any

import pytest

from models.clock import wake
from models.errors import Refused
from models.inquiry import AUTHORITY, Flag, Status
from models.letters import LetterKind
from models.obligations import ObligationKind
from models.post import Acceptance, accept
from tests.cases import (
    BANK,
    DAY,
    FULL,
    MONDAY,
    ORIGIN,
    SUPERVISOR,
    TELEGRAM,
    acknowledged,
    answered,
    closed,
    do,
    end_of,
    new_case,
    send_all,
)


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
