"""The same complaint on two ways in: what both letters tell, what is kept, and where the final answer leaves for."""

from datetime import datetime
from typing import Any

import pytest

from activities.letters.context import LetterContext, build_context
from models.case import Case
from models.clock import wake
from models.commands import read
from models.deciding import decide
from models.errors import Refused
from models.inquiry import EMAIL, Address, Flag, Status
from models.letters import Letter, LetterKind, LetterState
from models.obligations import ObligationKind
from models.policy import Policy
from models.post import fail
from models.ways import ways_in
from tests.cases import (
    DAY,
    FULL,
    MONDAY,
    ORIGIN,
    REGISTERED,
    SUPERVISOR,
    TELEGRAM,
    acknowledged,
    do,
    letters,
    new_case,
    policy,
    send_all,
)

ON_X = Address(id="ad_x", channel="x")
LATER = MONDAY + 7 * DAY
NOW = MONDAY + 8 * DAY
FIRST, SECOND, THIRD = "RX-7KQ4-M2PD", "RX-3WTN-8HJC", "RX-9XLB-4RQA"


def on_telegram(received: datetime = LATER, reference: str = SECOND, **more: Any) -> Case:
    return acknowledged(
        received=received, reference=reference, channel="telegram", **{"addresses": (TELEGRAM,), **more}
    )


def due(case: Case, kind: ObligationKind) -> datetime | None:
    return next((one.due for one in case.owed(kind)), None)


def order_of(other: Case, *, leads: bool) -> dict[str, Any]:
    """What the API tells a case of the other."""
    return {
        "other": other.reference,
        "leads": leads,
        "contact": other.contact,
        "received_at": other.received_at.isoformat(),
        "acknowledgement_due": due(other, ObligationKind.ACKNOWLEDGEMENT),
        "final_due": due(other, ObligationKind.FINAL),
        "ways_in": [one.model_dump() for one in ways_in(other)],
    }


def merged(leading: Case, ending: Case, now: datetime = NOW) -> tuple[Case, Case]:
    """Both sides after the merger, the leading one first."""
    lead = do(leading, "merge", now, **order_of(ending, leads=True))
    return lead, do(ending, "merge", now, **order_of(leading, leads=False))


def context(case: Case, letter: Letter, shipped: Policy | None = None) -> LetterContext:
    return build_context(
        case, letter, policy=shipped or policy(), draft=None, words="w", status_link="https://s/x", now=NOW
    )


def finals(case: Case) -> list[tuple[Address | None, LetterState]]:
    return [(one.address, one.state) for one in letters(case, LetterKind.FINAL_UPHELD)]


@pytest.mark.rule("M3.1")
@pytest.mark.rule("M3.11")
@pytest.mark.parametrize("later_leads", [False, True])
def test_both_letters_tell_the_earliest_reception_and_the_date_that_holds(later_leads: bool) -> None:  # noqa: FBT001
    early, late = acknowledged(), on_telegram()
    received, holds = early.received_at, early.resolution_due
    assert (late.received_at, late.resolution_due) != (received, holds)
    sides = merged(*((late, early) if later_leads else (early, late)))
    for case in sides:
        (letter,) = letters(case, LetterKind.MERGED)
        told = context(case, letter)
        assert (told.received_at, told.answer_by) == (received, holds)
        send_all(case, NOW)
        assert case.told == case.resolution_due == holds
    leading, ending = sides
    assert (ending.merged_into, ending.status) == (leading.reference, Status.CLOSED)
    assert letters(ending, LetterKind.MERGED)[0].facts["leading"] == leading.reference


@pytest.mark.rule("M3.1")
@pytest.mark.rule("M4.1")
def test_the_final_answer_of_the_leading_case_reaches_the_other_way_in_too() -> None:
    leading, _ = merged(acknowledged(addresses=(ORIGIN, REGISTERED)), on_telegram())
    leading = do(leading, "resolve", NOW, outcome="upheld", draft=FULL)
    assert [one for one, _ in finals(leading)] == [ORIGIN, REGISTERED, TELEGRAM]
    answer, *copies = letters(leading, LetterKind.FINAL_UPHELD)
    assert {(one.copy_of, one.meets) for one in copies} == {(answer.key, ())}
    assert len({one.key for one in copies}) == 2
    send_all(leading, NOW)
    assert {state for _, state in finals(leading)} == {LetterState.ACCEPTED}
    assert [context(leading, one).copy_of for one in (answer, *copies)] == ["", answer.key, ""], "no registered mailbox"


@pytest.mark.rule("M4.1")
def test_no_copy_goes_where_the_answer_goes_already_nor_where_nobody_is_any_more() -> None:
    same, _ = merged(acknowledged(), acknowledged(received=LATER, reference=SECOND))
    assert [one for one, _ in finals(do(same, "resolve", NOW, outcome="upheld", draft=FULL))] == [ORIGIN]
    shut, _ = merged(acknowledged(), on_telegram())
    shut = do(shut, "address_closed", NOW, address=TELEGRAM.id)
    assert [one for one, _ in finals(do(shut, "resolve", NOW, outcome="upheld", draft=FULL))] == [ORIGIN]


@pytest.mark.rule("M5.7")
def test_what_is_taken_back_leaves_on_no_way() -> None:
    leading, _ = merged(acknowledged(undo_seconds=60), on_telegram())
    leading = do(leading, "resolve", NOW, outcome="upheld", draft=FULL)
    assert leading.outbox(NOW) == letters(leading, LetterKind.MERGED)[0]
    leading = do(leading, "undo", NOW, reasons="too soon")
    assert {state for _, state in finals(leading)} == {LetterState.VOID}


