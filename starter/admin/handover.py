"""Handing over: every open case of somebody goes to somebody else by the rules of assignment, each by its own `assign`.

It can be broken off anywhere and asked for again: a case that has moved on is left where it is.
"""

import asyncio

from models.assignment import Member, choose
from models.episodes import Assigned
from models.errors import Refused
from models.inquiry import Actor, ActorId, Area
from records import cases, workload
from starter.admin.bodies import HandOverBody
from starter.admin.commanding import Wish, fulfil
from starter.admin.desk import Desk
from starter.admin.staff_views import HandedView, HandOverView
from starter.reception.crew import crew

AT_ONCE = 50
"""As many cases in one go as a request has time for."""

RULE = "handover"
"""What stands in the place of a rule's name: the case stays with its area."""

ELSEWHERE = frozenset({"assign.moved", "case.closed"})
"""It is not theirs any more, or needs nobody."""


async def hand_over(desk: Desk, who: ActorId, actor: Actor, reasons: str) -> HandOverView:
    """Hand over as many of somebody's open cases as fit into one go.

    Raises EngineUnavailable when Temporal does not answer; what was handed over by then stays so.
    """
    plan, waiting = await asyncio.to_thread(_plan, desk, who)
    handed: list[HandedView] = []
    for reference, found in plan.items():
        body = HandOverBody(owner=found.owner, reasons=reasons, instead_of=who, found=found)
        try:
            await fulfil(desk, Wish("assign", reference, body, actor))
        except Refused as refusal:
            if refusal.code not in ELSEWHERE:
                raise
        else:
            handed.append(HandedView(reference=reference, owner=found.owner, step=found.step))
    return HandOverView(handed=tuple(handed), remaining=waiting - len(plan))


def _plan(desk: Desk, who: ActorId) -> tuple[dict[str, Assigned], int]:
    """Whom each of the first cases goes to, the next due first, and how many there are in all."""
    now = desk.clock()
    crews: dict[Area, list[Member]] = {}
    plan: dict[str, Assigned] = {}
    given: dict[ActorId, int] = {}
    with desk.database.read() as session:
        theirs = workload.owned(session, who)
        for reference in theirs[:AT_ONCE]:
            case = cases.load(session, reference)
            if case.area not in crews:
                crews[case.area] = [_away(m, who) for m in crew(session, desk.policy, case.area, now)]
            # The projection follows later, so what is given out here is counted here.
            team = [m._replace(load=m.load + given.get(m.id, 0)) for m in crews[case.area]]
            found = choose(desk.policy.call(case.area, case.language, RULE), team)
            given[found.owner] = given.get(found.owner, 0) + 1
            plan[reference] = found
    return plan, len(theirs)


def _away(member: Member, who: ActorId) -> Member:
    return member._replace(absent=True) if member.id == who else member
