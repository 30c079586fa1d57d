"""Whom a matter is told to: who stands at a place of the policy, and is there today."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from sqlmodel import Session

from models.inquiry import ActorId, Area, Role
from models.policy import Policy
from models.sight import Eyes, Kept
from models.tables import StaffRow
from models.terms import Place
from records import staff

NOT_AT_WORK = frozenset({Role.AUDITOR, Role.INTAKE})
"""Roles that see to nothing."""


class Found(NamedTuple):
    """The colleague to tell, and who was passed over because they are away, have left, or have no mailbox."""

    person: StaffRow | None
    passed: tuple[ActorId, ...]


def find(
    session: Session,
    policy: Policy,
    order: Sequence[Place],
    *,
    area: Area,
    owner: str,
    spared: Iterable[ActorId],
    now: datetime,
    kept: Kept | None = None,
) -> Found:
    """Return the first who is there, in the order of places; `spared` are not asked. `now` is aware UTC.

    From whom the case is `kept` is told nothing of it; after the places come those who are named, then compliance.
    """
    seen, passed = set(spared), list[ActorId]()
    day = policy.whole_calendar().local_date(now)
    places = (standing(session, policy, place, area=area, owner=owner, now=now) for place in order)
    for one in (*chain.from_iterable(places), *_named(policy, kept)):
        if one in seen:
            continue
        seen.add(one)
        row = staff.person(session, one)
        if row is not None and kept is not None and kept.hidden(eyes(policy, row)):
            continue
        if row is not None and row.email and staff.present(session, one, day):
            return Found(row, tuple(passed))
        passed.append(one)
    return Found(None, tuple(passed))


def eyes(policy: Policy, row: StaffRow) -> Eyes:
    """What one of the staff sees."""
    found = Eyes.of(row.id, Role(row.role), row.areas, policy.rights)
    return found._replace(speaks=policy.spoken_for(row.id))


def _named(policy: Policy, kept: Kept | None) -> tuple[ActorId, ...]:
    """Who is asked about a kept case when the places have nobody."""
    if kept is None or not (kept.compartment is not None or kept.about or kept.area in policy.rights.closed_areas):
        return ()
    return (*(kept.compartment or ()), *policy.staff.compliance)


def standing(
    session: Session, policy: Policy, place: Place, *, area: Area, owner: str, now: datetime
) -> Iterator[ActorId]:
    """Who stands at a place, the likeliest first. A case that an area owns is its representative's."""
    settings = policy.areas.get(area)
    match place:
        case "owner" if owner and owner not in policy.areas:
            yield owner
        case "owner" | "representative":
            lead = policy.areas.get(owner, settings) if place == "owner" else settings
            if lead:
                yield lead.representative
        case "deputy":
            if settings:
                yield settings.deputy
        case "supervisor":
            yield from policy.staff.supervisors
        case "compliance":
            yield from policy.staff.compliance
        case "shift":
            yield from _on_shift(session, policy, area, now)


def _on_shift(session: Session, policy: Policy, area: Area, now: datetime) -> list[ActorId]:
    """Who works at this hour: those of the area first."""
    offset = policy.whole_calendar().utc_offset(now)
    there = staff.on_shift(session, (now + offset).replace(tzinfo=None))
    rows = [one for one in staff.everybody(session) if one.id in there and one.role not in NOT_AT_WORK]
    return [one.id for one in sorted(rows, key=lambda one: (area not in one.areas, one.id))]
