"""Addresses that take nothing: the next one, none left, the signature, and letters to the authority."""

from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.errors import Refused
from models.inquiry import AUTHORITY, Address, Flag, Status
from models.letters import LetterKind, LetterState
from models.obligations import ObligationKind
from models.post import Acceptance, accept, fail
from tests.cases import (
    BANK,
    DAY,
    FULL,
    MONDAY,
    ORIGIN,
    REGISTERED,
    SECOND_MAIL,
    SUPERVISOR,
    TELEGRAM,
    acknowledged,
    answered,
    back,
    do,
    end_of,
    live,
    new_case,
    send_all,
)


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


X = Address(id="ad_x", channel="x")
BY_HAND: dict[str, Any] = {"addresses": (TELEGRAM, X, REGISTERED), "channel": "telegram"}


def leaving(case: Case) -> set[tuple[str, str]]:
    """Which letters wait, and where they go."""
    return {(one.key.partition("/")[2], one.address.id if one.address else "") for one in case.waiting()}


@pytest.mark.rule("M3.7")
@pytest.mark.rule("M4.2")
@pytest.mark.parametrize("how", ["asked", "closed", "failed"])
def test_the_registered_mail_keeps_its_copy_of_a_letter_that_leaves_elsewhere(how: str) -> None:
    case = new_case(**BY_HAND, channel_order=("x", "email"))
    if how == "asked":
        case = do(case, "change_channel", MONDAY, channel="x", reasons="The user asked for it.")
    elif how == "closed":
        case = do(case, "address_closed", MONDAY, address=TELEGRAM.id, reason="blocked")
    else:
        fail(case, "RX-7KQ4-M2PD/acknowledgement/1", MONDAY, "blocked")
    assert {("acknowledgement/2", X.id), ("acknowledgement/1/copy", REGISTERED.id)} <= leaving(case)
    assert [one.copy_of for one in case.waiting() if one.address == REGISTERED] == ["RX-7KQ4-M2PD/acknowledgement/2"]
    assert case.obligations[0].met_by == ""


@pytest.mark.rule("M3.7")
def test_a_letter_that_itself_goes_to_the_registered_mail_needs_no_copy_there() -> None:
    case = do(new_case(**BY_HAND), "change_channel", MONDAY, channel="email", reasons="The user asked for it.")
    to_mail = [one.kind for one in case.waiting() if one.address == REGISTERED]
    assert to_mail == [LetterKind.CHANNEL_CHANGE, LetterKind.ACKNOWLEDGEMENT]


def test_the_copy_stays_where_the_first_letter_was_accepted_after_all() -> None:
    case = do(new_case(**BY_HAND), "change_channel", MONDAY, channel="x", reasons="The user asked for it.")
    accept(case, Acceptance(key="RX-7KQ4-M2PD/acknowledgement/1", at=MONDAY))
    assert ("acknowledgement/2", X.id) not in leaving(case)
    assert ("acknowledgement/1/copy", REGISTERED.id) in leaving(case)


def test_a_case_opened_before_copies_followed_lets_them_go() -> None:
    moves: dict[str, dict[str, Any]] = {
        "change_channel": {"channel": "x", "reasons": "asked"},
        "address_closed": {"address": TELEGRAM.id, "reason": "blocked"},
    }
    case = new_case(**BY_HAND)
    for name, order in moves.items():
        case = do(new_case(**BY_HAND, copies_follow=False, channel_order=("x", "email")), name, MONDAY, **order)
        assert REGISTERED.id not in {address for _, address in leaving(case)}
    accept(case, Acceptance(key="RX-7KQ4-M2PD/acknowledgement/1", at=MONDAY))
    assert "acknowledgement/2" not in {key for key, _ in leaving(case)}


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
