"""Who speaks for an area today besides the two whom a case knows from its own policy (M5.4)."""

from datetime import date

from sqlmodel import Session

from models.inquiry import Actor, Area, Role
from models.policy import Policy
from records import staff

SPEAKING = frozenset({"answer_referral", "verify", "resolve", "propose", "approve", "remedy_done", "close_incident"})
"""The commands that count as an area's word, or may."""

BY_ANY_MEMBER = frozenset({"close_incident"})
"""Those among them that are the word of everybody who works for the area."""

MAY_STAND_IN = frozenset({Role.REPRESENTATIVE, Role.SUPERVISOR})


def stands_in(session: Session, policy: Policy, actor: Actor, day: date) -> tuple[Area, ...]:
    """Return the areas that an actor speaks for on a local day.

    Those whose representative or deputy the policy names now, since a case keeps the names it was opened under; and
    their own where both are away, for a representative or supervisor of the staff who works for it.
    """
    named = tuple(sorted(policy.spoken_for(actor.id)))
    own = staff.person(session, actor.id)
    if own is None or own.role not in MAY_STAND_IN or not staff.present(session, actor.id, day):
        return named
    return (*named, *(name for name in own.areas if name not in named and _deserted(session, policy, name, day)))


def _deserted(session: Session, policy: Policy, name: Area, day: date) -> bool:
    area = policy.areas.get(name)
    return area is not None and not any(staff.present(session, one, day) for one in (area.representative, area.deputy))
