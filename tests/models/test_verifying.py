"""No final answer without the word of an area, where policy wants it (M5.3)."""

from typing import Any

import pytest

from models.area_work import VerifiedBy
from models.case import Case
from models.errors import Refused
from models.inquiry import Actor, Outcome, Role
from tests.cases import AGENT, CX_LEAD, DAY, FULL, MONDAY, OTHER, SUPERVISOR, acknowledged, answered, do, send_all

LEAD = Actor(id="finance-lead", role=Role.REPRESENTATIVE)
FINAL: dict[str, Any] = {"outcome": "upheld", "draft": FULL}
UNFOUNDED: dict[str, Any] = {"command": "resolve", "order": {"outcome": "unfounded", "draft": FULL}}
FINDINGS = {"area": "finance", "findings": "paid on 3 February"}


def verified(case: Case | None = None, actor: Actor = LEAD, **more: Any) -> Case:
    return do(case or acknowledged(), "verify", MONDAY, actor, **{**FINDINGS, **more})


def resolved(case: Case, actor: Actor = AGENT, **more: Any) -> Case:
    return do(case, "resolve", MONDAY + DAY, actor, **FINAL, **more)


def how(case: Case) -> list[tuple[str, VerifiedBy, str]]:
    return [(one.area, one.how, one.actor.id) for one in case.verified]


def missing(case: Case, actor: Actor = AGENT, name: str = "resolve", **order: Any) -> bool:
    with pytest.raises(Refused) as caught:
        do(case, name, MONDAY + DAY, actor, **(order or (FINAL if name == "resolve" else {})))
    return caught.value.code == "verification.missing"


@pytest.mark.rule("M5.3")
def test_no_final_answer_without_the_word_of_an_area() -> None:
    for actor in (AGENT, SUPERVISOR):
        assert missing(acknowledged(), actor)
    assert resolved(verified()).final


@pytest.mark.rule("M5.3")
def test_the_findings_and_their_points_stand_in_the_ledger() -> None:
    case = verified(points=["the fee", "the delay"])
    fact = case.pending[-1]
    assert (fact.type, fact.rule, fact.actor) == ("case.verified", "M5.3", LEAD)
    assert fact.data == {"area": "finance", "how": "findings"}
    assert fact.texts == {"findings": "paid on 3 February", "point_1": "the fee", "point_2": "the delay"}
    assert how(case) == [("finance", VerifiedBy.FINDINGS, "finance-lead")]


@pytest.mark.rule("M5.3")
def test_an_answered_referral_verifies() -> None:
    case = do(acknowledged(), "refer", MONDAY, area="finance", question="paid?")
    case = do(case, "answer_referral", MONDAY, area="finance", findings="yes")
    assert how(case) == [("finance", VerifiedBy.REFERRAL, "finance-lead")]
    assert resolved(case).final


@pytest.mark.rule("M5.3")
def test_who_speaks_for_an_area_verifies_by_answering() -> None:
    case = resolved(acknowledged(), LEAD)
    assert how(case) == [("finance", VerifiedBy.RESOLVED, "finance-lead")]
    assert [fact.type for fact in case.pending if fact.type in {"case.verified", "case.resolved"}] == [
        "case.verified",
        "case.resolved",
    ]
    assert how(resolved(acknowledged(), AGENT, stands_in=["legal"])) == [("legal", VerifiedBy.RESOLVED, "agent-1")]
    assert how(resolved(verified(), CX_LEAD)) == how(verified()), "one word is enough"


@pytest.mark.rule("M5.3")
def test_the_area_of_the_case_comes_first() -> None:
    both = {"representatives": {"finance": ("a", "b"), "legal": ("a", "c")}}
    case = acknowledged(**both)
    case.area = "legal"
    actor = Actor(id="a", role=Role.REPRESENTATIVE)
    assert how(resolved(case, actor))[0][0] == "legal"
    assert how(resolved(acknowledged(**both), actor))[0][0] == "finance"


@pytest.mark.rule("M5.3")
def test_who_speaks_for_an_area_verifies_by_approving() -> None:
    case = do(acknowledged(), "propose", MONDAY, AGENT, **UNFOUNDED)
    assert missing(case, SUPERVISOR, "approve"), "a proposal may wait for its verification, the answer does not"
    done = do(case, "approve", MONDAY + DAY, OTHER)
    assert how(done) == [("cx", VerifiedBy.APPROVED, "cx-deputy")]
    assert done.final
    assert do(verified(case), "approve", MONDAY + DAY, SUPERVISOR).final


@pytest.mark.rule("M5.3")
def test_a_proposer_who_speaks_for_an_area_has_verified() -> None:
    for actor, more in ((CX_LEAD, {}), (AGENT, {"stands_in": ["cx"]})):
        case = do(acknowledged(), "propose", MONDAY, actor, **UNFOUNDED, **more)
        done = do(case, "approve", MONDAY + DAY, SUPERVISOR)
        assert how(done) == [("cx", VerifiedBy.RESOLVED, actor.id)]


@pytest.mark.rule("M5.3")
def test_a_reopened_case_wants_a_new_verification() -> None:
    case = do(answered(), "reopen", MONDAY + 2 * DAY, reasons="new facts")
    assert not case.verified
    first = case.verifications[0].ended_at
    send_all(case, MONDAY + 2 * DAY)
    assert missing(case)
    again = resolved(verified(case))
    send_all(again, MONDAY + 2 * DAY)
    again = do(again, "reopen", MONDAY + 3 * DAY, reasons="more facts")
    assert [one.ended_at for one in again.verifications] == [first, MONDAY + 3 * DAY]


@pytest.mark.rule("M5.3")
def test_what_cannot_be_verified_and_who_cannot_verify() -> None:
    for case, actor, more, code in (
        (acknowledged(), LEAD, {"area": "nobody"}, "verification.unknown-area"),
        (acknowledged(unverifying_areas=("finance",)), LEAD, {}, "verification.unknown-area"),
        (acknowledged(), CX_LEAD, {}, "verification.not-theirs"),
        (answered(), LEAD, {}, "case.answered"),
    ):
        with pytest.raises(Refused) as caught:
            verified(case, actor, **more)
        assert caught.value.code == code
    assert verified(acknowledged(representatives={}), AGENT).verified


@pytest.mark.rule("M5.3")
def test_an_area_that_does_not_count_cannot_verify_by_any_act() -> None:
    assert missing(acknowledged(unverifying_areas=("cx",)), CX_LEAD)
    case = do(acknowledged(unverifying_areas=("cx",)), "refer", MONDAY, area="cx", question="so?")
    case = do(case, "answer_referral", MONDAY, area="cx", findings="so")
    assert not case.verified


@pytest.mark.rule("M5.3")
def test_nobody_verifies_by_act_for_an_area_without_names() -> None:
    assert missing(acknowledged(representatives={}))


@pytest.mark.rule("M5.3")
def test_an_answer_that_is_taken_back_takes_its_own_verification_along() -> None:
    taken = do(resolved(acknowledged(undo_seconds=60), CX_LEAD), "undo", MONDAY + DAY, CX_LEAD, reasons="too soon")
    assert missing(taken)
    kept = do(resolved(verified(acknowledged(undo_seconds=60))), "undo", MONDAY + DAY, AGENT, reasons="a slip")
    assert resolved(kept).final, "what was found stays found"


def test_outcomes_that_policy_leaves_out_want_none() -> None:
    case = resolved(acknowledged(verified_outcomes=(Outcome.UNFOUNDED,)))
    assert case.final
    assert not case.verified
