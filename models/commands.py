"""Every command of a case in one table, and the one way through it.

A command is decided on a copy of the case: refused, it leaves nothing behind; legal, the copy takes the case's place.
The same way serves an update, a signal of the same name, and the validator that asks beforehand.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from models import (
    answering,
    arrivals,
    arriving,
    consulting,
    dates,
    desk_orders,
    erasing,
    following,
    handling,
    incidents,
    linking,
    messages,
    raising,
    referrals,
    remedies,
    representing,
    secrecy,
    undoing,
    urgency,
    verifying,
)
from models.case import Case
from models.episodes import Proposal, VerifiedBy
from models.errors import CalendarError, Malformed, Refused, Stale
from models.inquiry import SYSTEM, TEMPORAL_OPERATOR, Actor, Area, Role
from models.messages import Approve, Order, Propose, Resolve, SendBack
from models.verifying import Word, require_verified, verify_by_act

Decision = Callable[[Case, Any, Actor, datetime], None]

DECISIONS: dict[str, tuple[type[Order], Decision]] = {
    "reply": (messages.Reply, answering.reply),
    "refer": (consulting.Refer, referrals.refer),
    "answer_referral": (consulting.AnswerReferral, referrals.answer_referral),
    "withdraw_referral": (consulting.WithdrawReferral, referrals.withdraw_referral),
    "verify": (consulting.Verify, verifying.verify),
    "open_incident": (messages.OpenIncident, incidents.open_incident),
    "close_incident": (messages.CloseIncident, incidents.close_incident),
    "extend": (messages.Extend, dates.extend),
    "escalate": (messages.Escalate, dates.escalate),
    "re_estimate": (messages.ReEstimate, dates.re_estimate),
    "institution_answered": (messages.InstitutionAnswered, dates.institution_answered),
    "promise_remedy": (desk_orders.PromiseRemedy, remedies.promise_remedy),
    "remedy_done": (desk_orders.RemedyDone, remedies.remedy_done),
    "remedy_withdrawn": (desk_orders.RemedyWithdrawn, remedies.remedy_withdrawn),
    "undo": (undoing.Undo, undoing.undo),
    "set_points": (raising.SetPoints, raising.set_points),
    "resolve": (messages.Resolve, answering.resolve),
    "appeal": (messages.OpenAppeal, answering.appeal),
    "appeal_decided": (messages.AppealDecided, answering.appeal_decided),
    "change_channel": (messages.ChangeChannel, handling.change_channel),
    "request_information": (messages.RequestInformation, answering.request_information),
    "note": (messages.Note, handling.note),
    "request_identity": (desk_orders.RequestIdentity, representing.request_identity),
    "accept_representative": (desk_orders.AcceptRepresentative, representing.accept_representative),
    "end_representative": (desk_orders.EndRepresentative, representing.end_representative),
    "link": (desk_orders.Link, linking.link),
    "unlink": (desk_orders.Unlink, linking.unlink),
    "follow_up": (desk_orders.SetFollowUp, following.follow_up),
    "follow_up_done": (desk_orders.FollowUpDone, following.follow_up_done),
    "merge": (messages.Merge, handling.merge),
    "split": (messages.Split, handling.split),
    "withdraw": (messages.Withdraw, answering.withdraw),
    "reopen": (messages.Reopen, answering.reopen),
    "assign": (messages.Assign, handling.assign),
    "claim": (messages.Claim, handling.claim),
    "reclassify": (messages.Reclassify, handling.reclassify),
    "mark_urgent": (messages.MarkUrgent, urgency.mark_urgent),
    "acknowledge_urgent": (messages.AcknowledgeUrgent, urgency.acknowledge_urgent),
    "compartment": (secrecy.Compartment, secrecy.compartment),
    "declare_conflict": (secrecy.DeclareConflict, secrecy.declare_conflict),
    "request_erasure": (erasing.RequestErasure, erasing.request_erasure),
    "erase": (erasing.Erase, erasing.erase),
    "refuse_erasure": (erasing.RefuseErasure, erasing.refuse_erasure),
    "attempts_exhausted": (messages.AttemptsExhausted, handling.attempts_exhausted),
}
"""What people decide."""

ARRIVALS: dict[str, tuple[type[Order], Decision]] = {
    "receive_message": (arrivals.ReceiveMessage, arriving.receive_message),
    "notice_delivered": (arrivals.NoticeDelivered, arriving.notice_delivered),
    "notice_bounced": (arrivals.NoticeBounced, arriving.notice_bounced),
    "address_closed": (arrivals.AddressClosed, arriving.address_closed),
    "address_open": (arrivals.AddressOpen, arriving.address_open),
    "identity_bound": (arrivals.IdentityBound, arriving.identity_bound),
    "glass_broken": (secrecy.GlassBroken, secrecy.glass_broken),
    "incident_changed": (arrivals.IncidentChanged, incidents.incident_changed),
}
"""What the world reports: never refused for who says it, never decided by anyone."""

SECOND_PAIR: dict[str, type[Order]] = {"propose": Propose, "approve": Approve, "send_back": SendBack}

SIGNALS = ("extend", "escalate", "appeal", *ARRIVALS)
"""What may come as a signal; everything else is an update only."""

COMMANDS: dict[str, type[Order]] = {name: order for name, (order, _) in DECISIONS.items()} | SECOND_PAIR
"""What may come as an update, with the shape of its order."""

OURS_ALONE = frozenset({"address_closed", "address_open", "identity_bound", "incident_changed", "glass_broken"})
"""What only our own intake may say: where letters go, what they may tell, and what comes out of an incident."""

NAMING_ADDRESSES = frozenset({"accept_representative"})
"""What people decide and only our own API may hand in: it says where letters go."""

READS_ONLY = frozenset({Role.AUDITOR, Role.INTAKE})
"""They decide nothing: an auditor reads, an intake service hands in."""

KEYS_KEPT = 500


def read(name: str, payload: object) -> Order:
    """Read a command's order. Raises Malformed naming the field and what it should be."""
    shape = COMMANDS.get(name) or (ARRIVALS[name][0] if name in ARRIVALS else None)
    if shape is None:
        raise Malformed("command.unknown", f"{name[:60]!r} is not a command; one of {', '.join(COMMANDS)}")
    try:
        return shape.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        wrong = first["msg"].removeprefix("Value error, ")
        raise Malformed("command.malformed", f"{field or name}: {wrong}"[:300], field=field[:60]) from None


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
    DECISIONS[name][1](case.model_copy(deep=True), order, actor, now)
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
    _carry_out(case, proposal.command, read(proposal.command, proposal.order), now, proposer, approver)


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
