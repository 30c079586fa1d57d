"""Referrals: a question put to a specialised area, and the findings that come back (M3.3, M5.3)."""

from datetime import datetime

from models.answering import unanswered
from models.case import Case
from models.episodes import Referral
from models.errors import Refused
from models.inquiry import Actor
from models.letters import LetterKind
from models.messages import AnswerReferral, Refer
from models.obligations import ObligationKind
from models.terms import referral_notice_due


def refer(case: Case, order: Refer, actor: Actor, now: datetime) -> None:
    """M3.3: the matter goes to a specialised area, and the user is told which."""
    unanswered(case)
    if order.area not in case.terms.areas:
        raise Refused(
            "referral.unknown-area", f"one of {', '.join(case.terms.areas)} is needed", field="area", rule="M3.3"
        )
    if any(r.area == order.area and r.answered_at is None for r in case.referrals):
        raise Refused("referral.open", f"{order.area} has the matter already", field="area", rule="M3.3")
    case.referrals.append(Referral(area=order.area, opened_at=now))
    case.record(now, "case.referred", actor=actor, rule="M3.3", area=order.area, texts={"question": order.question})
    owed = case.owe(
        ObligationKind.REFERRAL,
        referral_notice_due(case.terms, case.days(now), now),
        now,
        why="referred",
        actor=actor,
        subject=order.area,
    )
    case.write(LetterKind.REFERRAL, now, meets=(owed.n,), facts={"area": order.area}, actor=actor)


def answer_referral(case: Case, order: AnswerReferral, actor: Actor, now: datetime) -> None:
    """M5.3: the area's findings are in."""
    for index, referral in enumerate(case.referrals):
        if referral.area == order.area and referral.answered_at is None:
            case.referrals[index] = referral.model_copy(update={"answered_at": now})
            case.record(
                now, "referral.answered", actor=actor, rule="M5.3", area=order.area, texts={"findings": order.findings}
            )
            return
    raise Refused("referral.none", f"{order.area} has no open referral", field="area", rule="M5.3")
