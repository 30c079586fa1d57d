"""Whom a new inquiry goes to: the rules in order, the person with the least work, and always somebody."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.assignment import Assignment, Call, Matter, Member, Rule, choose, leads, may_approve, may_claim, may_own
from models.episodes import Assigned
from models.errors import Refused
from models.inquiry import EMAIL, TEMPORAL_OPERATOR, Actor, Kind, Language, Role
from tests.cases import MONDAY, acknowledged, closed, do, policy

BOTH = frozenset({Language.ES, Language.EN})
STANDINS = (("representative", "lead"), ("deputy", "second"), ("supervisor", "boss"), ("supervisor", "chief"))


def one(name: str, **more: Any) -> Member:
    return Member(id=name, role=Role.AGENT, trained=BOTH)._replace(**more)


def call(language: Language = Language.ES, **more: Any) -> Call:
    return Call("cx", language, "all", "7", STANDINS)._replace(**more)


def passed(found: Assigned) -> dict[str, str]:
    return {each.staff: each.why for each in found.passed_over}


def rules(*made: Rule) -> Assignment:
    return Assignment(version="7", shifts="prefer", claim="unattended", rules=made)


def matter(subject: str = "", **more: Any) -> Matter:
    return Matter(Kind.COMPLAINT, EMAIL, Language.ES, subject)._replace(**more)


# -- the rules ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.3")
def test_the_first_rule_whose_conditions_all_hold_leads() -> None:
    made = rules(
        Rule(name="frozen", area="security", kinds=(Kind.COMPLAINT,), words=("cuenta congelada", "robo")),
        Rule(name="english-chat", area="finance", channels=("chat",), languages=(Language.EN,)),
    )

    def area(*args: str, **more: Any) -> tuple[str, str]:
        return leads(made, matter(*args, **more), "cx")

    assert area("Mi CUENTA, congelada: ¡ayuda!") == ("frozen", "security")
    assert area("Robó mi clave") == ("frozen", "security")
    assert area("Robótica") == ("intake", "cx")
    assert area("robo", kind=Kind.INQUIRY) == ("intake", "cx")
    assert area("", channel="chat", language=Language.EN) == ("english-chat", "finance")
    assert area("", channel="chat") == ("intake", "cx")
    assert area("", language=Language.EN) == ("intake", "cx")


@pytest.mark.rule("M3.1")
def test_the_operators_rules_lead_to_customer_experience() -> None:
    assert leads(policy().assignment, matter("x"), "legal") == ("customer-experience", "cx")


# -- within the area ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.3")
def test_the_trained_person_who_is_there_with_the_least_work_gets_it() -> None:
    crew = [
        one("ana", load=3),
        one("bea", load=1),
        one("carl", load=1),
        one("dora", absent=True),
        one("eva", left=True),
        one("flor", trained=frozenset({Language.EN})),
        one("gil", in_area=False),
        one("hugo", role=Role.SUPERVISOR),
        one("lead"),
        one("second"),
    ]
    found = choose(call(), crew)
    assert (found.owner, found.step, found.area, found.rule, found.version) == ("bea", "area", "cx", "all", "7")
    why = {"ana": "busier", "carl": "same-load", "dora": "absent", "eva": "left", "flor": "untrained"}
    assert passed(found) == why
    assert choose(call(), reversed(crew)).owner == "bea"


def test_an_uncertain_language_wants_both() -> None:
    crew = [one("ana", trained=frozenset({Language.ES})), one("bea", load=9)]
    assert choose(call(Language.BOTH), crew).owner == "bea"
    assert choose(call(Language.EN), crew).owner == "bea"
    assert choose(call(Language.ES), crew).owner == "ana"


def test_who_is_on_shift_comes_first() -> None:
    crew = [one("ana"), one("bea", on_shift=True, load=9), one("lead")]
    found = choose(call(), crew)
    assert (found.owner, passed(found)) == ("bea", {"ana": "off-shift"})
    assert choose(call(), [one("ana"), one("bea", load=1)]).owner == "ana"
    found = choose(call(shifts="require"), [one("ana"), one("lead")])
    assert (found.owner, found.step, passed(found)) == ("lead", "representative", {"ana": "off-shift"})


@pytest.mark.rule("M5.4")
def test_with_nobody_in_the_area_its_representative_then_the_deputy_then_a_supervisor_has_it() -> None:
    lead, second, boss, chief = one("lead"), one("second"), one("boss", trained=frozenset()), one("chief")
    assert choose(call(), [lead, second, boss]).step == "representative"
    found = choose(call(), [one("lead", absent=True), second, boss])
    assert (found.owner, found.step, passed(found)) == ("second", "deputy", {"lead": "absent"})
    found = choose(call(), [one("second", trained=frozenset()), boss, chief])
    assert (found.owner, found.step) == ("boss", "supervisor")
    assert passed(found) == {"lead": "unknown", "second": "untrained"}
    found = choose(call(), [one("boss", absent=True), chief])
    assert (found.owner, found.step) == ("chief", "supervisor")


@pytest.mark.rule("M3.3")
@given(
    st.lists(
        st.builds(
            Member,
            id=st.sampled_from(["ana", "bea", "lead", "second", "boss", "chief"]),
            role=st.sampled_from([Role.AGENT, Role.REPRESENTATIVE, Role.SUPERVISOR]),
            in_area=st.booleans(),
            trained=st.frozensets(st.sampled_from([Language.ES, Language.EN])),
            left=st.booleans(),
            absent=st.booleans(),
            on_shift=st.booleans(),
            load=st.integers(0, 5),
        ),
        unique_by=lambda m: m.id,
    ),
    st.sampled_from(list(Language)),
    st.sampled_from(["prefer", "require"]),
)
def test_an_inquiry_is_never_without_an_owner(crew: list[Member], language: Language, shifts: str) -> None:
    found = choose(call(language, shifts=shifts), crew)
    assert found.owner
    known = {member.id: member for member in crew}
    if found.step != "nobody-there":
        assert known[found.owner].there
    if found.step in {"area", "representative", "deputy"}:
        assert known[found.owner].speaks(language)
    else:
        assert found.owner in {"boss", "chief"}
    assert (found.owner in passed(found)) is (found.step == "nobody-there")


def test_with_nobody_anywhere_the_first_supervisor_has_it() -> None:
    found = choose(call(), [])
    assert (found.owner, found.step) == ("boss", "nobody-there")
    assert set(passed(found).values()) == {"unknown"}


@pytest.mark.rule("M5.4")
def test_the_policy_says_who_stands_in() -> None:
    made = policy().call("finance", Language.ES, "all")
    assert [staff for _, staff in made.standins] == ["finance-lead", "finance-deputy", "cx-supervisor"]


# -- by name -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.3")
@pytest.mark.parametrize(
    ("member", "code"),
    [
        (None, "assign.unknown-person"),
        (one("ana", role=Role.AUDITOR), "assign.reads-only"),
        (one("ana", left=True), "assign.left"),
        (one("ana", absent=True), "assign.absent"),
        (one("ana", trained=frozenset()), "assign.untrained"),
    ],
)
def test_only_who_is_there_and_trained_is_assigned(member: Member | None, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        may_own(member, Language.ES)
    assert refusal.value.code == code
    with pytest.raises(Refused):
        may_claim(rules(), member, None, Language.ES)
    assert may_own(one("ana"), Language.ES).id == "ana"


def test_a_case_is_claimed_while_its_owner_is_away() -> None:
    me = one("ana")
    for owner in (None, one("bea", absent=True), one("bea", left=True), me):
        may_claim(rules(), me, owner, Language.ES)
    with pytest.raises(Refused, match=r"claim\.attended"):
        may_claim(rules(), me, one("bea"), Language.ES)
    may_claim(rules().model_copy(update={"claim": "always"}), me, one("bea"), Language.ES)
    with pytest.raises(Refused, match=r"claim\.other-area"):
        may_claim(rules(), one("ana", in_area=False), None, Language.ES)


ANA = Actor(id="ana", role=Role.AGENT)


@pytest.mark.rule("M3.3")
def test_a_claim_changes_the_owner_and_says_from_whom() -> None:
    case = acknowledged()
    case.owner = "cx-lead"
    after = do(case, "claim", MONDAY, actor=ANA, owner="cx-lead")
    assert after.owner == "ana"
    event = after.pending[-1]
    assert (event.type, event.data) == ("case.assigned", {"owner": "ana", "area": "cx", "claimed_from": "cx-lead"})
    for made, actor, owner, code in (
        (after, ANA, "ana", "claim.own"),
        (after, Actor(id="bea", role=Role.AGENT), "cx-lead", "claim.moved"),
        (after, TEMPORAL_OPERATOR, "ana", "claim.nobody"),
        (closed(), ANA, "", "case.closed"),
    ):
        with pytest.raises(Refused) as refusal:
            do(made, "claim", made.closed_at or MONDAY, actor=actor, owner=owner)
        assert refusal.value.code == code


def test_a_case_is_taken_from_its_owner_alone_and_says_how_the_next_was_found() -> None:
    case = acknowledged()
    case.owner = "ana"
    found = choose(call(), [one("bea")])
    order: dict[str, Any] = {
        "owner": "bea",
        "reasons": "leaves",
        "found": found.model_dump(mode="json"),
        "instead_of": "ana",
    }
    after = do(case, "assign", MONDAY, **order)
    assert after.owner == "bea"
    told = after.pending[-1].data["assignment"]
    assert (told["rule"], told["version"], told["passed_over"]) == ("all", "7", [])
    with pytest.raises(Refused, match=r"assign\.moved"):
        do(after, "assign", MONDAY, **order)


@pytest.mark.rule("M5.3")
def test_who_is_not_of_the_staff_or_not_trained_approves_nothing() -> None:
    may_approve(one("ana"), Language.ES)
    for approver, code in ((None, "actor.not-staff"), (one("ana", trained=frozenset()), "approval.untrained")):
        with pytest.raises(Refused) as refusal:
            may_approve(approver, Language.ES)
        assert refusal.value.code == code
