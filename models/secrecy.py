"""What keeps a case from people: a compartment (anti-money-laundering secrecy), and a conflict of interest.

Nobody handles or approves a complaint about themselves. Who may not see a case is told so by nothing: for them it does
not exist. Letters say nothing of either.
"""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from models.case import Case
from models.episodes import Assigned
from models.errors import Refused
from models.inquiry import Actor, ActorId, Role
from models.messages import Order, Reasons
from models.owning import give, still_theirs
from models.sight import Eyes, Kept

MOST_PEOPLE = 50

People = Annotated[tuple[ActorId, ...], Field(max_length=MOST_PEOPLE)]


class Keeping(Order):
    """What every order carries that keeps a case from people.

    `found` is how the rules found another owner where the one it has, `instead_of`, may not see it any more.
    """

    reasons: Reasons
    instead_of: ActorId | None = None
    found: Assigned | None = None


class Compartment(Keeping):
    """Put the case under secrecy: only these people and compliance see it. With `lift` everybody does again."""

    people: People = ()
    lift: bool = False


class DeclareConflict(Keeping):
    """Say whom of the staff the complaint is about: they neither see the case nor decide anything in it.

    Nobody in the list means that it is about none of them.
    """

    about: People


class GlassBroken(Order):
    """Somebody opened the case to themselves to read it, until then, as policy allows."""

    by: Actor
    until: AwareDatetime
    reasons: Reasons


def glass_broken(case: Case, order: GlassBroken, _actor: Actor, now: datetime) -> None:
    """Whoever sees the case sees who else looked."""
    case.record(now, "access.break-glass", actor=order.by, until=order.until, texts={"reasons": order.reasons})


def compartment(case: Case, order: Compartment, actor: Actor, now: datetime) -> None:
    """Only compliance puts a case under secrecy, and takes it out again."""
    if actor.role is not Role.COMPLIANCE:
        raise Refused("compartment.role", "only compliance puts a case under secrecy")
    if order.lift and order.people:
        raise Refused("compartment.both", "name people, or lift it", field="people")
    case.compartment = None if order.lift else tuple(sorted(set(order.people)))
    what = "access.opened" if order.lift else "access.compartment"
    case.record(now, what, actor=actor, people=list(case.compartment or ()), texts={"reasons": order.reasons})
    _pass_on(case, order, actor, now)


def declare_conflict(case: Case, order: DeclareConflict, actor: Actor, now: datetime) -> None:
    """Whoever it is about loses the case, and what they proposed falls away; anybody adds, few take off."""
    taken_off = set(case.about) - set(order.about)
    if taken_off and actor.role not in {Role.SUPERVISOR, Role.COMPLIANCE}:
        raise Refused(
            "conflict.supervisor", "only a supervisor or compliance takes somebody off; name those too", field="about"
        )
    if taken_off and case.proposal and case.proposal.proposer.id == actor.id:
        raise Refused(
            "conflict.proposer",
            "whoever proposed the answer gives nobody the right to approve it; ask another",
            field="about",
            rule="M5.3",
        )
    case.about = tuple(sorted(set(order.about)))
    if case.owner in case.about and order.found is None:
        case.owner = case.area
    if case.proposal and case.proposal.proposer.id in case.about:
        case.drop_proposal(now, why="its proposer has a conflict of interest", actor=actor)
        # Under any terms: nobody may approve it any more.
        case.proposal = None
    case.record(now, "access.conflict", actor=actor, about=list(case.about), texts={"reasons": order.reasons})
    _pass_on(case, order, actor, now)


def _pass_on(case: Case, order: Keeping, actor: Actor, now: datetime) -> None:
    """A case is never owned by somebody who may not see it; who may is known to the records, so the API asks there."""
    if order.found is None:
        return
    still_theirs(case, order.instead_of)
    give(case, order.found.owner, actor, now, found=order.found)


def check(case: Case, actor: Actor, owner: ActorId | None) -> None:
    """Refuse whoever the case is kept from, and an owner whom it is about. `owner` is who is to get the case."""
    hidden = Kept.of(case).hidden(Eyes(actor.id, secrets=actor.role is Role.COMPLIANCE))
    if hidden == "rights.concerned":
        raise Refused("conflict.of-interest", "nobody decides a complaint about themselves")
    if owner is not None and owner in case.about:
        raise Refused("conflict.of-interest", "nobody handles a complaint about themselves", field="owner")
    if hidden:
        raise Refused("compartment.closed", "the case is kept from whoever is not named")
