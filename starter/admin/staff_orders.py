"""The orders that name somebody of the staff: whether they are there, trained, and may see the case."""

from models.assignment import may_approve, may_claim, may_own
from models.errors import Refused
from models.inquiry import Role
from models.sight import Kept
from records import staff
from starter.admin.bodies import AssignBody, Body, ClaimBody, CompartmentBody, DeclareConflictBody, HandOverBody
from starter.admin.writer import OrderData, Writer
from starter.reception.crew import crew, member, next_owner


def assign(by: Writer, body: AssignBody) -> OrderData:
    """Another owner, who must be there and trained; whom the rules have found is so, or nobody is."""
    if isinstance(body, HandOverBody):
        return body.model_dump(mode="json", exclude_none=True)
    case = by.case
    area = body.area or case.area
    may_own(member(by.session, by.policy, body.owner, area, by.now), case.language)
    if not by.sees(body.owner, Kept.of(case)._replace(area=area, asked=())):
        raise Refused("assign.cannot-see", "the case is kept from them; name somebody who may see it", field="owner")
    return body.model_dump(mode="json", exclude_none=True)


def claim(by: Writer, _body: ClaimBody) -> OrderData:
    """Whoever asks becomes the owner."""
    case = by.case
    claimant, owner = (member(by.session, by.policy, who, case.area, by.now) for who in (by.actor.id, case.owner))
    may_claim(by.policy.assignment, claimant, owner, case.language)
    return {"owner": case.owner}


def approve(by: Writer, body: Body) -> OrderData:
    """The yes of somebody who is trained for the case, to a new owner who may have it still."""
    case = by.case
    may_approve(member(by.session, by.policy, by.actor.id, case.area, by.now), case.language)
    if case.proposal and case.proposal.command == "assign":
        assign(by, AssignBody.model_validate(case.proposal.order))
    return body.model_dump(mode="json", exclude_none=True)


def compartment(by: Writer, body: CompartmentBody) -> OrderData:
    """Whom the case goes to where its owner is not named."""
    people = None if body.lift else tuple(body.people)
    return body.model_dump(mode="json") | _passed_on(by, Kept.of(by.case)._replace(compartment=people), "compartment")


def _passed_on(by: Writer, kept: Kept, rule: str) -> OrderData:
    """Who gets a case whose owner may not see it any more, by the rules of assignment; nothing where they may."""
    case = by.case
    if by.sees(case.owner, kept._replace(asked=())):
        return {}
    team = crew(by.session, by.policy, case.area, by.now)
    found = next_owner(by.policy, kept, case.language, rule, team)
    return {"instead_of": case.owner, "found": found.model_dump(mode="json")}


def declare_conflict(by: Writer, body: DeclareConflictBody) -> OrderData:
    """Whom it is about are people of the staff, and never all of compliance: nobody would be left to see it."""
    about, policy = set(body.about), by.policy
    people = staff.everybody(by.session)
    named = {who for area in policy.areas.values() for who in (area.representative, area.deputy)}
    compliance = {row.id for row in people if row.role == Role.COMPLIANCE} | set(policy.staff.compliance)
    known = {row.id for row in people} | named | set(policy.staff.supervisors) | compliance
    if about - known - set(by.case.about):
        raise Refused("conflict.unknown-person", "nobody of the staff has that id", field="about")
    if compliance <= about:
        raise Refused("conflict.all-compliance", "somebody of compliance must see it", field="about")
    kept = Kept.of(by.case)._replace(about=tuple(sorted(about)))
    return body.model_dump(mode="json") | _passed_on(by, kept, "conflict")


def refer(by: Writer, body: Body) -> OrderData:
    """The area's question, put only where somebody who answers for it may see the case."""
    order = body.model_dump(mode="json", exclude_none=True)
    asked = by.policy.areas.get(order["area"])
    kept = Kept.of(by.case)._replace(asked=(order["area"],))
    if asked and not any(by.sees(one, kept) for one in (asked.representative, asked.deputy)):
        raise Refused(
            "referral.cannot-see",
            "the case is kept from who answers for the area; have compliance name them in the compartment first",
            field="area",
            rule="M5.4",
        )
    return order
