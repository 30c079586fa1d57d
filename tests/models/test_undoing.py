"""Taking back what a person ordered: within the policy's seconds, never past a due date, never an acknowledgement."""

from datetime import timedelta
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.errors import Refused
from models.inquiry import Status
from models.letters import LetterKind, LetterState
from tests.cases import FULL, MONDAY, ORIGIN, OTHER, REGISTERED, acknowledged, do, letters, new_case, send_all

SECOND = timedelta(seconds=1)
UNTIL = {"until": "2026-04-20", "reasons": "The bank has not answered."}


def held(name: str, **payload: Any) -> Case:
    return do(acknowledged(undo_seconds=60, addresses=(ORIGIN, REGISTERED)), name, MONDAY, **payload)


def refused(case: Case, now: Any = MONDAY) -> str:
    with pytest.raises(Refused) as caught:
        do(case, "undo", now, reasons="wrong")
    return caught.value.code


@pytest.mark.rule("M5.7")
def test_a_final_answer_is_taken_back_with_its_copy_and_can_be_given_anew() -> None:
    case = held("resolve", outcome="upheld", draft=FULL)
    assert case.outbox(MONDAY + 59 * SECOND) is None
    assert case.next_alarm() == MONDAY + 60 * SECOND
    back = do(case, "undo", MONDAY + 59 * SECOND, OTHER, reasons="The amount is wrong.")
    assert (back.final, back.status, back.waiting()) == (None, Status.OPEN, [])
    assert {one.state for one in letters(back, LetterKind.FINAL_UPHELD)} == {LetterState.VOID}
    assert back.resolution_due == case.resolution_due
    assert back.final_term
    fact = back.pending[-1]
    assert (fact.type, fact.actor, fact.texts) == ("letter.taken-back", OTHER, {"reasons": "The amount is wrong."})
    again = do(back, "resolve", MONDAY + 59 * SECOND, outcome="upheld", draft=FULL)
    wake(again, MONDAY + 119 * SECOND)
    send_all(again, MONDAY + 119 * SECOND)
    assert again.status is Status.ANSWERED


def test_an_extension_and_a_reply_are_taken_back_the_last_one_first() -> None:
    case = do(held("extend", **UNTIL), "reply", MONDAY, draft=FULL)
    back = do(case, "undo", MONDAY, reasons="wrong")
    assert [one.kind for one in back.waiting() if not one.copy_of] == [LetterKind.EXTENSION]
    assert back.extension_pending
    assert do(back, "undo", MONDAY, reasons="wrong").extension_pending is None


def test_what_has_left_or_is_about_to_cannot_be_taken_back() -> None:
    assert refused(acknowledged(undo_seconds=60)) == "undo.nothing"
    case = held("reply", draft=FULL)
    assert refused(case, MONDAY + 60 * SECOND) == "undo.nothing"
    wake(case, MONDAY + 60 * SECOND)
    assert case.outbox(MONDAY + 60 * SECOND)
    assert refused(case, MONDAY + 60 * SECOND) == "undo.nothing"


def test_no_letter_waits_past_a_due_date_and_none_where_policy_gives_no_time() -> None:
    case = acknowledged(undo_seconds=60)
    due = case.final_term
    assert due
    late = do(case, "resolve", due.due - 59 * SECOND, outcome="upheld", draft=FULL)
    assert late.outbox(due.due - 59 * SECOND)
    at_once = do(acknowledged(), "resolve", MONDAY, outcome="upheld", draft=FULL)
    assert at_once.outbox(MONDAY)


@pytest.mark.rule("M3.2")
def test_an_acknowledgement_never_waits() -> None:
    letter = new_case(undo_seconds=60).outbox(MONDAY)
    assert letter
    assert letter.kind is LetterKind.ACKNOWLEDGEMENT
