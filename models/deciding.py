"""The one way through every command, and the second pair of eyes that some want (M5.3).

A command is decided on a copy of the case: refused, it leaves nothing behind; legal, the copy takes the case's place.
The same way serves an update, a signal of the same name, and the validator that asks beforehand.
"""

from datetime import datetime
from typing import Any

from models import arrivals, desk_orders, remedies, secrecy
from models.answer_orders import Resolve
from models.area_work import VerifiedBy
from models.case import Case
from models.case_orders import Approve, Merge, Propose, SendBack
from models.commands import ARRIVALS, DECISIONS, NAMING_ADDRESSES, OURS_ALONE, READS_ONLY, read
from models.episodes import Proposal
from models.errors import CalendarError, Refused, Stale
from models.inquiry import SYSTEM, TEMPORAL_OPERATOR, Actor, Area
from models.messages import Order
from models.verifying import Word, require_verified, verify_by_act

KEYS_KEPT = 500


def decide(case: Case, name: str, order: Order, now: datetime, *, trusted: bool, signal: bool = False) -> Case:
    """Decide a command and return the case after it; the one given stays as it was.

    `trusted` says that the order came sealed by one of our own services, whose word on the actor counts; else it is the
    stock command line's. A signal that lacks a second pair of eyes becomes a proposal, since nobody is there to be
    told. Raises Refused.
    """
    if order.key and order.key in case.answers:
        return case
    ours = SYSTEM if name in ARRIVALS else TEMPORAL_OPERATOR
    actor = (order.actor or ours) if trusted else TEMPORAL_OPERATOR
    if not trusted and name in OURS_ALONE | NAMING_ADDRESSES:
        raise Refused("signal.ours", "only our own intake says where letters go, to whom, and what came of an incident")
    if not trusted and isinstance(order, arrivals.ReceiveMessage) and order.addresses:
        raise Refused("message.addresses", "only our own intake says where letters go", field="addresses")
    if not trusted and isinstance(order, Merge) and order.ways_in:
        raise Refused("merge.addresses", "only our own API says where letters go", field="ways_in")
    if not trusted:
        order = order.model_copy(update={"stands_in": ()})
    after = case.model_copy(deep=True)
    try:
        proposed = _perform(after, name, order, actor, now, signal=signal)
    except CalendarError as error:
        raise Refused("date.absurd", str(error)) from error
    after.version += 1
    if order.key:
        after.answers[order.key] = after.answer(proposed=proposed)
        while len(after.answers) > KEYS_KEPT:
            del after.answers[next(iter(after.answers))]
    return after


def _perform(case: Case, name: str, order: Order, actor: Actor, now: datetime, *, signal: bool) -> bool:
    """Change the case; True when the command only became a proposal."""
    if name in ARRIVALS:
        ARRIVALS[name][1](case, order, actor, now)
        return False
    if order.expected_version is not None and order.expected_version != case.version:
        raise Stale(
            "case.stale",
            f"the case is at version {case.version}, not {order.expected_version}; read it again",
            field="expected_version",
        )
    if actor.role in READS_ONLY:
        raise Refused("actor.reads-only", f"the role {actor.role.value} decides nothing")
    secrecy.check(case, actor, getattr(order, "owner", None))
    if isinstance(order, Propose):
        _propose(case, order.command, order.order, actor, now, stands_in=order.stands_in)
        return True
    if isinstance(order, Approve):
        _approve(case, order, actor, now)
        return False
    if isinstance(order, SendBack):
        _send_back(case, order, actor, now)
        return False
    if needs_second_pair(case, name, order):
        if not signal:
            raise Refused(
                "approval.missing",
                f"{name} wants a second pair of eyes here: propose it, another approves it",
                rule="M5.3",
            )
        _propose(case, name, order.model_dump(mode="json", exclude_none=True, exclude={"actor"}), actor, now)
        return True
    _carry_out(case, name, order, now, Word(actor, order.stands_in, VerifiedBy.RESOLVED))
    return False


