"""Who may do what, and from whom a case is kept."""

from datetime import timedelta
from typing import Any

import pytest

from models.case import Case
from models.commands import COMMANDS, READS_ONLY
from models.errors import Refused
from models.inquiry import Actor, Role
from models.rights import AUDITED, RIGHTS, leaves_a_line, may
from models.sight import Eyes, Kept, hides
from tests.cases import AGENT, FULL, MONDAY, OTHER, SUPERVISOR, do, new_case, policy

LATER = MONDAY + timedelta(hours=1)
OFFICER = Actor(id="officer-1", role=Role.COMPLIANCE)


def refused(case: Case, name: str, code: str, actor: Actor, **payload: Any) -> None:
    before = case.model_dump_json()
    with pytest.raises(Refused) as caught:
        do(case, name, LATER, actor=actor, **payload)
    assert caught.value.code == code
    assert case.model_dump_json() == before


def test_every_command_is_in_the_table_and_whoever_only_reads_commands_nothing() -> None:
    assert set(COMMANDS) <= set(RIGHTS)
    for name in COMMANDS:
        assert not RIGHTS[name] & READS_ONLY
        assert may(Role.COMPLIANCE, name)
    assert not may(Role.COMPLIANCE, "nonsense")
    assert [action for action in RIGHTS if may(Role.INTAKE, action)] == [
        "access.self",
        "binding.confirm",
        "binding.account",
        "binding.make",
        "inquiry.register",
    ]
    assert not any(may(role, action) for role in (Role.SYSTEM, Role.USER) for action in RIGHTS)


@pytest.mark.parametrize(
    ("eyes", "secret", "named", "concerned", "why"),
    [
        (Eyes("a"), False, False, False, ""),
        (Eyes("a"), True, False, False, "rights.compartment"),
        (Eyes("a"), True, True, False, ""),
        (Eyes("a", secrets=True), True, False, False, ""),
        (Eyes("a", frozenset({"legal"})), False, False, False, "rights.area"),
        (Eyes("a", frozenset({"legal"})), True, True, False, ""),
        (Eyes("a", frozenset({"finance"})), False, False, False, ""),
        (Eyes("a", secrets=True), True, True, True, "rights.concerned"),
    ],
)
def test_what_hides_a_case(eyes: Eyes, secret: bool, named: bool, concerned: bool, why: str) -> None:  # noqa: FBT001
    assert hides(eyes, "legal", secret=secret, named=named, concerned=concerned) == why


@pytest.mark.parametrize(
    ("role", "areas", "closed", "secrets"),
    [
        (Role.AGENT, (), {"legal", "compliance"}, False),
        (Role.AGENT, ("legal",), {"compliance"}, False),
        (Role.SUPERVISOR, (), set(), False),
        (Role.COMPLIANCE, (), set(), True),
        (Role.AUDITOR, (), set(), True),
    ],
)
def test_policy_opens_areas_and_compartments(
    role: Role,
    areas: tuple[str, ...],
    closed: set[str],
    secrets: bool,  # noqa: FBT001
) -> None:
    assert Eyes.of("a", role, areas, policy().rights) == Eyes("a", frozenset(closed), secrets)


def test_a_policy_may_keep_closed_areas_and_compartments_from_auditors_but_no_compartment_from_compliance() -> None:
    rights = policy().rights.model_copy(update={"open_to": (), "compartments_open_to": ()})
    assert Eyes.of("a", Role.AUDITOR, (), rights) == Eyes("a", frozenset(rights.closed_areas))
    assert Eyes.of("a", Role.COMPLIANCE, (), rights).secrets


def test_whatever_an_auditor_reads_of_inquiries_leaves_a_line() -> None:
    assert {action for action in RIGHTS if leaves_a_line(Role.AUDITOR, action)} >= AUDITED
    assert not leaves_a_line(Role.AGENT, "inquiry.read")
    assert leaves_a_line(Role.AGENT, "approve")


@pytest.mark.rule("M5.4")
def test_a_closed_area_s_case_is_seen_by_the_area_it_asks_while_it_does() -> None:
    speaker = Eyes("operations-lead", frozenset({"cx"}), speaks=frozenset({"operations"}))
    case = do(new_case(), "refer", LATER, area="operations", question="Did it leave?")
    assert Kept.of(new_case()).hidden(speaker) == "rights.area"
    assert Kept.of(case).hidden(speaker) == ""
    assert Kept.of(case).hidden(Eyes("legal-lead", frozenset({"cx"}), speaks=frozenset({"legal"}))) == "rights.area"
    assert Kept.of(case)._replace(compartment=()).hidden(speaker) == "rights.compartment"
    assert Kept.of(case)._replace(about=("operations-lead",)).hidden(speaker) == "rights.concerned"
    answered = do(case, "answer_referral", LATER, area="operations", findings="It did.")
    assert Kept.of(answered).hidden(speaker) == "rights.area"


