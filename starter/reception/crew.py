"""Who could own an inquiry: the staff as the rules of assignment see them, at one moment, from one area.

Everything is read in the caller's transaction, so a load counts what was opened in it before; `now` is aware UTC.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from models.assignment import Matter, Member, choose, leads
from models.episodes import Assigned
from models.inquiry import ActorId, Area, Role
from models.policy import Policy
from models.tables import StaffRow
from records import staff, workload


def first_owner(session: Session, policy: Policy, matter: Matter, now: datetime) -> Assigned:
    """Find the owner of a new inquiry by the policy's rules."""
    rule, area = leads(policy.assignment, matter, policy.intake.area)
    return choose(policy.call(area, matter.language, rule), crew(session, policy, area, now))


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
