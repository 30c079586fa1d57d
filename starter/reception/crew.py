"""Who could own an inquiry: the staff as the rules of assignment see them, at one moment, from one area.

Everything is read in the caller's transaction, so a load counts what was opened in it before; `now` is aware UTC.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from models.assignment import Call, Matter, Member, choose, leads
from models.case import Case
from models.commands import READS_ONLY
from models.episodes import Assigned
from models.inquiry import ActorId, Area, Language, Role
from models.policy import Policy
from models.sight import Eyes, Kept
from models.tables import StaffRow
from records import staff, workload

INHERITED = "inherited"
"""What stands in the place of a rule's name: the inquiry that it refers to lies in a closed area, so it does too."""

NOBODY = "nobody"
"""The step of a search that found nobody who may see the case: its area has it, as of old."""


def first_owner(
    session: Session, policy: Policy, matter: Matter, now: datetime, earlier: Case | None = None
) -> Assigned:
    """Find the owner of a new inquiry by the policy's rules; what `earlier` is kept from, it is kept from too."""
    rule, area = leads(policy.assignment, matter, policy.intake.area)
    if earlier and earlier.area in policy.rights.closed_areas:
        rule, area = INHERITED, earlier.area
    kept = Kept.of(earlier)._replace(area=area) if earlier else Kept(area)
    return next_owner(policy, kept, matter.language, rule, crew(session, policy, area, now))


def next_owner(policy: Policy, kept: Kept, language: Language, rule: str, team: list[Member]) -> Assigned:
    """Find who gets a case among those who may see it: of a compartment the first named, then compliance."""
    call = policy.call(kept.area, language, rule)
    if kept.compartment is None:
        return _of_area(policy, kept, call, team)
    there = {one.id for one in team if one.there and one.role not in READS_ONLY}
    compliance = [one for one in policy.staff.compliance if one not in kept.about]
    named = [one for one in kept.compartment if one not in kept.about]
    for step, people in (("named", named), ("compliance", compliance)):
        for one in people:
            if one in there:
                return _given(call, one, step)
    return _given(call, next(iter((*named, *compliance)), kept.area), NOBODY)


def _of_area(policy: Policy, kept: Kept, call: Call, team: list[Member]) -> Assigned:
    """Who gets a case of no compartment: compliance stands in where one of those who would may not see it."""
    blind = set(kept.about)
    for one in team:
        areas = (kept.area,) if one.in_area else ()
        if kept.hidden(Eyes.of(one.id, one.role, areas, policy.rights)):
            blind.add(one.id)
    standins = tuple((step, one) for step, one in call.standins if one not in blind)
    if standins != call.standins:
        standins += tuple(("supervisor", one) for one in policy.staff.compliance if one not in blind)
    if not any(step == "supervisor" for step, _ in standins):
        return _given(call, kept.area, NOBODY)
    return choose(call._replace(standins=standins), [one for one in team if one.id not in blind])


def _given(call: Call, owner: ActorId, step: str) -> Assigned:
    return Assigned(owner=owner, area=call.area, rule=call.rule, version=call.version, step=step)


def crew(session: Session, policy: Policy, area: Area, now: datetime) -> list[Member]:
    """Return everybody who has not left, as seen from an area."""
    return _seen(session, policy, area, now, staff.everybody(session))


def member(session: Session, policy: Policy, who: ActorId, area: Area, now: datetime) -> Member | None:
    """Return one of the staff as seen from an area, also somebody who has left; None for a stranger."""
    known = staff.person(session, who)
    return _seen(session, policy, area, now, [known])[0] if known else None


def _seen(session: Session, policy: Policy, area: Area, now: datetime, people: list[StaffRow]) -> list[Member]:
    if not people:
        return []
    local = now.astimezone(ZoneInfo(policy.calendar_settings.zone))
    away, working = staff.absent(session, local.date()), staff.on_shift(session, local)
    trained = staff.trained_for(session, area, local.date())
    loads = workload.loads(session, [one.id for one in people])
    return [
        Member(
            id=one.id,
            role=Role(one.role),
            in_area=area in one.areas,
            trained=trained.get(one.id, frozenset()),
            left=one.left_at is not None,
            absent=one.id in away,
            on_shift=one.id in working,
            load=loads.get(one.id, 0),
        )
        for one in people
    ]
