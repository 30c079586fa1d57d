"""Reviews before the authority: announced or notified, answered by its dates, and decided (M3.10)."""

from datetime import datetime

from models.answer_orders import AppealDecided, OpenAppeal
from models.case import Case
from models.dates import moment
from models.due_dates import authority_reply_due
from models.episodes import Appeal
from models.errors import Refused
from models.inquiry import Actor
from models.letters import LetterKind
from models.obligations import ObligationKind
from models.resending import tell_new_channel


def take_back_stuck(case: Case, now: datetime) -> set[int]:
    """Letters to the authority that had nowhere to go give way to a new one; return what they were to meet."""
    stuck = [one for one in case.waiting() if one.kind is LetterKind.AUTHORITY_REPLY and one.address is None]
    for one in stuck:
        case.void(one, now, why="another letter takes its place")
    return {n for one in stuck for n in one.meets if case.obligations[n - 1].open}


def appeal(case: Case, order: OpenAppeal, actor: Actor, now: datetime) -> None:
    """M3.10: a review is announced or notified, at any time, before an answer or long after it.

    While one is open the authority may write again: what it is owed then is a promise of its own.
    """
    by_authority = order.by == "authority" or order.file_number is not None
    if case.appeal and not (by_authority and case.terms.authority_writes_again):
        raise Refused("appeal.open", "a review is open already", rule="M3.10")
    answer_by = moment(case, order.answer_by, now, field="answer_by") if order.answer_by else None
    if case.terms.dates_bounded and answer_by and answer_by < min(order.received_at or now, now):
        raise Refused(
            "appeal.past",
            "that day had passed when the letter came: correct it, say in received_at when it came, or leave it out",
            field="answer_by",
            rule="M3.10",
        )
    again = _take_up(case, by_authority=by_authority, file_number=order.file_number or "", now=now)
    case.closed_at = None
    tell_new_channel(case, now)
    case.record(
        now,
        "authority.wrote" if again else "review.noted",
        actor=actor,
        rule="M3.10",
        by=order.by,
        answer_by=answer_by,
        texts={"text": order.text} | ({"file_number": order.file_number} if order.file_number else {}),
    )
    if by_authority:
        due = answer_by or authority_reply_due(case.terms, case.days(now), now, None)
        case.owe(ObligationKind.AUTHORITY_REPLY, due, now, why="review notified", actor=actor)
    facts = {"by": order.by} | ({"answer_by": answer_by.isoformat()} if answer_by else {})
    texts = {"file_number": order.file_number} if order.file_number else {}
    case.write(LetterKind.REVIEW_NOTED, now, facts=facts, texts=texts, actor=actor)


def _take_up(case: Case, *, by_authority: bool, file_number: str, now: datetime) -> bool:
    """Open a review; a further letter of the authority joins the open one, and True comes back."""
    current = case.appeal
    if current is None:
        case.appeals.append(Appeal(opened_at=now, by_authority=by_authority, file_number=file_number))
        return False
    joined = {"by_authority": True, "file_number": file_number or current.file_number}
    case.appeals[case.appeals.index(current)] = current.model_copy(update=joined)
    return True


def appeal_decided(case: Case, order: AppealDecided, actor: Actor, now: datetime) -> None:
    """M3.10: the review has an outcome; the user hears it and what happens now."""
    current = case.appeal
    if current is None:
        raise Refused("appeal.none", "no review is open", rule="M3.10")
    decided = current.model_copy(update={"decided_at": now, "result": order.result})
    case.appeals[case.appeals.index(current)] = decided
    case.record(now, "review.decided", actor=actor, rule="M3.10", result=order.result, texts={"text": order.text})
    stuck = take_back_stuck(case, now)
    for obligation in case.owed():
        if obligation.kind is ObligationKind.AUTHORITY_REPLY or obligation.n in stuck:
            case.supersede(obligation, now, why="the review is decided", actor=actor)
    texts = {"text": order.text} | ({"file_number": current.file_number} if current.file_number else {})
    case.write(LetterKind.REVIEW_RESULT, now, facts={"result": order.result}, texts=texts, actor=actor)
