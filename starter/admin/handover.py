"""Handing over: every open case of somebody goes to somebody else by the rules of assignment, each by its own `assign`.

It can be broken off anywhere and asked for again: a case that has moved on is left where it is. One that refuses, or is
hidden from whoever asks, stays and is told of.
"""

import asyncio
from typing import NamedTuple

from models.assignment import Member
from models.case_orders import Assign
from models.deciding import decide
from models.episodes import Assigned
from models.errors import EngineUnavailable, Refused
from models.inquiry import Actor, ActorId, Area
from models.sight import Eyes, Kept
from records import cases, visibility, workload
from records.workload import Owned
from starter.admin.bodies import HandOverBody
from starter.admin.commanding import Wish, fulfil
from starter.admin.desk import Desk
from starter.admin.staff_views import HandedView, HandOverView, StaysView
from starter.reception.crew import NOBODY, crew, next_owner

AT_ONCE = 50
"""As many cases in one go as a request has time for."""

RULE = "handover"
"""What stands in the place of a rule's name: the case stays with its area."""

ELSEWHERE = frozenset({"assign.moved", "case.closed"})
"""It is not theirs any more, or needs nobody."""


HIDDEN = "handover.hidden"
"""Whoever asks may not see the case; compliance asks again."""

NO_OWNER = "handover.nobody"
"""Nobody may see the case and is there."""


class Lost(NamedTuple):
    """What somebody may have no longer: all of these areas, or, with `untrained`, what they are not trained for there.

    Without areas, every case.
    """

    areas: frozenset[Area] = frozenset()
    untrained: bool = False

    def holds(self, case: Owned, member: Member | None) -> bool:
        """Whether a case of theirs is among it; `member` is who they are today, as seen from its area."""
        if self.areas and case.area not in self.areas:
            return False
        return not (self.untrained and member and member.speaks(case.language))


ALL = Lost()
"""They leave, or will be away for long."""


class Ask(NamedTuple):
    """Whose cases, who asks and why, what they see, and which cases."""

    who: ActorId
    actor: Actor
    reasons: str
    eyes: Eyes
    lost: Lost = ALL

    def order(self, found: Assigned) -> HandOverBody:
        """What is sent to a case."""
        return HandOverBody(owner=found.owner, reasons=self.reasons, instead_of=self.who, found=found)


class Plan(NamedTuple):
    """Whom the first cases go to, the next due first, what cannot go, and how many are left for another time."""

    found: dict[str, Assigned]
    stays: list[StaysView]
    later: int


async def hand_over(desk: Desk, ask: Ask) -> HandOverView:
    """Hand over as many of somebody's open cases as fit into one go: all, or those they may have no longer.

    Raises EngineUnavailable when Temporal does not answer; what was handed over by then stays so.
    """
    told, away = await _hand_over(desk, ask)
    if away:
        raise away
    return told


async def hand_over_lost(desk: Desk, ask: Ask) -> HandOverView:
    """Hand over what somebody may have no longer; where Temporal goes away the rest remains, to be asked for again."""
    told, _ = await _hand_over(desk, ask)
    return told


async def _hand_over(desk: Desk, ask: Ask) -> tuple[HandOverView, EngineUnavailable | None]:
    plan = await asyncio.to_thread(_plan, desk, ask)
    handed: list[HandedView] = []
    stays = list(plan.stays)
    untried, away = len(plan.found), None
    for reference, found in plan.found.items():
        try:
            await fulfil(desk, Wish("assign", reference, ask.order(found), ask.actor))
        except Refused as refusal:
            stays += _stays(reference, refusal)
        except EngineUnavailable as error:
            away = error
            break
        else:
            handed.append(HandedView(reference=reference, owner=found.owner, step=found.step))
        untried -= 1
    return HandOverView(handed=tuple(handed), stays=tuple(stays), remaining=untried + plan.later), away


def _stays(reference: str, refusal: Refused) -> list[StaysView]:
    return [] if refusal.code in ELSEWHERE else [StaysView(reference=reference, code=refusal.code)]


def _plan(desk: Desk, ask: Ask) -> Plan:
    now, who = desk.clock(), ask.who
    crews: dict[Area, list[Member]] = {}
    plan: dict[str, Assigned] = {}
    stays: list[StaysView] = []
    later = 0
    given: dict[ActorId, int] = {}
    with desk.database.read() as session:
        for one in workload.owned(session, who):
            if one.area not in crews:
                crews[one.area] = crew(session, desk.policy, one.area, now)
            if not ask.lost.holds(one, next((m for m in crews[one.area] if m.id == who), None)):
                continue
            reference = one.reference
            if visibility.hidden(session, reference, ask.eyes):
                stays.append(StaysView(reference="", code=HIDDEN))
                continue
            if len(plan) == AT_ONCE:
                later += 1
                continue
            case = cases.load(session, reference)
            # The projection follows later, so what is given out here is counted here.
            team = [_away(m, who)._replace(load=m.load + given.get(m.id, 0)) for m in crews[one.area]]
            found = next_owner(desk.policy, Kept.of(case), case.language, RULE, team)
            if found.step == NOBODY:
                stays.append(StaysView(reference=reference, code=NO_OWNER))
                continue
            # What is refused takes no other case's place: it would be refused the next time too.
            try:
                decide(case, "assign", _order(ask, found), now, trusted=True)
            except Refused as refusal:
                stays += _stays(reference, refusal)
                continue
            given[found.owner] = given.get(found.owner, 0) + 1
            plan[reference] = found
    return Plan(plan, stays, later)


def _order(ask: Ask, found: Assigned) -> Assign:
    return Assign.model_validate({**ask.order(found).model_dump(exclude_none=True), "actor": ask.actor})


def _away(member: Member, who: ActorId) -> Member:
    return member._replace(absent=True) if member.id == who else member
