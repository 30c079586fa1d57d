"""Dates on which a colleague looks at a case again. A case with one that is not done does not close."""

from datetime import datetime

from models.agenda import FollowUp
from models.case import Case
from models.dates import moment
from models.desk_orders import FollowUpDone, SetFollowUp
from models.errors import Refused
from models.inquiry import Actor
from models.messages import When


def follow_up(case: Case, order: SetFollowUp, actor: Actor, now: datetime) -> None:
    """M5.5: somebody will look again; a bare date means the working hour of that business day, or of the next one."""
    if case.closed_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    at = _hour(case, order.on, now)
    if at <= now:
        raise Refused("follow.past", "the date lies in the past", field="on")
    new = FollowUp(n=len(case.follow_ups) + 1, at=at, set_by=actor.id)
    case.follow_ups.append(new)
    case.record(now, "follow-up.set", actor=actor, rule="M5.5", follow_up=new.n, until=at, texts={"note": order.note})


def follow_up_done(case: Case, order: FollowUpDone, actor: Actor, now: datetime) -> None:
    """M5.5: somebody has looked."""
    known = next((one for one in case.follow_ups if one.n == order.follow_up), None)
    if known is None:
        raise Refused("follow.unknown", f"this case has no follow-up {order.follow_up}", field="follow_up")
    if known.done_at:
        raise Refused("follow.done", "it is done already", field="follow_up")
    _put(case, known, done_at=now)
    texts = {"note": order.note} if order.note else {}
    case.record(now, "follow-up.done", actor=actor, rule="M5.5", follow_up=known.n, texts=texts)


def call_up(case: Case, now: datetime) -> None:
    """The date has come: the owner is to look at the case."""
    for one in case.noted:
        if one.at <= now and one.due_at is None:
            _put(case, one, due_at=now)
            case.record(now, "follow-up.due", rule="M5.5", follow_up=one.n, owner=case.owner, set_by=one.set_by)


def _hour(case: Case, when: When, now: datetime) -> datetime:
    at = moment(case, when, now, field="on")
    if isinstance(when, datetime):
        return at
    days = case.days(now)
    day = when if days.is_business_day(when) else days.after(when, 1)
    return days.at(day, case.terms.working_hour)


def _put(case: Case, one: FollowUp, **changes: object) -> None:
    case.follow_ups[one.n - 1] = one.model_copy(update=changes)