def test_only_compliance_makes_a_compartment_and_only_who_is_named_decides_there() -> None:
    case = new_case()
    refused(case, "compartment", "compartment.role", SUPERVISOR, reasons="AML")
    refused(case, "compartment", "compartment.both", OFFICER, people=["agent-1"], lift=True, reasons="AML")
    case = do(case, "compartment", LATER, actor=OFFICER, people=["agent-1", "agent-1"], reasons="AML")
    assert case.compartment == ("agent-1",)
    assert (case.pending[-1].type, case.pending[-1].data) == ("access.compartment", {"people": ["agent-1"]})
    refused(case, "note", "compartment.closed", OTHER, text="What is this?")
    assert do(case, "note", LATER, actor=AGENT, text="Mine.").version == case.version + 1
    assert not [one for one in case.letters if one.kind.value != "acknowledgement"]
    case = do(case, "compartment", LATER, actor=OFFICER, reasons="Compliance alone")
    refused(case, "note", "compartment.closed", AGENT, text="What is this?")
    case = do(case, "compartment", LATER, actor=OFFICER, lift=True, reasons="Over")
    assert case.compartment is None
    assert case.pending[-1].type == "access.opened"
    assert do(case, "note", LATER, actor=OTHER, text="Seen again.").version == case.version + 1


@pytest.mark.rule("M5.3")
def test_nobody_handles_proposes_or_approves_a_complaint_about_themselves() -> None:
    case = do(new_case(), "propose", LATER, actor=AGENT, command="resolve", order={"outcome": "upheld", "draft": FULL})
    case = do(case, "assign", LATER, actor=OTHER, owner="agent-1", reasons="Knows it")
    case = do(case, "declare_conflict", LATER, actor=OTHER, about=["agent-1"], reasons="It is about agent-1")
    assert (case.about, case.owner, case.proposal) == (("agent-1",), case.area, None)
    refused(case, "note", "conflict.of-interest", AGENT, text="Not so!")
    refused(case, "assign", "conflict.of-interest", OTHER, owner="agent-1", reasons="Knows it")
    case = do(case, "propose", LATER, actor=OTHER, command="resolve", order={"outcome": "unfounded", "draft": FULL})
    refused(case, "approve", "conflict.of-interest", AGENT)
    proposed = do(new_case(), "propose", LATER, AGENT, command="assign", order={"owner": "agent-9", "reasons": "x"})
    proposed = do(proposed, "declare_conflict", LATER, actor=OTHER, about=["agent-9"], reasons="About agent-9")
    refused(proposed, "approve", "conflict.of-interest", OTHER)
    refused(case, "declare_conflict", "conflict.of-interest", AGENT, about=[], reasons="Not about me")
    refused(case, "declare_conflict", "conflict.supervisor", OTHER, about=[], reasons="A mistake")
    refused(case, "declare_conflict", "conflict.supervisor", OTHER, about=["agent-9"], reasons="A mistake")
    assert do(case, "declare_conflict", LATER, actor=OTHER, about=["agent-1", "a"], reasons="x").about == (
        "a",
        "agent-1",
    )
    other = do(case, "declare_conflict", LATER, actor=SUPERVISOR, about=["agent-9"], reasons="About another")
    assert other.proposal == case.proposal
    assert do(other, "note", LATER, actor=AGENT, text="Back.").version == other.version + 1


@pytest.mark.rule("M3.3")
@pytest.mark.parametrize(
    ("name", "order"), [("compartment", {"people": ["agent-2"]}), ("declare_conflict", {"about": ["agent-1"]})]
)
def test_a_case_that_its_owner_may_not_see_is_another_s_at_once(name: str, order: dict[str, Any]) -> None:
    case = do(new_case(), "assign", LATER, actor=OTHER, owner="agent-1", reasons="Knows it")
    found = {"owner": "agent-2", "area": "cx", "rule": name, "version": "1", "step": "named"}
    order |= {"reasons": "Kept", "found": found, "instead_of": "agent-1"}
    refused(case, name, "assign.moved", OFFICER, **(order | {"instead_of": "agent-3"}))
    after = do(case, name, LATER, actor=OFFICER, **order)
    assert after.owner == "agent-2"
    assigned = after.pending[-1]
    assert (assigned.type, assigned.data["owner"], assigned.data["assignment"]["rule"]) == (
        "case.assigned",
        "agent-2",
        name,
    )


@pytest.mark.rule("M5.3")
def test_whoever_proposed_an_answer_lifts_no_conflict_before_it_is_approved() -> None:
    case = do(new_case(), "declare_conflict", LATER, actor=OTHER, about=["agent-1"], reasons="About agent-1")
    order = {"outcome": "unfounded", "draft": FULL}
    case = do(case, "propose", LATER, actor=SUPERVISOR, command="resolve", order=order)
    refused(case, "declare_conflict", "conflict.proposer", SUPERVISOR, about=[], reasons="A mistake")
    more = do(case, "declare_conflict", LATER, actor=SUPERVISOR, about=["agent-1", "agent-9"], reasons="And agent-9")
    assert more.about == ("agent-1", "agent-9")
    assert do(case, "declare_conflict", LATER, actor=OFFICER, about=[], reasons="A mistake").about == ()


def test_whoever_sees_the_case_sees_who_broke_the_glass() -> None:
    by = SUPERVISOR.model_dump(mode="json")
    case = do(new_case(), "glass_broken", LATER, by=by, until=LATER.isoformat(), reasons="At once")
    assert (case.pending[-1].type, case.pending[-1].actor.id) == ("access.break-glass", SUPERVISOR.id)
