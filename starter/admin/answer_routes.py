"""What helps to answer: the points that were raised, what an answer lacks, and what waits for a second pair of eyes."""

from http import HTTPStatus

from fastapi import APIRouter
from sqlmodel import Session

from models.case import Case
from models.commands import read
from models.deciding import decide
from models.errors import Missing, Refused
from models.inquiry import Actor
from models.messages import Draft
from records import cases, documents
from starter.admin.answer_bodies import ResolveBody
from starter.admin.answer_views import GateView, PointsView, ProposalView
from starter.admin.api import COMMANDING, ONE, Here, Reference, private
from starter.admin.case_views import checked
from starter.admin.causes import CausesView, causes_of
from starter.admin.desk import Desk
from starter.admin.gate import Finished
from starter.admin.points import points_of
from starter.admin.proposals import Preview
from starter.admin.rights import Caller
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem, faults

SECOND_PAIR = "approval.missing"
UNWRITTEN = Draft(id="dr_unwritten", digest="0" * 64)
"""Stands for the draft of an answer that nobody gives yet."""

router = APIRouter(prefix="/api", route_class=PlainJsonRoute, dependencies=[private])


@router.get("/inquiries/{reference}/points", tags=["inquiries"], responses=ONE)
def points(desk: Here, _actor: Caller, reference: Reference) -> PointsView:
    """Show the points that the user raised: those that are kept, and those that the messages seem to raise besides."""
    with desk.database.read() as session:
        return points_of(session, cases.load(session, checked(reference)))


@router.post("/inquiries/{reference}/gate", tags=["inquiries"], responses=COMMANDING)
def gate(desk: Here, actor: Caller, reference: Reference, body: ResolveBody) -> GateView:
    """Say what a final answer lacks, and decide nothing: the body is that of `resolve`."""
    with desk.database.read() as session:
        return _look(session, desk, cases.load(session, checked(reference)), body, actor)


@router.get("/inquiries/{reference}/causes", tags=["inquiries"], responses=ONE)
def causes(desk: Here, _actor: Caller, reference: Reference) -> CausesView:
    """Show the causes that a final answer may name, and those that the user's points seem to speak of."""
    with desk.database.read() as session:
        return causes_of(session, cases.load(session, checked(reference)), desk.policy.taxonomy)


@router.get("/inquiries/{reference}/proposal", tags=["inquiries"], responses=ONE)
def proposal(desk: Here, _actor: Caller, reference: Reference) -> ProposalView:
    """Show what waits for a second pair of eyes, and the letters that would leave."""
    with desk.database.read() as session:
        case = cases.load(session, checked(reference))
        if case.proposal is None:
            raise Problem(HTTPStatus.NOT_FOUND, "proposal.none", "nothing is proposed for this inquiry", rule="M5.3")
        return Preview(desk).show(session, case, case.proposal)


def _look(session: Session, desk: Desk, case: Case, body: ResolveBody, actor: Actor) -> GateView:
    finished = Finished(session, case, body)
    missing = [one for some in finished.missing().values() for one in some]
    refusal = _refusal(desk, case, body, actor, finished)
    second_pair = refusal is not None and refusal.code == SECOND_PAIR
    refused = None
    if refusal and not second_pair and not refusal.code.startswith("gate."):
        refused = faults([Missing(refusal.field, refusal.detail, refusal.rule)])[0]
    return GateView(
        ready=not missing and refused is None, second_pair=second_pair, missing=faults(missing), refused=refused
    )


def _refusal(desk: Desk, case: Case, body: ResolveBody, actor: Actor, finished: Finished) -> Refused | None:
    """What the case as last saved would say."""
    draft = UNWRITTEN.model_copy(update={"filled": documents.filled(finished.content)})
    order = {
        **body.model_dump(mode="json", exclude_none=True, include={"outcome", "despite_incident", "despite_language"}),
        "draft": draft.model_dump(mode="json"),
        "answers": finished.answers,
        "actor": actor.model_dump(mode="json"),
    }
    try:
        if body.cause:
            order["cause"] = desk.policy.taxonomy.named(body.cause).model_dump(mode="json")
        decide(case, "resolve", read("resolve", order), desk.clock(), trusted=True)
    except Refused as refusal:
        return refusal
    return None
