"""Every command with the shape of its body and an example of it.

What does not differ from its order is derived from the orders of `models.commands`: a new command has its body at once.
"""

from typing import Any, get_type_hints

from pydantic import create_model

from models.commands import COMMANDS
from models.messages import Order
from starter.admin.answer_bodies import CorrectCauseBody, ResolveBody, SetPointsBody
from starter.admin.bodies import (
    AcceptRepresentativeBody,
    ApproveBody,
    AssignBody,
    Body,
    ClaimBody,
    CompartmentBody,
    DeclareConflictBody,
    MergeBody,
    OpenIncidentBody,
    ProposeBody,
    ReclassifyBody,
    RefuseErasureBody,
    ReplyBody,
    RequestIdentityBody,
    RequestInformationBody,
    SplitBody,
)
from starter.admin.joining import JoinIncidentBody

WRITTEN: dict[str, type[Body]] = {
    "reply": ReplyBody,
    "set_points": SetPointsBody,
    "resolve": ResolveBody,
    "correct_cause": CorrectCauseBody,
    "open_incident": OpenIncidentBody,
    "join_incident": JoinIncidentBody,
    "request_information": RequestInformationBody,
    "request_identity": RequestIdentityBody,
    "accept_representative": AcceptRepresentativeBody,
    "refuse_erasure": RefuseErasureBody,
    "reclassify": ReclassifyBody,
    "assign": AssignBody,
    "claim": ClaimBody,
    "merge": MergeBody,
    "split": SplitBody,
    "compartment": CompartmentBody,
    "declare_conflict": DeclareConflictBody,
    "propose": ProposeBody,
    "approve": ApproveBody,
}
"""Bodies that differ from their order."""


def _derived(name: str, order: type[Order]) -> type[Body]:
    hints = get_type_hints(order, include_extras=True)
    fields: dict[str, Any] = {
        field: (hints[field], ... if info.is_required() else info.get_default())
        for field, info in order.model_fields.items()
        if field not in Order.model_fields
    }
    title = "".join(part.capitalize() for part in name.split("_")) + "Body"
    return create_model(title, __base__=Body, __doc__=order.__doc__, **fields)


BODIES: dict[str, type[Body]] = {
    name: WRITTEN[name] if name in WRITTEN else _derived(name, order) for name, order in COMMANDS.items()
}
"""Every command with the shape of its body."""


EXAMPLES: dict[str, dict[str, Any]] = {
    "reply": {"text": "We have asked the bank for the confirmation and will write again on Friday."},
    "refer": {"area": "operations", "question": "Was the withdrawal of 12 March broadcast?"},
    "answer_referral": {"area": "operations", "findings": "Broadcast on 12 March at 14:02, confirmed at 14:31."},
    "withdraw_referral": {"area": "operations", "reasons": "The user sent the confirmation meanwhile."},
    "verify": {
        "area": "operations",
        "findings": "The withdrawal was held by the limit of 11 March, and released on 12 March.",
        "points": ["The withdrawal did not arrive."],
    },
    "open_incident": {"area": "operations", "matter": "withdrawal", "text": "Broadcast at 14:02, not confirmed since."},
    "close_incident": {
        "incident": 1,
        "outcome": "resolved",
        "evidence": "Operations say that it was confirmed at 18:31.",
    },
    "join_incident": {"incident": "RX-7KQ4-M2PD/inc-1"},
    "leave_incident": {"incident": 2, "reasons": "The withdrawal was sent to another network."},
    "extend": {"until": "2026-06-19", "reasons": "The bank's confirmation is still outstanding."},
    "escalate": {
        "institution": "Banco Central de Reserva",
        "reasons": "The transfer is held there.",
        "estimate": "2026-05-04",
        "asked": "When was the transfer credited?",
        "shared": "The amount and the date of the transfer.",
    },
    "re_estimate": {"estimate": "2026-05-18", "reasons": "The institution asked for two more weeks."},
    "institution_answered": {"summary": "The transfer was released on 30 April."},
    "undo": {"reasons": "The amount is wrong."},
    "promise_remedy": {
        "what": "The fee is paid back.",
        "kind": "refund",
        "amount": "2.50",
        "currency": "USD",
        "by": "2026-04-20",
    },
    "remedy_done": {"remedy": 1, "evidence": "Transfer 4411 of 17 April.", "on": "2026-04-17"},
    "remedy_withdrawn": {"remedy": 1, "reasons": "The user was paid by the card's issuer."},
    "set_points": {"points": [{"id": "ms_4f2a.1"}, {"point": "The fee was charged twice."}]},
    "resolve": {
        "outcome": "upheld",
        "points": [{"point": "The withdrawal did not arrive.", "answer": "It was held by mistake and left today."}],
        "actions": ["The withdrawal was released."],
        "remedy": {"what": "The fee is paid back.", "amount": "USD 2.50", "by": "2026-04-20"},
        "cause": "withdrawal.held",
    },
    "correct_cause": {"cause": "withdrawal.limit", "reasons": "Operations found that the daily limit held it."},
    "appeal": {"text": "The authority notified a review.", "by": "authority", "file_number": "2026-0117"},
    "appeal_decided": {"result": "upheld", "text": "The authority found the answer right."},
    "change_channel": {"channel": "email", "reasons": "The user asked for it."},
    "request_information": {"items": [{"item": "The transaction's id", "why": "to find it"}], "by": "2026-04-10"},
    "request_identity": {"reasons": "The answer names movements of the account."},
    "accept_representative": {
        "email": "counsel@example.org",
        "document": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "until": "2026-12-31",
        "reasons": "The notary's register confirms the power.",
    },
    "end_representative": {"reasons": "The user withdrew the power."},
    "link": {"other": "RX-7KQ4-M2PD", "reasons": "The same outage."},
    "unlink": {"other": "RX-7KQ4-M2PD", "reasons": "It was another outage."},
    "follow_up": {"on": "2026-04-14", "note": "Ask the bank again."},
    "follow_up_done": {"follow_up": 1, "note": "The bank has answered."},
    "note": {"text": "Called the bank; they answer tomorrow."},
    "merge": {"other": "RX-7KQ4-M2PD", "leads": True},
    "split": {"points": ["The card was charged twice."]},
    "withdraw": {"reasons": "The user wrote that it is solved.", "message": "ms_4f2a"},
    "reopen": {"reasons": "The user sent new documents."},
    "assign": {"owner": "agent-7", "area": "cx", "reasons": "Speaks with the bank already."},
    "claim": {},
    "reclassify": {"kind": "complaint", "reasons": "The user claims a loss."},
    "mark_urgent": {"matter": "stolen_account", "reasons": "Reports a withdrawal that was not theirs."},
    "acknowledge_urgent": {},
    "compartment": {"people": ["compliance-officer"], "reasons": "Reported to the financial intelligence unit."},
    "declare_conflict": {"about": ["agent-7"], "reasons": "The user complains about how agent-7 answered."},
    "request_erasure": {"message": "ms_4f2a"},
    "erase": {},
    "refuse_erasure": {"text": "The law obliges us to keep the records of this transfer for five years."},
    "attempts_exhausted": {"reasons": "Every address bounced for five days."},
    "propose": {"command": "extend", "order": {"until": "2026-06-19", "reasons": "The confirmation is outstanding."}},
    "approve": {"proposed_at": "2026-03-30T15:04:05.123456Z"},
    "send_back": {"reasons": "The second point is not answered."},
}
"""One body of each command, as the API's documentation shows it."""
