"""A question to an area: told, due inside the house, reminded of, taken to the deputy, answered for it."""

from datetime import date, timedelta
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.commands import read
from models.deciding import decide
from models.errors import Refused
from models.inquiry import Actor, Role
from models.ledger import Fact
from models.letters import LetterKind, LetterState
from models.obligations import ObligationKind
from models.promises import replace_final
from tests.cases import AGENT, DAY, FULL, MONDAY, OTHER, SUPERVISOR, acknowledged, do, end_of, letters, send_all

LEAD = Actor(id="security-lead", role=Role.REPRESENTATIVE)
DEPUTY = Actor(id="security-deputy", role=Role.REPRESENTATIVE)
COLLEAGUE = Actor(id="security-3", role=Role.REPRESENTATIVE)
SECOND = timedelta(seconds=1)


def referred(case: Case | None = None, area: str = "security") -> Case:
    after = do(case or acknowledged(), "refer", MONDAY, area=area, question="hacked?")
    send_all(after, MONDAY)
    return after


def code(case: Case, name: str, actor: Actor | None = None, **order: Any) -> str:
    with pytest.raises(Refused) as caught:
        do(case, name, MONDAY + DAY, actor, **order)
    return caught.value.code


def facts(case: Case) -> list[Fact]:
    return [fact for fact in case.pending if fact.type.startswith("referral.")]


@pytest.mark.rule("M5.4")
def test_an_area_is_reminded_and_then_its_deputy_has_the_question() -> None:
    case = referred()
    due = end_of(case, 2026, 2, 9)
    remind_at = case.calendar.at(date(2026, 2, 6), 9)
    assert (case.referrals[0].due, case.referrals[0].remind_at) == (due, remind_at)
    assert case.next_alarm() == remind_at
    wake(case, remind_at)
    assert case.next_alarm() == due + SECOND
    wake(case, due)
    assert [fact.type for fact in facts(case)] == ["referral.reminded"], "the date includes its last second"
    wake(case, due + SECOND)
    wake(case, due + DAY)
    named = {"area": "security", "due": due.isoformat(), "representative": LEAD.id, "deputy": DEPUTY.id}
    assert [(fact.type, fact.rule, fact.data) for fact in facts(case)] == [
        ("referral.reminded", "M5.4", {**named, "to": LEAD.id}),
        ("referral.escalated", "M5.4", {**named, "to": DEPUTY.id}),
    ]
    assert case.referred, "late is not answered"


@pytest.mark.rule("M5.4")
def test_where_policy_sends_nothing_up_the_representative_is_reminded_twice() -> None:
    case = referred(acknowledged(referral_escalates=False, referral_reminder_business_days=0))
    wake(case, MONDAY + 5 * DAY)
    assert not facts(case)
    wake(case, MONDAY + 9 * DAY)
    assert [(fact.type, fact.data["to"]) for fact in facts(case)] == [("referral.reminded", LEAD.id)]


def test_nobody_is_named_for_an_area_without_names() -> None:
    case = referred(acknowledged(representatives={}))
    wake(case, MONDAY + 9 * DAY)
    assert facts(case)[-1].data.keys() == {"area", "due"}


@pytest.mark.rule("M5.4")
def test_an_answered_referral_reminds_nobody() -> None:
    case = do(referred(), "answer_referral", MONDAY + DAY, area="security", findings="no")
    assert case.referrals[0].next_alarm() is None
    wake(case, MONDAY + 20 * DAY)
    assert [fact.type for fact in facts(case)] == ["referral.answered"]


@pytest.mark.rule("M5.3")
def test_an_answer_never_waits_longer_than_the_final_date() -> None:
    case = acknowledged()
    late = case.calendar.at(date(2026, 3, 13), 9)
    case = do(case, "refer", late, area="security", question="hacked?")
    assert case.referrals[0].due == end_of(case, 2026, 3, 16) == case.resolution_due
    assert case.referrals[0].remind_at is None, "the hour of the reminder had passed"
    after = end_of(case, 2026, 3, 17)
    case = do(case, "refer", after, area="finance", question="and now?")
    assert case.referrals[1].due == end_of(case, 2026, 3, 24), "a date that has passed is no limit"


@pytest.mark.rule("M5.3")
def test_a_final_date_that_moves_nearer_takes_the_referral_along() -> None:
    case = referred()
    sooner = end_of(case, 2026, 2, 5)
    replace_final(case, sooner, MONDAY + DAY, why="merged: the earlier date holds")
    wake(case, MONDAY + DAY)
    assert case.referrals[0].due == sooner
    assert case.referrals[0].remind_at == case.calendar.at(date(2026, 2, 4), 9)
    assert facts(case)[-1].type == "referral.hastened"
    before = len(case.pending)
    wake(case, MONDAY + DAY)
    assert len(case.pending) == before