@pytest.mark.rule("M4.2")
def test_where_its_own_address_fails_the_leading_case_goes_on_at_the_other_way_in() -> None:
    leading, _ = merged(acknowledged(), on_telegram())
    send_all(leading, NOW)
    leading = do(leading, "resolve", NOW, outcome="upheld", draft=FULL)
    answer = letters(leading, LetterKind.FINAL_UPHELD)[0]
    fail(leading, answer.key, NOW, "550")
    assert [one.address for one in send_all(leading, NOW)] == [TELEGRAM, TELEGRAM]
    assert leading.status is Status.ANSWERED
    stuck = acknowledged()
    stuck = do(do(stuck, "address_closed", NOW, address=ORIGIN.id), "reply", NOW, draft=FULL)
    assert Flag.UNDELIVERED in stuck.flags
    found, _ = merged(stuck, on_telegram())
    assert [one.kind for one in send_all(found, NOW)] == [
        *(LetterKind.CHANNEL_CHANGE, LetterKind.REPLY, LetterKind.MERGED),
    ]


@pytest.mark.rule("M3.1")
@pytest.mark.rule("M3.4")
def test_a_chain_of_mergers_keeps_the_earliest_and_ends_on_every_way() -> None:
    first = on_telegram(MONDAY, FIRST)
    second = acknowledged(received=MONDAY + 3 * DAY, reference=SECOND)
    third = acknowledged(received=LATER, reference=THIRD, channel="x", addresses=(ON_X,))
    holds = first.resolution_due
    second, first = merged(second, first)
    send_all(second, NOW)
    third, second = merged(third, second)
    told = letters(second, LetterKind.MERGED)
    assert [(one.address, one.facts.get("leading")) for one in told] == [
        (ORIGIN, None),
        (ORIGIN, THIRD),
        (TELEGRAM, THIRD),
    ], "the first way in hears where it goes on now"
    for letter in told[1:]:
        assert (context(second, letter).received_at, context(second, letter).answer_by) == (MONDAY, holds)
    assert (third.received_at, third.resolution_due) == (MONDAY, holds)
    third = do(third, "resolve", NOW, outcome="upheld", draft=FULL)
    assert [one for one, _ in finals(third)] == [ON_X, ORIGIN, TELEGRAM]


@pytest.mark.rule("M3.2")
@pytest.mark.parametrize("passed", [False, True], ids=["in time", "late"])
def test_what_came_in_on_the_other_way_is_acknowledged_there_with_the_date_that_holds(passed: bool) -> None:  # noqa: FBT001
    early = acknowledged()
    late = new_case(LATER, reference=SECOND, channel="telegram", addresses=(TELEGRAM,))
    now = LATER + 10 * DAY if passed else NOW
    wake(late, now)
    _, ending = merged(early, late, now)
    wake(ending, now)
    assert [one.kind for one in ending.owed()] == [ObligationKind.ACKNOWLEDGEMENT]
    receipt, told = send_all(ending, now)
    assert (receipt.kind is LetterKind.ACKNOWLEDGEMENT_LATE) is passed
    assert (receipt.address, told.kind) == (TELEGRAM, LetterKind.MERGED)
    assert context(ending, receipt).answer_by == early.resolution_due
    assert ending.obligations[0].met_at == now
    wake(ending, now)
    assert ending.status is Status.CLOSED


@pytest.mark.rule("M3.2")
def test_an_acknowledgement_that_cannot_leave_in_time_is_told_late_with_the_date_that_holds() -> None:
    early = acknowledged()
    _, ending = merged(early, new_case(LATER, reference=SECOND, channel="telegram", addresses=(TELEGRAM,)))
    late = LATER + 10 * DAY
    wake(ending, late)
    (receipt,) = letters(ending, LetterKind.ACKNOWLEDGEMENT_LATE)
    assert receipt.tells == early.resolution_due


def test_an_order_of_before_ends_a_case_as_it_did() -> None:
    """Whatever it carries of dates: the cases that were ended so must replay."""
    early, late = acknowledged(), on_telegram()
    order = order_of(early, leads=False) | {"ways_in": None}
    ending = do(late, "merge", NOW, **order)
    (letter,) = letters(ending, LetterKind.MERGED)
    assert (letter.tells, letter.facts) == (None, {"leading": FIRST})
    assert len(ending.obligations) == len(late.obligations)
    leading = do(early, "merge", NOW, **(order_of(late, leads=True) | {"ways_in": None}))
    assert (leading.ways_in, leading.addresses) == ((), early.addresses)


def test_only_our_own_api_says_where_letters_go_besides() -> None:
    early, late = acknowledged(), on_telegram()
    order = read("merge", order_of(late, leads=True))
    with pytest.raises(Refused) as refused:
        decide(early, "merge", order, NOW, trusted=False)
    assert refused.value.code == "merge.addresses"
    with pytest.raises(Refused) as refused:
        do(early, "propose", NOW, command="merge", order=order.model_dump(mode="json", exclude_none=True))
    assert refused.value.code == "merge.addresses"
    without = order_of(late, leads=True) | {"ways_in": None}
    assert decide(early, "merge", read("merge", without), NOW, trusted=False).version == early.version + 1


def test_a_representatives_address_is_no_way_in_of_the_users() -> None:
    power = {"address": Address(id="ad_law", channel=EMAIL).model_dump(), "document": "5" * 64}
    case = do(on_telegram(), "accept_representative", NOW, SUPERVISOR, until="2026-12-31", reasons="x", **power)
    assert case.address() != TELEGRAM
    assert ways_in(case) == (TELEGRAM,)
