"""Commands that answer: reply, ask, resolve, review, withdraw, reopen (M3.4, M3.8 to M3.10, M5.7)."""

from datetime import datetime

from models.answer_orders import Reopen, Reply, RequestInformation, Resolve, Withdraw
from models.asking import information_came, watch
from models.case import Case
from models.dates import moment
from models.due_dates import withdrawal_notice_due
from models.episodes import FinalAnswer
from models.erasing import remembered
from models.errors import Missing, Refused
from models.extensions import drop_extension
from models.gate import empty, hold, unanswered_points, uncaused
from models.inquiry import AUTHORITY, Actor
from models.letters import FINALS, LetterKind
from models.messages import Draft
from models.obligations import ObligationKind
from models.promises import promise
from models.resending import tell_new_channel
from models.reviewing import take_back_stuck
from models.undoing import hold_back
from models.ways import tell_all_ways


def require(draft: Draft, fields: tuple[str, ...], rule: str) -> None:
    """Refuse a draft that leaves a field empty, naming each one."""
    hold(
        [Missing(field, "it says nothing yet", rule) for field in fields if field not in draft.filled],
        code="gate.empty",
    )


def reply(case: Case, order: Reply, actor: Actor, now: datetime) -> None:
    """An answer on the way; to the authority it meets what is owed there. Stays legal after the final answer."""
    if case.closed_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    require(order.draft, ("text",), "M3.7")
    case.unread = 0
    if order.to == "user":
        hold_back(case, case.write(LetterKind.REPLY, now, draft=order.draft.id, actor=actor), now)
        return
    meets = {o.n for o in case.owed(ObligationKind.AUTHORITY_REPLY)} | take_back_stuck(case, now)
    case.write(
        LetterKind.AUTHORITY_REPLY,
        now,
        meets=tuple(sorted(meets)),
        draft=order.draft.id,
        to=AUTHORITY,
        actor=actor,
    )


def request_information(case: Case, order: RequestInformation, actor: Actor, now: datetime) -> None:
    """Something is missing; asking for it suspends nothing."""
    unanswered(case)
    require(order.draft, ("items",), "M3.8")
    by = moment(case, order.by, now, field="by")
    if by <= now:
        raise Refused("information.past", "the date to answer by lies in the past", field="by")
    _before_the_answer(case, by, now)
    case.information_asked_at = now
    facts = {"by": by.isoformat()}
    request = case.write(LetterKind.INFORMATION_REQUEST, now, facts=facts, draft=order.draft.id, actor=actor)
    watch(case, request, by, actor, now)


def _before_the_answer(case: Case, by: datetime, now: datetime) -> None:
    """What comes after the answer is due helps nobody: no term waits for it (M3.4)."""
    running = case.final_term
    if case.terms.dates_bounded and running and now < running.ends and by > running.due:
        last = case.calendar.local_date(running.due)
        raise Refused(
            "information.too-late",
            f"the answer itself is due then; ask for it by {last} at the latest",
            field="by",
            rule="M3.4",
        )


def resolve(case: Case, order: Resolve, actor: Actor, now: datetime) -> None:
    """M3.4, M5.7: decide. The obligation is met when a channel accepts the letter, not before."""
    unanswered(case)
    if case.referred:
        raise Refused("resolve.referral-open", f"{case.referred.area} has not answered its referral yet", rule="M5.3")
    if case.open_incidents and not order.despite_incident:
        raise Refused(
            "resolve.incident-open",
            f"incident {case.open_incidents[0].n} is open; say why the case can be answered all the same",
            field="despite_incident",
            rule="M5.6",
        )
    hold(empty(order.outcome, order.draft.filled), code="gate.empty")
    hold(unanswered_points(remembered(case), order.answers), code="gate.points")
    hold(uncaused(case.terms.cause_outcomes, order.outcome, order.cause), code="gate.cause")
    drop_extension(case, now, why="answered")
    running = case.final_term
    letter = case.write(
        FINALS[order.outcome], now, meets=(running.n,) if running else (), draft=order.draft.id, actor=actor
    )
    tell_all_ways(case, letter)
    hold_back(case, letter, now)
    case.unread = 0
    case.final = FinalAnswer(outcome=order.outcome, letter=letter.key, decided_at=now, cause=order.cause)
    case.record(
        now,
        "case.resolved",
        actor=actor,
        rule="M5.7",
        outcome=order.outcome.value,
        letter=letter.key,
        draft=order.draft.id,
        draft_digest=order.draft.digest,
        answers=list(order.answers) or None,
        area=case.area,
        kind=case.kind.value,
        cause=order.cause.code if order.cause else None,
        taxonomy=order.cause.taxonomy if order.cause else None,
        texts=_despite(order),
    )


