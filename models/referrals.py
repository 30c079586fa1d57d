"""Referrals: a question put to a specialised area, and the findings that come back (M3.3, M5.3).

Each has a due date of its own inside the house, never later than the final answer that waits for it. It is an alarm of
the case, and what follows from it is a fact in the ledger: whom to remind, and to whom the question goes up.
"""

from datetime import datetime

from models.answering import unanswered
from models.area_work import Referral, VerifiedBy
from models.case import Case
from models.consulting import AnswerReferral, Refer, WithdrawReferral
from models.due_dates import referral_notice_due, warnings
from models.errors import Refused
from models.inquiry import Actor, Area, Role
from models.letters import LetterKind
from models.obligations import A_SECOND, ObligationKind
from models.verifying import keep, speaks_for


def refer(case: Case, order: Refer, actor: Actor, now: datetime) -> None:
    """M3.3: the matter goes to a specialised area, for the first time or again, and the user is told which."""
    unanswered(case)
    if order.area not in case.terms.areas:
        raise Refused(
            "referral.unknown-area", f"one of {', '.join(case.terms.areas)} is needed", field="area", rule="M3.3"
        )
    if any(r.area == order.area and r.open for r in case.referrals):
        raise Refused("referral.open", f"{order.area} has the matter already", field="area", rule="M3.3")
    due = _answer_due(case, now)
    new = Referral(area=order.area, opened_at=now, by=actor, due=due, remind_at=_reminder(case, due, now))
    case.referrals.append(new)
    texts = {"question": order.question}
    case.record(now, "case.referred", actor=actor, rule="M3.3", area=order.area, due=due, texts=texts)
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
    """M5.3: the area's findings are in, by who speaks for it; they verify what will be answered."""
    at = _open(case, order.area)
    if not speaks_for(case.terms, order.area, actor, order.stands_in):
        raise Refused(
            "referral.not-theirs",
            f"only the representative of {order.area} or the deputy answers for it",
            field="area",
            rule="M5.4",
        )
    _put(case, at, answered_at=now)
    case.record(now, "referral.answered", actor=actor, rule="M5.3", area=order.area, texts={"findings": order.findings})
    keep(case, order.area, actor, now, VerifiedBy.REFERRAL)


def withdraw_referral(case: Case, order: WithdrawReferral, actor: Actor, now: datetime) -> None:
    """The question is put no longer, and a letter that would tell of it does not leave."""
    at = _open(case, order.area)
    referral = case.referrals[at]
    asked = referral.by is not None and referral.by.id == actor.id
    if not asked and actor.role is not Role.SUPERVISOR:
        raise Refused("referral.not-yours", "only who put the question, or a supervisor, withdraws it", rule="M3.3")
    _put(case, at, withdrawn_at=now)
    case.record(now, "referral.withdrawn", actor=actor, rule="M3.3", area=order.area, texts={"reasons": order.reasons})
    for notice in case.owed(ObligationKind.REFERRAL):
        if notice.subject == referral.area and notice.created_at == referral.opened_at:
            case.supersede(notice, now, why="the referral was withdrawn", actor=actor)
            for letter in case.waiting():
                if notice.n in letter.meets:
                    case.void(letter, now, why="the referral was withdrawn")


def mind_referrals(case: Case, now: datetime) -> None:
    """What the passing of time does to open referrals: a sooner date, a reminder, the question's way up.

    The facts name who is to be told, by id: the representative is reminded; past the date the deputy has the question
    too, where policy wants that, and else the representative is reminded once more.
    """
    for at, referral in enumerate(case.referrals):
        if referral.next_alarm() is None:
            continue
        current = _hasten(case, at, now)
        alarm = current.next_alarm()
        if alarm is None or alarm > now:
            continue
        passed = current.due is not None and current.due + A_SECOND <= now
        _put(case, at, **{"passed_at" if passed else "reminded_at": now})
        up = passed and case.terms.referral_escalates
        representative, deputy = (*case.terms.representatives.get(current.area, ()), "", "")[:2]
        case.record(
            now,
            "referral.escalated" if up else "referral.reminded",
            rule="M5.4",
            area=current.area,
            due=current.due,
            representative=representative or None,
            deputy=deputy or None,
            to=(deputy if up else representative) or None,
        )


def _hasten(case: Case, at: int, now: datetime) -> Referral:
    """Where the final answer is due sooner by now, so is what it waits for."""
    referral, running = case.referrals[at], case.final_term
    if running is None or referral.due is None or not now < running.due < referral.due:
        return referral
    case.record(now, "referral.hastened", rule="M5.3", area=referral.area, old=referral.due, due=running.due)
    return _put(case, at, due=running.due, remind_at=_reminder(case, running.due, now))


def _answer_due(case: Case, now: datetime) -> datetime | None:
    """By when the area answers; a final date that has passed is no limit any more."""
    days, running = case.terms.referral_answer_business_days, case.final_term
    if not days:
        return None
    due = case.days(now).due(now, days)
    return min(due, running.due) if running and running.due > now else due


def _reminder(case: Case, due: datetime | None, now: datetime) -> datetime | None:
    """When the area is reminded; not at all where that hour has passed, or policy wants no reminder."""
    days = case.terms.referral_reminder_business_days
    found = warnings(case.terms, case.days(now), due, (days,)) if due and days else ()
    return next((moment for moment in found if moment > now), None)


def _open(case: Case, area: Area) -> int:
    """The place of the area's open referral. Raises Refused."""
    for at, referral in enumerate(case.referrals):
        if referral.area == area and referral.open:
            return at
    raise Refused("referral.none", f"{area} has no open referral", field="area", rule="M5.3")


def _put(case: Case, at: int, **changes: object) -> Referral:
    changed = case.referrals[at] = case.referrals[at].model_copy(update=changes)
    return changed
