"""Who has a case: the one place where it changes hands (M3.3)."""

from datetime import datetime

from models.case import Case
from models.episodes import Assigned
from models.errors import Refused
from models.inquiry import Actor, ActorId


def still_theirs(case: Case, who: ActorId | None, field: str = "") -> None:
    """Refuse to take a case from somebody who has it no longer."""
    if case.owner != who:
        raise Refused("assign.moved", f"it is {case.owner}'s by now", field=field, rule="M3.3")


def give(
    case: Case,
    owner: ActorId,
    actor: Actor,
    now: datetime,
    *,
    found: Assigned | None = None,
    claimed_from: ActorId | None = None,
    reasons: str = "",
) -> None:
    """Give the case to somebody; `found` is how the rules found them, and none where people named them."""
    case.owner = owner
    case.record(
        now,
        "case.assigned",
        actor=actor,
        rule="M3.3",
        owner=owner,
        area=case.area,
        claimed_from=claimed_from,
        assignment=found.model_dump(mode="json") if found else None,
        texts={"reasons": reasons} if reasons else {},
    )