def _despite(order: Resolve) -> dict[str, str]:
    """Why it was decided in spite of what stood in the way."""
    reasons = {"despite_incident": order.despite_incident, "despite_language": order.despite_language}
    return {what: why for what, why in reasons.items() if why}


def withdraw(case: Case, order: Withdraw, actor: Actor, now: datetime) -> None:
    """Only the user withdraws, in writing; the letter confirms it within one business day."""
    unanswered(case)
    case.withdrawn_at = now
    case.record(
        now, "case.withdrawn", actor=actor, rule="M5.7", message=order.message, texts={"reasons": order.reasons}
    )
    drop_promises(case, now, actor, why="withdrawn by the user")
    owed = case.owe(
        ObligationKind.WITHDRAWAL,
        withdrawal_notice_due(case.terms, case.days(now), now),
        now,
        why="withdrawn",
        actor=actor,
    )
    # The letter quotes the user's message, so that whoever did not ask for it can object.
    case.write(LetterKind.WITHDRAWN, now, meets=(owed.n,), facts={"message": order.message}, actor=actor)


def reopen(case: Case, order: Reopen, actor: Actor, now: datetime) -> None:
    """New facts after the answer: a new reception with new terms; the former answer stands meanwhile."""
    if case.merged_into:
        raise Refused("reopen.merged", f"it goes on as {case.merged_into}")
    if case.window_ends is None and case.withdrawn_at is None:
        raise Refused("reopen.not-answered", "the case is open; nothing is to be reopened")
    received = order.received_at or now
    if received > now:
        raise Refused("reopen.future", "a reception cannot lie in the future", field="received_at")
    begin_again(case, received, actor, now, reasons=order.reasons)


def begin_again(case: Case, received: datetime, actor: Actor, now: datetime, *, reasons: str) -> None:
    """A new reception with new terms; empty `reasons` mean that the user simply wrote again."""
    for obligation in case.owed(ObligationKind.WITHDRAWAL):
        case.supersede(obligation, now, why="reopened", actor=actor)
        for letter in case.waiting():
            if obligation.n in letter.meets:
                case.void(letter, now, why="reopened")
    information_came(case, now)
    case.drop_proposal(now, why="reopened", actor=actor)
    case.final = case.withdrawn_at = case.window_ends = case.closed_at = None
    case.extensions = []
    case.unverify(now)
    case.unread = 0
    case.record(now, "case.reopened", actor=actor, rule="M3.1", received_at=received, texts={"reasons": reasons})
    tell_new_channel(case, now)
    first, final = promise(case, received, now, why="reopened", actor=actor)
    case.write(
        LetterKind.REOPENED,
        now,
        meets=(first.n,),
        tells=final.due,
        facts={"received": received.isoformat()},
        texts={"reasons": reasons},
        actor=actor,
    )


STAY = frozenset({ObligationKind.AUTHORITY_REPLY, ObligationKind.CHANNEL_CHANGE, ObligationKind.REMEDY})
"""What stays owed though no answer is."""


def drop_promises(
    case: Case, now: datetime, actor: Actor, *, why: str, keeps: frozenset[ObligationKind] = frozenset()
) -> None:
    """What only makes sense while an answer is owed falls away, and letters that announce it do not leave.

    What the authority is owed stays owed, and so does the word about a new channel: the next letter leaves there. A
    remedy stays promised until a supervisor withdraws it. `keeps` are the promises that stay besides.
    """
    drop_extension(case, now, why=why)
    case.drop_proposal(now, why=why, actor=actor)
    kept = {o.n for o in case.owed(*STAY, *keeps)}
    for letter in case.waiting():
        if letter.kind is LetterKind.AUTHORITY_REPLY:
            kept |= set(letter.meets)
        elif not kept & set(letter.meets):
            case.void(letter, now, why=why)
    for obligation in case.owed():
        if obligation.n not in kept:
            case.supersede(obligation, now, why=why, actor=actor)
    if case.escalated:
        case.escalation = case.escalated.model_copy(update={"ended_at": now})
    case.referrals = [r.model_copy(update={"withdrawn_at": now}) if r.open else r for r in case.referrals]


def unanswered(case: Case) -> None:
    """Refuse what only makes sense while no final answer is given or on its way."""
    if case.closed_at or case.withdrawn_at or case.merged_into:
        raise Refused("case.closed", "the case is closed; reopen it first")
    if case.final:
        raise Refused("case.answered", "the final answer is given or on its way; reopen the case first")
