"""The second pair of eyes: whose they are, what makes a proposal stale, and that no date waits for them (M5.3)."""

from typing import Any

import pytest

from models.case import Case
from models.errors import Refused
from tests.cases import AGENT, DAY, FULL, MONDAY, OTHER, SUPERVISOR, acknowledged, do, draft, send_all

UNFOUNDED: dict[str, Any] = {"command": "resolve", "order": {"outcome": "unfounded", "draft": FULL}}


def refused(case: Case, name: str, **more: Any) -> str:
    with pytest.raises(Refused) as caught:
        do(case, name, MONDAY, **more)
    return caught.value.code


def heard(case: Case) -> Case:
    return do(case, "receive_message", MONDAY, message="ms_2", at=MONDAY.isoformat())


@pytest.mark.rule("M5.3")
@pytest.mark.rule("M3.8")
def test_what_the_user_wrote_since_must_be_read_before_it_is_approved() -> None:
    proposed = heard(do(heard(acknowledged()), "propose", MONDAY, **UNFOUNDED))
    assert proposed.proposal_stale
    assert refused(proposed, "approve", actor=OTHER) == "approval.stale"
    again = do(proposed, "propose", MONDAY, **UNFOUNDED)
    assert not again.proposal_stale
    assert do(again, "approve", MONDAY, OTHER).final
    back = do(proposed, "send_back", MONDAY, OTHER, reasons="There is a new message.")
    assert back.proposal is None


def test_where_policy_does_not_ask_for_it_a_message_changes_nothing() -> None:
    proposed = heard(do(acknowledged(stale_after_message=False), "propose", MONDAY, **UNFOUNDED))
    assert not proposed.proposal_stale
    assert do(proposed, "approve", MONDAY, OTHER).final


@pytest.mark.rule("M5.3")
def test_a_proposal_says_by_when_it_is_owed_and_moves_no_date() -> None:
    case = acknowledged()
    assert case.proposal_due is None
    proposed = do(case, "propose", MONDAY, key="k", **UNFOUNDED)
    assert proposed.answers["k"].proposal_due == proposed.proposal_due == case.resolution_due == proposed.resolution_due
    noted = do(proposed, "note", MONDAY, key="n", text="x")
    assert noted.answers["n"].proposal_due is None
    other = do(case, "propose", MONDAY, command="note", order={"text": "x"})
    assert other.proposal_due == case.resolution_due


@pytest.mark.rule("M5.3")
def test_extensions_can_be_switched_on() -> None:
    case = acknowledged(approvals=("resolve.unfounded", "extend"))
    order = {"until": "2026-04-20", "reasons": "The bank has not answered."}
    assert refused(case, "extend", **order) == "approval.missing"
    proposed = do(case, "propose", MONDAY, command="extend", order=order)
    assert refused(proposed, "approve", actor=AGENT) == "approval.same-person"
    assert do(proposed, "approve", MONDAY, SUPERVISOR).extension_pending


def lapsed(case: Case) -> list[str]:
    """Why proposals fell away."""
    return [str(fact.data["why"]) for fact in case.pending if fact.type == "command.lapsed"]


@pytest.mark.rule("M5.3")
def test_a_yes_is_to_what_was_read_not_to_what_took_its_place() -> None:
    read = do(acknowledged(), "propose", MONDAY, **UNFOUNDED)
    assert read.proposal
    since = do(read, "propose", MONDAY + DAY, **UNFOUNDED)
    assert since.proposal
    assert lapsed(since) == ["replaced"]
    assert refused(since, "approve", actor=OTHER, proposed_at=read.proposal.at) == "approval.replaced"
    assert do(since, "approve", MONDAY + DAY, OTHER, proposed_at=since.proposal.at).final


@pytest.mark.rule("M5.3")
def test_a_proposal_ends_with_what_it_would_have_answered() -> None:
    proposed = do(acknowledged(), "propose", MONDAY, **UNFOUNDED)
    withdrawn = do(proposed, "withdraw", MONDAY + DAY, reasons="It is solved.", message="ms_1")
    assert (withdrawn.proposal, lapsed(withdrawn)) == (None, ["withdrawn by the user"])
    answered = do(proposed, "resolve", MONDAY, outcome="upheld", draft=FULL)
    assert (answered.proposal, lapsed(answered)) == (None, ["answered"])
    send_all(answered, MONDAY)
    waiting = do(answered, "propose", MONDAY, command="reply", order={"draft": draft("text")})
    reopened = do(waiting, "reopen", MONDAY + DAY, reasons="New documents.")
    assert (reopened.proposal, lapsed(reopened)) == (None, ["answered", "reopened"])


@pytest.mark.rule("M5.3")
def test_what_stays_legal_after_the_answer_still_waits() -> None:
    proposed = do(acknowledged(), "propose", MONDAY, command="reply", order={"draft": draft("text")})
    answered = do(proposed, "resolve", MONDAY, outcome="upheld", draft=FULL)
    assert answered.proposal == proposed.proposal
    assert do(answered, "approve", MONDAY, OTHER).proposal is None


@pytest.mark.rule("M5.3")
@pytest.mark.parametrize("lapse", [True, False])
def test_what_somebody_proposed_whom_the_case_is_about_falls_away(*, lapse: bool) -> None:
    proposed = do(acknowledged(proposals_lapse=lapse), "propose", MONDAY, **UNFOUNDED)
    case = do(proposed, "declare_conflict", MONDAY, OTHER, about=[AGENT.id], reasons="It is about them.")
    assert case.proposal is None
    assert lapsed(case) == (["its proposer has a conflict of interest"] if lapse else [])


def test_a_case_opened_before_proposals_lapsed_keeps_its_own() -> None:
    case = do(acknowledged(proposals_lapse=False), "propose", MONDAY, **UNFOUNDED)
    case = do(case, "propose", MONDAY + DAY, **UNFOUNDED)
    withdrawn = do(case, "withdraw", MONDAY + DAY, reasons="It is solved.", message="ms_1")
    assert withdrawn.proposal == case.proposal
    assert not lapsed(withdrawn)
    answered = do(case, "resolve", MONDAY + DAY, outcome="upheld", draft=FULL)
    assert (answered.proposal, lapsed(answered)) == (case.proposal, [])
