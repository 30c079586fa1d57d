"""Every command of a case in one table: the shape of its order, and what decides it. `models.deciding` goes by it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from models import (
    answer_orders,
    answering,
    arrivals,
    arriving,
    case_orders,
    consulting,
    correcting,
    dates,
    desk_orders,
    erasing,
    following,
    handling,
    incidents,
    joining,
    linking,
    merging,
    raising,
    referrals,
    remedies,
    representing,
    reviewing,
    secrecy,
    undoing,
    urgency,
    verifying,
)
from models.case import Case
from models.case_orders import Approve, Propose, SendBack
from models.errors import Malformed
from models.inquiry import Actor, Role
from models.messages import Order

Decision = Callable[[Case, Any, Actor, datetime], None]

DECISIONS: dict[str, tuple[type[Order], Decision]] = {
    "reply": (answer_orders.Reply, answering.reply),
    "refer": (consulting.Refer, referrals.refer),
    "answer_referral": (consulting.AnswerReferral, referrals.answer_referral),
    "withdraw_referral": (consulting.WithdrawReferral, referrals.withdraw_referral),
    "verify": (consulting.Verify, verifying.verify),
    "open_incident": (case_orders.OpenIncident, incidents.open_incident),
    "close_incident": (case_orders.CloseIncident, incidents.close_incident),
    "join_incident": (joining.JoinIncident, joining.join_incident),
    "leave_incident": (joining.LeaveIncident, joining.leave_incident),
    "extend": (answer_orders.Extend, dates.extend),
    "escalate": (answer_orders.Escalate, dates.escalate),
    "re_estimate": (answer_orders.ReEstimate, dates.re_estimate),
    "institution_answered": (answer_orders.InstitutionAnswered, dates.institution_answered),
    "promise_remedy": (desk_orders.PromiseRemedy, remedies.promise_remedy),
    "remedy_done": (desk_orders.RemedyDone, remedies.remedy_done),
    "remedy_withdrawn": (desk_orders.RemedyWithdrawn, remedies.remedy_withdrawn),
    "undo": (undoing.Undo, undoing.undo),
    "set_points": (raising.SetPoints, raising.set_points),
    "resolve": (answer_orders.Resolve, answering.resolve),
    "correct_cause": (correcting.CorrectCause, correcting.correct_cause),
    "appeal": (answer_orders.OpenAppeal, reviewing.appeal),
    "appeal_decided": (answer_orders.AppealDecided, reviewing.appeal_decided),
    "change_channel": (case_orders.ChangeChannel, handling.change_channel),
    "request_information": (answer_orders.RequestInformation, answering.request_information),
    "note": (case_orders.Note, handling.note),
    "request_identity": (desk_orders.RequestIdentity, representing.request_identity),
    "accept_representative": (desk_orders.AcceptRepresentative, representing.accept_representative),
    "end_representative": (desk_orders.EndRepresentative, representing.end_representative),
    "link": (desk_orders.Link, linking.link),
    "unlink": (desk_orders.Unlink, linking.unlink),
    "follow_up": (desk_orders.SetFollowUp, following.follow_up),
    "follow_up_done": (desk_orders.FollowUpDone, following.follow_up_done),
    "merge": (case_orders.Merge, merging.merge),
    "split": (case_orders.Split, handling.split),
    "withdraw": (answer_orders.Withdraw, answering.withdraw),
    "reopen": (answer_orders.Reopen, answering.reopen),
    "assign": (case_orders.Assign, handling.assign),
    "claim": (case_orders.Claim, handling.claim),
    "reclassify": (case_orders.Reclassify, handling.reclassify),
    "mark_urgent": (case_orders.MarkUrgent, urgency.mark_urgent),
    "acknowledge_urgent": (case_orders.AcknowledgeUrgent, urgency.acknowledge_urgent),
    "compartment": (secrecy.Compartment, secrecy.compartment),
    "declare_conflict": (secrecy.DeclareConflict, secrecy.declare_conflict),
    "request_erasure": (erasing.RequestErasure, erasing.request_erasure),
    "erase": (erasing.Erase, erasing.erase),
    "refuse_erasure": (erasing.RefuseErasure, erasing.refuse_erasure),
    "attempts_exhausted": (case_orders.AttemptsExhausted, handling.attempts_exhausted),
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
