"""Visits: of all sessions of a person's on one channel the case knows the last, whatever it hears of first."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from models.case import Case
from models.inquiry import Address
from models.letters import LetterKind, LetterState
from models.post import fail
from tests.cases import DAY, FULL, MONDAY, REGISTERED, acknowledged, do, letters, new_case, send_all

MINUTE = timedelta(minutes=1)
FIRST = Address(id="ad_c0", channel="chat")


def session(n: int) -> Address:
    return Address(id=f"ad_c{n}", channel="chat")


def told(address: Address, at: datetime, **more: Any) -> dict[str, Any]:
    visit = {"address": address.model_dump(), "at": at.isoformat()}
    return {"contact": "ct_1", "addresses": [], "bound": False, "visit": visit, **more}


def visit(case: Case, n: int, at: datetime | None = None, **more: Any) -> Case:
    """The person signed in again, in the nth session."""
    at = at or MONDAY + n * MINUTE
    return do(case, "identity_bound", max(at, MONDAY), **told(session(n), at), **more)


def writes(case: Case, n: int, at: datetime) -> Case:
    """The person says something in the nth session."""
    here = session(n).model_dump()
    return do(case, "receive_message", at, message=f"ms_{n}", at=at.isoformat(), addresses=[here])


def in_chat(*more: Address, **terms: Any) -> Case:
    return begun(new_case(channel="chat", addresses=(FIRST, *more, REGISTERED), **terms))


def begun(case: Case) -> Case:
    """As intake opens it, which knows on which channels there are visits."""
    case.visits = {"chat": MONDAY}
    return case


def where(case: Case) -> list[str]:
    return [one.id for one in case.addresses]


@pytest.mark.rule("M4.2")
def test_a_visit_takes_the_place_of_the_one_before() -> None:
    case = in_chat()
    send_all(case, MONDAY)
    for n in range(1, 181):
        case = visit(case, n)
    assert where(case) == ["ad_c180", REGISTERED.id]
    assert case.dead == ()
    case = do(case, "reply", MONDAY + DAY, draft=FULL)
    (reply,) = letters(case, LetterKind.REPLY)
    assert reply.address == session(180)
    added = [fact.data["addresses"] for fact in case.pending if fact.type == "address.added"]
    assert added == [[f"ad_c{n}"] for n in range(1, 181)], "the history has them all"


@pytest.mark.rule("M4.2")
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_in_whatever_order_they_are_heard_of_the_last_one_counts(order: tuple[int, ...]) -> None:
    """A message from an earlier session is the latest sign of where the person is."""
    events = (
        lambda case: visit(case, 1),
        lambda case: visit(case, 2),
        lambda case: writes(case, 1, MONDAY + 9 * MINUTE),
        lambda case: visit(case, 3, MONDAY + 5 * MINUTE),
    )
    case = in_chat()
    for n in order:
        case = events[n](case)
    assert (where(case), case.visits) == (["ad_c1", REGISTERED.id], {"chat": MONDAY + 9 * MINUTE})


@pytest.mark.rule("M4.2")
def test_two_at_the_same_moment_leave_the_same_one() -> None:
    for pair in ((1, 2), (2, 1)):
        case = in_chat()
        for n in pair:
            case = visit(case, n, MONDAY + DAY)
        assert where(case) == ["ad_c2", REGISTERED.id]


def test_told_twice_it_changes_nothing_and_revives_nothing() -> None:
    case = in_chat()
    send_all(case, MONDAY)
    case = visit(case, 1)
    case = do(case, "reply", MONDAY + DAY, draft=FULL)
    fail(case, letters(case, LetterKind.REPLY)[0].key, MONDAY + DAY, "the visitor left")
    assert case.dead == ("ad_c1",)
    again = visit(case, 1)
    assert (again.addresses, again.dead, again.visits) == (case.addresses, case.dead, case.visits)
    back = writes(case, 1, MONDAY + DAY)
    assert (back.dead, where(back)) == ((), ["ad_c1", REGISTERED.id])


@pytest.mark.rule("M3.7")
@pytest.mark.rule("M4.2")
def test_what_is_held_back_leaves_for_the_new_visit_and_what_is_under_way_follows_when_it_fails() -> None:
    case = do(in_chat(undo_seconds=600), "reply", MONDAY, draft=FULL)
    case = visit(case, 1)
    (first,) = [one for one in letters(case, LetterKind.ACKNOWLEDGEMENT) if not one.copy_of]
    (reply,) = letters(case, LetterKind.REPLY)
    assert (first.address, reply.address) == (FIRST, session(1))
    fail(case, first.key, MONDAY + MINUTE, "the visitor left")
    again = [one for one in case.waiting() if one.replaces == first.key]
    assert [one.address for one in again] == [session(1)]
    assert not letters(case, LetterKind.CHANNEL_CHANGE), "it is the same channel"


@pytest.mark.rule("M3.7")
def test_what_had_nowhere_to_go_leaves_for_the_visit() -> None:
    case = do(acknowledged(channel="chat", addresses=(FIRST,)), "reply", MONDAY, draft=FULL)
    fail(case, letters(case, LetterKind.REPLY)[0].key, MONDAY, "the visitor left")
    assert [one.address for one in case.waiting()] == [None]
    case = visit(case, 1)
    assert [(one.address, one.state) for one in case.waiting()] == [(session(1), LetterState.OWED)]


@pytest.mark.rule("M4.2")
def test_a_case_that_knows_many_sessions_from_before_knows_one_after_the_next() -> None:
    case = in_chat(*(session(n) for n in range(1, 26)))
    case.dead = ("ad_c3", "ad_other")
    case = visit(case, 26)
    assert (where(case), case.dead) == (["ad_c26", REGISTERED.id], ("ad_other",))


def test_a_case_from_elsewhere_gets_one_more_address() -> None:
    case = visit(visit(acknowledged(addresses=(REGISTERED,)), 1), 2)
    assert where(case) == [REGISTERED.id, "ad_c2"]


@pytest.mark.rule("M4.1")
def test_a_way_in_that_was_a_visit_is_the_next_visit() -> None:
    case = acknowledged(addresses=(REGISTERED,))
    merger: dict[str, Any] = {
        "other": "RX-3WTN-8HJC",
        "leads": True,
        "contact": "ct_1",
        "received_at": MONDAY.isoformat(),
    }
    case = do(case, "merge", MONDAY, **merger, ways_in=[FIRST.model_dump()])
    case = visit(case, 1)
    case = do(case, "resolve", MONDAY + DAY, outcome="upheld", draft=FULL)
    assert [one.address for one in letters(case, LetterKind.FINAL_UPHELD)] == [REGISTERED, session(1)]


def test_a_case_from_before_visits_were_told_hears_of_one_more_session() -> None:
    case = acknowledged(channel="chat", addresses=(FIRST,))
    assert where(writes(case, 1, MONDAY + DAY)) == ["ad_c0", "ad_c1"]