def _carry_out(case: Case, name: str, order: Order, now: datetime, *words: Word) -> None:
    """Decide as the first of those who take part; a final answer only with an area's verification (M5.3)."""
    if isinstance(order, Resolve):
        verify_by_act(case, order.outcome, words, now)
    DECISIONS[name][1](case, order, words[0].actor, now)
    if isinstance(order, Resolve):
        require_verified(case, order.outcome)
        _drop_what_is_late(case, words[0].actor, now)


def _drop_what_is_late(case: Case, actor: Actor, now: datetime) -> None:
    """Once the answer is given nobody can approve another; what stays legal after it, such as a reply, still waits."""
    if waits := case.proposal:
        order = read(waits.command, waits.order)
        try:
            DECISIONS[waits.command][1](case.model_copy(deep=True), order, waits.proposer, now)
        except (Refused, CalendarError):
            case.drop_proposal(now, why="answered", actor=actor)


def needs_second_pair(case: Case, name: str, order: Order) -> bool:
    """Whether policy wants another person's yes: `resolve` or, finer, `resolve.unfounded`; a remedy by its amount."""
    if isinstance(order, desk_orders.PromiseRemedy) and remedies.wants_approval(case, order):
        return True
    finer = f"{name}.{order.outcome.value}" if isinstance(order, Resolve) else name
    return name in case.terms.approvals or finer in case.terms.approvals


def _propose(
    case: Case, name: str, payload: dict[str, Any], actor: Actor, now: datetime, *, stands_in: tuple[Area, ...] = ()
) -> None:
    """Keep it for another; the verification that it may want is asked for at the approval, which may give it."""
    if name not in DECISIONS or name in NAMING_ADDRESSES:
        raise Refused("proposal.unknown", f"{name[:60]!r} cannot be proposed", field="command")
    order = read(name, payload)
    if isinstance(order, Merge) and order.ways_in:
        raise Refused("merge.addresses", "it says where letters go, so it cannot be proposed", field="order")
    DECISIONS[name][1](case.model_copy(deep=True), order, actor, now)
    case.drop_proposal(now, why="replaced", actor=actor)
    case.proposal = Proposal(
        command=name,
        order=order.model_dump(mode="json", exclude_none=True, exclude=set(Order.model_fields)),
        proposer=actor,
        at=now,
        heard=case.heard if case.terms.stale_after_message else None,
        stands_in=stands_in,
    )
    case.record(now, "command.proposed", actor=actor, rule="M5.3", command=name)


def _approve(case: Case, approval: Approve, actor: Actor, now: datetime) -> None:
    proposal = _proposal(case)
    if proposal.proposer.id == actor.id:
        raise Refused("approval.same-person", "whoever proposed it cannot approve it", rule="M5.3")
    if approval.proposed_at not in {None, proposal.at}:
        raise Refused(
            "approval.replaced", "what waits now was proposed since; read that", field="proposed_at", rule="M5.3"
        )
    if case.proposal_stale:
        raise Refused(
            "approval.stale", "the user wrote after it was proposed; read that, and propose it anew", rule="M3.8"
        )
    case.proposal = None
    case.record(
        now, "command.approved", actor=actor, rule="M5.3", command=proposal.command, proposer=proposal.proposer.id
    )
    proposer = Word(proposal.proposer, proposal.stands_in, VerifiedBy.RESOLVED)
    approver = Word(actor, approval.stands_in, VerifiedBy.APPROVED)
    order = read(proposal.command, proposal.order)
    secrecy.check(case, actor, getattr(order, "owner", None))
    _carry_out(case, proposal.command, order, now, proposer, approver)


def _send_back(case: Case, order: SendBack, actor: Actor, now: datetime) -> None:
    proposal = _proposal(case)
    if proposal.proposer.id == actor.id:
        raise Refused("approval.same-person", "whoever proposed it cannot send it back", rule="M5.3")
    case.proposal = None
    case.record(
        now, "command.sent-back", actor=actor, rule="M5.3", command=proposal.command, texts={"reasons": order.reasons}
    )


def _proposal(case: Case) -> Proposal:
    if case.proposal is None:
        raise Refused("approval.nothing", "nothing is proposed", rule="M5.3")
    return case.proposal
