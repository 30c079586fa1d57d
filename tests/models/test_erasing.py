"""A request for erasure: held while the case is open, answered within its own term, done once the letter has left."""

from datetime import timedelta
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.erasing import Wiped, erased
from models.errors import Refused
from models.inquiry import Flag, Status
from models.letters import LetterKind
from models.obligations import ObligationKind
from tests.cases import DAY, FULL, MONDAY, OTHER, acknowledged, back, closed, days_of, do, draft, letters, send_all

CLOSED = MONDAY + 100 * DAY
ASKED: dict[str, Any] = {"message": "ms_9"}
TERM = ObligationKind.ERASURE


def refused(case: Case, name: str, **order: Any) -> str:
    with pytest.raises(Refused) as caught:
        do(case, name, CLOSED, **order)
    return caught.value.code


def decided(case: Case) -> Case:
    """Proposed by one colleague and approved by another."""
    return do(do(case, "propose", CLOSED, command="erase", order={}), "approve", CLOSED, OTHER)


def asked() -> Case:
    return do(closed(erasure_warnings=(2,)), "request_erasure", CLOSED, **ASKED)


def test_what_is_asked_of_a_closed_case_is_owed_at_once_and_keeps_it_alive() -> None:
    assert closed().ended
    case = asked()
    (owed,) = case.owed(TERM)
    assert owed.due == case.days(CLOSED).due(CLOSED, 10)
    assert (case.status, case.ended, case.next_alarm()) == (Status.CLOSED, False, owed.warnings[0])
    assert refused(case, "request_erasure", **ASKED) == "erasure.asked"
    wake(case, owed.due + DAY)
    assert case.owed(TERM)[0].missed_at == owed.due


def test_on_an_open_case_it_is_held_until_it_closes() -> None:
    case = do(acknowledged(), "request_erasure", MONDAY, **ASKED)
    assert case.owed(TERM) == []
    assert refused(case, "erase") == "approval.missing"
    with pytest.raises(Refused, match=r"erasure\.open"):
        do(case, "propose", MONDAY, command="erase", order={})
    case = do(case, "resolve", MONDAY, outcome="upheld", draft=FULL)
    send_all(case, MONDAY)
    wake(case, CLOSED)
    assert case.closed_at == CLOSED
    assert days_of(case, TERM) == [case.calendar.local_date(case.days(CLOSED).due(CLOSED, 10))]


def test_a_case_that_goes_on_holds_it_again() -> None:
    case = do(asked(), "appeal", CLOSED, text="A review.")
    wake(case, CLOSED)
    assert case.owed(TERM) == []
    assert case.obligations[-1].superseded_why == "the case is open again"


def test_one_proposes_and_another_approves_and_the_letter_leaves_before_anything_goes() -> None:
    case = asked()
    assert refused(case, "erase") == "approval.missing"
    case = do(case, "propose", CLOSED, command="erase", order={})
    with pytest.raises(Refused, match=r"approval\.same-person"):
        do(case, "approve", CLOSED)
    case = do(case, "approve", CLOSED, OTHER)
    assert case.erasing is False
    assert [one.kind for one in send_all(case, CLOSED)] == [LetterKind.ERASURE_DONE]
    assert case.owed(TERM) == []
    assert (case.erasing, case.ended) == (True, False)
    assert refused(case, "request_erasure", **ASKED) == "erasure.asked"
    assert refused(case, "refuse_erasure", draft=draft("text")) == "erasure.none"


def test_once_it_is_done_the_case_says_nothing_and_writes_nowhere() -> None:
    case = decided(asked())
    case.post(case.letters[0], texts={"reasons": "private"})
    send_all(case, CLOSED)
    wiped = Wiped(at=CLOSED, texts=4, files=1, addresses=("ad_origin",))
    erased(case, wiped)
    assert (case.erasing, case.ended, case.address()) == (False, True, None)
    assert Flag.ERASED in case.flags
    assert all(not one.texts for one in case.letters)
    fact = case.pending[-1]
    assert (fact.type, fact.data) == ("case.erased", {"texts_erased": 4, "files_erased": 1})
    erased(case, wiped)
    assert case.pending[-1] is fact
    (letter,) = letters(case, LetterKind.ERASURE_DONE)
    back(case, letter.key, CLOSED + timedelta(hours=1))
    assert (case.ended, case.owed()) == (True, [])
    assert refused(case, "request_erasure", **ASKED) == "erasure.asked"


def test_what_is_written_after_an_erasure_may_be_erased_too() -> None:
    case = decided(asked())
    send_all(case, CLOSED)
    erased(case, Wiped(at=CLOSED, addresses=("ad_origin",)))
    later = CLOSED + timedelta(days=1)
    case = do(case, "receive_message", later, message="ms_77", at=later)
    case = do(case, "request_erasure", later, message="ms_77")
    assert case.owed(TERM)
    assert not case.erasing
    assert refused(case, "request_erasure", message="ms_78") == "erasure.asked"


def test_points_go_with_their_words_and_nobody_need_answer_them() -> None:
    kept = do(acknowledged(), "set_points", MONDAY, draft=draft("points"), points=[{"id": "pt_1"}])
    answered = do(kept, "resolve", MONDAY, outcome="upheld", draft=FULL, answers=["pt_1"])
    send_all(answered, MONDAY)
    wake(answered, CLOSED)
    before = decided(do(answered, "request_erasure", CLOSED, **ASKED))
    send_all(before, CLOSED)
    case = before.model_copy(deep=True)
    erased(case, Wiped(at=CLOSED))
    assert case.points == []
    later = CLOSED + DAY
    # A case erased by an earlier version still lists them.
    listed = case.model_copy(update={"points": before.points})
    for one in (case, listed):
        again = do(one, "reopen", later, reasons="New facts.")
        assert do(again, "resolve", later, outcome="upheld", draft=FULL).final
        raised = do(again, "set_points", later, draft=draft("points"), points=[{"id": "pt_2"}])
        assert [point.id for point in raised.points] == ["pt_2"]
        with pytest.raises(Refused, match=r"gate\.points"):
            do(raised, "resolve", later, outcome="upheld", draft=FULL)


def test_it_may_be_refused_with_reasons_and_asked_for_again() -> None:
    case = asked()
    assert refused(case, "refuse_erasure", draft=draft()) == "gate.empty"
    case = do(case, "refuse_erasure", CLOSED, draft=draft("text"))
    (reply,) = letters(case, LetterKind.REPLY)
    assert reply.meets == (case.owed(TERM)[0].n,)
    send_all(case, CLOSED)
    assert (case.owed(TERM), case.ended, case.erasing) == ([], True, False)
    assert refused(case, "refuse_erasure", draft=draft("text")) == "erasure.none"
    assert do(case, "request_erasure", CLOSED, **ASKED).owed(TERM)


def test_nothing_is_erased_that_nobody_asked_for() -> None:
    with pytest.raises(Refused, match=r"erasure\.none"):
        do(closed(), "propose", CLOSED, command="erase", order={})
