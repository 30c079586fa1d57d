"""Who the user is, and who gets their letters for them."""

from datetime import datetime
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.commands import read
from models.deciding import decide
from models.errors import Refused
from models.identity import Level, Says, says
from models.inquiry import EMAIL, Address
from models.letters import LetterKind, LetterState
from models.post import Acceptance, accept
from tests.cases import (
    DAY,
    FULL,
    MONDAY,
    ORIGIN,
    TELEGRAM,
    acknowledged,
    back,
    closed,
    do,
    draft,
    end_of,
    letters,
    live,
    new_case,
)

COUNSEL = Address(id="ad_counsel", channel=EMAIL)
POWER: dict[str, Any] = {"address": COUNSEL.model_dump(mode="json"), "document": "a" * 64, "reasons": "checked"}

ASKING = draft("reasons", "link")


def represented(until: str = "2026-02-10", **more: Any) -> Case:
    return do(acknowledged(**more), "accept_representative", MONDAY, until=until, **POWER)


def reply(case: Case, now: datetime = MONDAY) -> Case:
    return do(case, "reply", now, draft=FULL)


def refused(case: Case, name: str, **order: Any) -> str:
    with pytest.raises(Refused) as caught:
        do(case, name, MONDAY, **order)
    return caught.value.code


@pytest.mark.rule("M3.7")
def test_letters_go_to_the_representative_until_the_power_ends_and_then_to_the_user() -> None:
    case = reply(represented(bound=False))
    (first,) = letters(case, LetterKind.REPLY)
    assert (first.address, case.level(first)) == (COUNSEL, Level.REPRESENTATIVE)
    live(case, MONDAY + 9 * DAY)
    assert case.representative
    assert case.representative.ended_at
    assert case.representative.ended_at > end_of(case, 2026, 2, 10)
    second = letters(reply(case, MONDAY + 9 * DAY), LetterKind.REPLY)[-1]
    assert (second.address, case.level(second)) == (ORIGIN, Level.UNVERIFIED)
    assert not letters(case, LetterKind.CHANNEL_CHANGE)


def test_what_waits_when_the_power_is_withdrawn_goes_to_the_user() -> None:
    case = do(reply(represented()), "end_representative", MONDAY, reasons="withdrawn")
    first, second = letters(case, LetterKind.REPLY)
    assert (first.state, second.address, second.state) == (LetterState.VOID, ORIGIN, LetterState.OWED)
    assert case.level(second) is Level.BOUND


def test_what_waits_for_the_user_stays_theirs() -> None:
    case = do(new_case(), "accept_representative", MONDAY, until="2026-02-10", **POWER)
    case = do(case, "end_representative", MONDAY, reasons="withdrawn")
    assert [(one.address, one.state) for one in case.letters] == [(ORIGIN, LetterState.OWED)]


def test_what_left_before_the_power_is_withdrawn_stays_as_it_is() -> None:
    case = reply(represented())
    accept(case, Acceptance(key=letters(case, LetterKind.REPLY)[0].key, at=MONDAY))
    case = do(case, "end_representative", MONDAY, reasons="withdrawn")
    assert len(letters(case, LetterKind.REPLY)) == 1


def test_a_representative_who_cannot_be_reached_gives_way_to_the_user() -> None:
    case = reply(represented())
    back(case, letters(case, LetterKind.REPLY)[0].key, MONDAY)
    assert letters(case, LetterKind.REPLY)[-1].address == ORIGIN


def test_that_a_representative_has_the_letters_is_no_change_of_the_users_channel() -> None:
    case = represented(addresses=(TELEGRAM,), channel="telegram")
    case = do(case, "identity_bound", MONDAY, contact="ct_1", addresses=[], bound=True)
    assert not letters(case, LetterKind.CHANNEL_CHANGE)
    wake(case, MONDAY + 9 * DAY)
    assert not letters(case, LetterKind.CHANNEL_CHANGE)
    assert case.address() == TELEGRAM


def test_only_our_own_api_names_a_representative() -> None:
    order = {**POWER, "until": "2026-02-10"}
    with pytest.raises(Refused, match=r"signal\.ours"):
        decide(acknowledged(), "accept_representative", read("accept_representative", order), MONDAY, trusted=False)
    assert refused(acknowledged(), "propose", command="accept_representative", order=order) == "proposal.unknown"


@pytest.mark.rule("M3.7")
def test_who_is_not_known_is_asked_once_there_is_a_reason() -> None:
    case = do(acknowledged(bound=False), "request_identity", MONDAY, draft=ASKING)
    (letter,) = letters(case, LetterKind.IDENTITY_REQUEST)
    assert letter.draft == ASKING["id"]
    assert case.pending[-2].type == "identity.requested"


def test_what_a_letter_may_say_depends_on_who_reads_it() -> None:
    assert says(Level.UNVERIFIED, LetterKind.FINAL_UPHELD) is Says.POINTER
    assert says(Level.UNVERIFIED, LetterKind.ACKNOWLEDGEMENT) is Says.WITHOUT_WORDS
    assert says(Level.UNVERIFIED, LetterKind.EXTENSION) is Says.WITHOUT_WORDS
    assert says(Level.UNVERIFIED, LetterKind.MISSED) is Says.WHOLE
    assert says(Level.REPRESENTATIVE, LetterKind.FINAL_UPHELD) is Says.WHOLE


def test_refusals() -> None:
    assert refused(acknowledged(), "request_identity", draft=ASKING) == "identity.known"
    assert refused(acknowledged(bound=False), "request_identity", draft=FULL) == "gate.empty"
    assert refused(closed(), "request_identity", draft=ASKING) == "case.closed"
    assert refused(acknowledged(), "end_representative", reasons="x") == "representative.none"
    assert refused(represented(), "accept_representative", until="2026-03-01", **POWER) == "representative.open"
    assert refused(acknowledged(), "accept_representative", until="2026-02-01", **POWER) == "representative.past"
