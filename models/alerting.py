"""Which fact wants a colleague told, who is asked in turn, and when they may be: everything read off a case, pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from models.alerts import Alert, AlertKind
from models.ledger import Fact
from models.letters import LetterState
from models.standing import Standing
from models.terms import Place


@dataclass(frozen=True)
class Want:
    """What a fact wants: the topic, which of its data tells one matter from another and which says what it is about.

    `order` is who is asked where that is not the policy's own order of reminders.
    """

    kind: AlertKind
    topic: str
    by: str
    reason: str
    order: tuple[Place, ...] = ()


OF_THE_AREA: tuple[Place, ...] = ("representative", "deputy", "supervisor")
STAND_INS: tuple[Place, ...] = ("deputy", "supervisor")
APPROVERS: tuple[Place, ...] = ("representative", "deputy", "compliance")

WANTS = {
    "obligation.warned": Want(AlertKind.REMINDER, "obligation", "n", "kind"),
    "obligation.missed": Want(AlertKind.REMINDER, "missed", "n", "kind"),
    "referral.reminded": Want(AlertKind.REMINDER, "referral", "area", "area", OF_THE_AREA),
    "referral.escalated": Want(AlertKind.REMINDER, "escalated", "area", "area", STAND_INS),
    "command.proposed": Want(AlertKind.APPROVAL_DUE, "proposal", "", "command", APPROVERS),
    "follow-up.due": Want(AlertKind.FOLLOW_UP, "follow-up", "follow_up", "set_by"),
    "information.due": Want(AlertKind.INFORMATION_DUE, "information", "request", "until"),
    "letter.undeliverable": Want(AlertKind.UNDELIVERABLE, "letter", "key", "key"),
}
"""The facts of which a colleague is told. Of what is urgent `models.urgency` tells."""


OF_THE_AGENDA = frozenset({AlertKind.FOLLOW_UP, AlertKind.INFORMATION_DUE})
"""What is told only under terms that say so: cases of old have such facts, and nobody was told."""


def alerts_for(case: Standing, fact: Fact) -> list[Alert]:
    """The alerts that a fact calls for; none under terms without reminders, as cases were opened before there were any.

    Of a proposal somebody is told at once, and the next approver some business days before the answer is due.
    """
    want = WANTS.get(fact.type)
    if want is None or not case.terms.reminders:
        return []
    if want.kind in OF_THE_AGENDA and not case.terms.agenda_reminders:
        return []
    alert = Alert(
        key=alert_key(case, want.kind),
        kind=want.kind,
        about=f"{want.topic}/{_which(case, want, fact)}",
        reason=_reason(want, fact),
        area=fact.data.get("area") or case.area,
        order=want.order or case.terms.reminders,
        created_at=fact.at,
        due=_due(case, fact),
    )
    if want.kind is not AlertKind.APPROVAL_DUE:
        return [alert]
    alert = alert.model_copy(update={"spared": (fact.actor.id,)})
    later = before_due(case, alert.due, fact.at)
    if later is None:
        return [alert]
    second = {"key": alert_key(case, want.kind, further=1), "not_before": later}
    return [alert, alert.model_copy(update=second)]


def alert_key(case: Standing, kind: AlertKind, *, further: int = 0) -> str:
    """Name an alert for ever: `<reference>/<kind>/<n>`."""
    n = 1 + further + sum(1 for one in case.alerts if one.kind == kind)
    return f"{case.reference}/{kind}/{n}"


def before_due(case: Standing, due: datetime | None, at: datetime) -> datetime | None:
    """When the approvers are told again: that many business days before the due date, if that is still to come."""
    if due is None:
        return None
    calendar = case.days(due)
    day = calendar.before(calendar.local_date(due), case.terms.approvers_before)
    moment = calendar.at(day, case.terms.working_hour)
    return moment if moment > at else None


def telling_time(case: Standing, now: datetime, due: datetime | None) -> datetime:
    """When a colleague may be told: now in working hours, else when the next ones begin.

    Never at night or on closed days, unless the term ends before the next working hour.
    """
    calendar, terms = case.days(now), case.terms
    today = calendar.local_date(now)
    open_today = calendar.is_business_day(today)
    if open_today and calendar.at(today, terms.working_hour) <= now < calendar.at(today, terms.quiet_hour):
        return now
    early = open_today and now < calendar.at(today, terms.working_hour)
    morning = calendar.at(today if early else calendar.after(today, 1), terms.working_hour)
    return now if due is not None and now <= due < morning else morning


REASONS: dict[str, Callable[[Standing, str], bool]] = {
    "obligation": lambda case, n: case.obligations[int(n) - 1].open and not case.obligations[int(n) - 1].missed_at,
    "missed": lambda case, n: case.obligations[int(n) - 1].open,
    "proposal": lambda case, at: case.proposal is not None and case.proposal.at.isoformat() == at,
    "letter": lambda case, key: any(one.key == key and one.address is None for one in case.waiting()),
    "referral": lambda case, at: any(r.opened_at.isoformat() == at and r.open for r in case.referrals),
    "escalated": lambda case, at: any(r.opened_at.isoformat() == at and r.open for r in case.referrals),
    "follow-up": lambda case, n: any(str(one.n) == n for one in case.noted),
    "information": lambda case, n: any(str(one.n) == n for one in case.unheard),
    "urgent": lambda case, at: case.alarming and case.urgent is not None and case.urgent.at.isoformat() == at,
}
"""For each topic, whether the reason of an alert about it is still there."""


def holds(case: Standing, alert: Alert) -> bool:
    """Whether the reason of an alert is still there; one whose reason is gone never leaves."""
    topic, _, which = alert.about.partition("/")
    return not case.ended and REASONS[topic](case, which)


def tried(case: Standing, about: str) -> tuple[str, ...]:
    """Who has been told of a matter, or could not be reached."""
    return tuple(dict.fromkeys(one.to for one in case.alerts if one.about == about and one.to))


def next_alert(case: Standing) -> datetime | None:
    """When alerts next want attention: one is new, one has been held long enough, or an alarm is raised again."""
    times = [one.not_before or one.created_at for one in case.alerts if one.state is LetterState.OWED and not one.ready]
    if case.urgent and case.alarming and case.terms.urgent_minutes:
        times.append(case.urgent.next_at)
    return min(times, default=None)


def _which(case: Standing, want: Want, fact: Fact) -> str:
    """What tells one matter from another; an area may be asked again, which is another matter."""
    if want.by != "area":
        return str(fact.data.get(want.by) or fact.at.isoformat())
    return next(r.opened_at.isoformat() for r in reversed(case.referrals) if r.area == fact.data["area"])


def _reason(want: Want, fact: Fact) -> str:
    """What the alert is about, in a code: a letter's kind is the middle of its key."""
    value = str(fact.data.get(want.reason, ""))
    return value.split("/")[1] if want.reason == "key" else value


def _due(case: Standing, fact: Fact) -> datetime | None:
    if due := fact.data.get("due"):
        return datetime.fromisoformat(due)
    return case.final_term.due if case.final_term else None
