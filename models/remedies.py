"""Remedies promised to a user: what, how much and by when (M3.8). Done is what somebody confirms and a letter says."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from pydantic import AwareDatetime

from models.case import Case
from models.dates import moment
from models.desk_orders import PromiseRemedy, RemedyDone, RemedyWithdrawn
from models.due_dates import warnings
from models.episodes import Remedy
from models.errors import Refused
from models.inquiry import Actor, Role
from models.letters import LetterKind
from models.obligations import Obligation, ObligationKind
from models.verifying import speaks_for


def wants_approval(case: Case, order: PromiseRemedy) -> bool:
    """Whether a second person must agree: above the policy's amount, and in any currency that it does not name."""
    if order.amount is None or order.currency is None:
        return False
    limit = case.terms.remedy_approval_above.get(order.currency)
    return limit is None or Decimal(order.amount) > Decimal(limit)


def known_kind(kinds: Collection[str], kind: str | None) -> None:
    """Refuse a kind of remedy that the policy does not name: what was paid is counted by it."""
    if kind is not None and kind not in kinds:
        raise Refused("remedy.unknown-kind", f"one of {', '.join(kinds)} is needed", field="kind", rule="M3.8")


def promise_remedy(case: Case, order: PromiseRemedy, actor: Actor, now: datetime) -> None:
    """M3.8: a promise with a date of its own, which the final answer tells; the case stays open until it is kept."""
    if case.closed_at or case.merged_into:
        raise Refused("case.closed", "the case is closed; reopen it first")
    if (order.amount is None) != (order.currency is None):
        raise Refused("remedy.currency", "an amount and its currency go together", field="currency", rule="M3.8")
    by = moment(case, order.by, now, field="by")
    if by <= now:
        raise Refused("remedy.past", "the date lies in the past", field="by", rule="M3.8")
    days = warnings(case.terms, case.days(now), by, case.terms.remedy_warnings)
    n = len(case.remedies) + 1
    owed = case.owe(ObligationKind.REMEDY, by, now, why="promised", actor=actor, subject=f"remedy/{n}", warnings=days)
    new = Remedy(
        n=n,
        obligation=owed.n,
        what=order.what,
        kind=order.kind or "",
        amount=order.amount or "",
        currency=order.currency or "",
        promised_at=now,
        by=actor,
    )
    case.remedies.append(new)
    case.record(
        now,
        "remedy.promised",
        actor=actor,
        rule="M3.8",
        remedy=n,
        kind=order.kind,
        amount=new.sum or None,
        due=by,
        texts={"what": order.what},
    )


def remedy_done(case: Case, order: RemedyDone, actor: Actor, now: datetime) -> None:
    """M3.8: it is paid, or put right; the promise is met once a channel has taken the letter that says so."""
    remedy = _open(case, order.remedy)
    area = case.terms.remedy_area
    theirs = area in case.terms.representatives and speaks_for(case.terms, area, actor, order.stands_in)
    if not theirs and actor.role is not Role.SUPERVISOR:
        raise Refused(
            "remedy.not-theirs",
            f"only the representative of {area or 'an area'}, the deputy or a supervisor confirms it",
            rule="M5.4",
        )
    today = case.calendar.local_date(now)
    day = order.on or today
    if not case.calendar.local_date(remedy.promised_at) <= day <= today:
        raise Refused("remedy.day", "it was done after it was promised, and not ahead", field="on", rule="M3.8")
    _put(case, remedy, done_at=now)
    texts = {"evidence": order.evidence}
    case.record(now, "remedy.done", actor=actor, rule="M3.8", remedy=remedy.n, on=day, texts=texts)
    facts = {"done": day.isoformat()} | ({"amount": remedy.sum} if remedy.sum else {})
    case.write(
        LetterKind.REMEDY_DONE,
        now,
        meets=(remedy.obligation,),
        facts=facts,
        texts={"what": remedy.what},
        actor=actor,
    )


def remedy_withdrawn(case: Case, order: RemedyWithdrawn, actor: Actor, now: datetime) -> None:
    """M3.8: a supervisor takes a promise back, with reasons; the user is told by whoever does it."""
    remedy = _open(case, order.remedy)
    if actor.role is not Role.SUPERVISOR:
        raise Refused("remedy.supervisor", "only a supervisor withdraws what was promised", rule="M3.8")
    _put(case, remedy, withdrawn_at=now)
    case.supersede(_owed(case, remedy), now, why="the remedy is withdrawn", actor=actor)
    texts = {"reasons": order.reasons}
    case.record(now, "remedy.withdrawn", actor=actor, rule="M3.8", remedy=remedy.n, texts=texts)


def told(case: Case) -> dict[str, str]:
    """What a final answer says of the remedies that are promised; nothing where there is none."""
    due = {one.n: case.calendar.local_date(_owed(case, one).due).isoformat() for one in case.open_remedies}
    if not due:
        return {}
    if len(due) == 1:
        (only,) = case.open_remedies
        return {"what": only.what, "by": due[only.n]} | ({"amount": only.sum} if only.sum else {})
    each = (f"{one.what} ({', '.join(filter(None, (one.sum, due[one.n])))})" for one in case.open_remedies)
    return {"what": "; ".join(each)}


def _open(case: Case, n: int) -> Remedy:
    known = next((one for one in case.remedies if one.n == n), None)
    if known is None:
        raise Refused("remedy.unknown", f"this case has no remedy {n}", field="remedy", rule="M3.8")
    if not known.open:
        raise Refused("remedy.over", "it is done or withdrawn already", field="remedy", rule="M3.8")
    return known


def _owed(case: Case, remedy: Remedy) -> Obligation:
    return case.obligations[remedy.obligation - 1]


def _put(case: Case, one: Remedy, **changes: AwareDatetime) -> None:
    case.remedies[one.n - 1] = one.model_copy(update=changes)