def test_without_a_date_of_policy_a_referral_has_no_alarm() -> None:
    case = referred(acknowledged(referral_answer_business_days=0))
    assert case.referrals[0].due is None
    assert case.referrals[0].next_alarm() is None
    wake(case, MONDAY + 20 * DAY)
    assert not facts(case)


@pytest.mark.rule("M5.4")
def test_only_who_speaks_for_an_area_answers_its_referral() -> None:
    answer = {"area": "security", "findings": "no"}
    for nobody in (AGENT, SUPERVISOR, OTHER, COLLEAGUE):
        assert code(referred(), "answer_referral", nobody, **answer) == "referral.not-theirs"
    for somebody in (LEAD, DEPUTY):
        assert not do(referred(), "answer_referral", MONDAY, somebody, **answer).referred
    assert not do(referred(), "answer_referral", MONDAY, COLLEAGUE, **answer, stands_in=["security"]).referred
    assert not do(referred(acknowledged(representatives={})), "answer_referral", MONDAY, AGENT, **answer).referred


@pytest.mark.rule("M5.4")
def test_who_stands_in_is_not_for_a_stranger_to_say() -> None:
    order = read("answer_referral", {"area": "security", "findings": "no", "stands_in": ["security"]})
    with pytest.raises(Refused, match="only the representative of security"):
        decide(referred(), "answer_referral", order, MONDAY, trusted=False)


@pytest.mark.rule("M3.3")
@pytest.mark.rule("M5.3")
def test_an_area_may_be_asked_again_and_the_user_is_told_again() -> None:
    case = do(referred(), "answer_referral", MONDAY + DAY, area="security", findings="not clear")
    case = do(case, "refer", MONDAY + 2 * DAY, area="security", question="and the second log?")
    assert len(send_all(case, MONDAY + 2 * DAY)) == 1
    assert [one.key for one in letters(case, LetterKind.REFERRAL)] == [
        "RX-7KQ4-M2PD/referral/1",
        "RX-7KQ4-M2PD/referral/2",
    ]
    assert all(o.kept for o in case.obligations if o.kind is ObligationKind.REFERRAL)
    assert code(case, "resolve", outcome="upheld", draft=FULL) == "resolve.referral-open"
    case = do(case, "answer_referral", MONDAY + 3 * DAY, area="security", findings="clear")
    assert do(case, "resolve", MONDAY + 3 * DAY, AGENT, outcome="upheld", draft=FULL).final


@pytest.mark.rule("M3.3")
def test_a_referral_is_withdrawn_by_who_asked_or_a_supervisor() -> None:
    order = {"area": "security", "reasons": "the user sent the log"}
    assert code(referred(), "withdraw_referral", LEAD, area="security", reasons="x") == "referral.not-yours"
    assert code(acknowledged(), "withdraw_referral", area="security", reasons="x") == "referral.none"
    for actor in (AGENT, SUPERVISOR):
        case = do(referred(), "withdraw_referral", MONDAY + DAY, actor, **order)
        assert not case.referred
        assert facts(case)[-1].texts == {"reasons": "the user sent the log"}
        assert code(case, "resolve", AGENT, outcome="upheld", draft=FULL) == "verification.missing"
        assert do(case, "refer", MONDAY + DAY, area="security", question="after all").referred


def test_who_asked_long_ago_is_not_known_and_a_supervisor_withdraws() -> None:
    case = referred()
    case.referrals[0] = case.referrals[0].model_copy(update={"by": None})
    assert code(case, "withdraw_referral", area="security", reasons="x") == "referral.not-yours"


@pytest.mark.rule("M3.3")
def test_the_letter_of_a_withdrawn_referral_does_not_leave() -> None:
    case = do(acknowledged(), "refer", MONDAY, area="finance", question="paid?")
    case = do(case, "refer", MONDAY + DAY, area="security", question="hacked?")
    case = do(case, "withdraw_referral", MONDAY + DAY, area="security", reasons="asked by mistake")
    finance, security = letters(case, LetterKind.REFERRAL)
    assert (finance.state, security.state) == (LetterState.OWED, LetterState.VOID)
    assert [o.subject for o in case.owed(ObligationKind.REFERRAL)] == ["finance"]


def test_a_case_that_ends_withdraws_its_referrals() -> None:
    case = do(referred(), "withdraw", MONDAY + DAY, reasons="settled", message="ms_1")
    assert not case.referred
    assert case.referrals[0].withdrawn_at == MONDAY + DAY
