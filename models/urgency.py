"""What cannot wait, such as a stolen account: found in the user's words or marked by hand, alarmed until somebody sees.

The words are policy, lines as `models.wording` reads them.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from models.alerting import alert_key
from models.alerts import Alert, AlertKind, Urgency
from models.case import Case
from models.case_orders import AcknowledgeUrgent, MarkUrgent
from models.errors import Refused
from models.inquiry import SYSTEM, Actor
from models.terms import Matter
from models.wording import sentences, standing


def urgent_matter(text: str, lines: Mapping[Matter, Iterable[str]]) -> Matter | None:
    """Return the first matter of which a line stands in the text, or None."""
    said = sentences(text)
    return next((matter for matter, wanted in lines.items() for _ in standing(said, wanted)), None)


def alarm(case: Case, matter: Matter, now: datetime, *, actor: Actor = SYSTEM, reasons: str = "") -> None:
    """Mark a case urgent; whoever is on shift is told at once, at any hour."""
    case.urgent = Urgency(matter=matter, at=now, next_at=now)
    case.record(now, "case.urgent", actor=actor, matter=matter, texts={"reasons": reasons} if reasons else None)


def notice_urgency(case: Case, matter: Matter | None, now: datetime) -> None:
    """A message speaks of something urgent: news unless the case is marked already."""
    if matter and matter in case.terms.urgent_matters and not case.urgent:
        alarm(case, matter, now)


def mark_urgent(case: Case, order: MarkUrgent, actor: Actor, now: datetime) -> None:
    """Somebody sees that it cannot wait; one that was seen to before is alarmed anew."""
    if case.closed_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    if order.matter not in case.terms.urgent_matters:
        known = ", ".join(case.terms.urgent_matters) or "none: the policy of this case knows no urgent matter"
        raise Refused("urgent.unknown-matter", f"one of {known}", field="matter")
    if case.alarming:
        raise Refused("urgent.marked", "it is marked and nobody has seen to it yet; acknowledge it")
    alarm(case, order.matter, now, actor=actor, reasons=order.reasons)


def acknowledge_urgent(case: Case, _order: AcknowledgeUrgent, actor: Actor, now: datetime) -> None:
    """Somebody sees to it: no further alarm is raised. The mark stays."""
    if case.urgent is None or not case.alarming:
        raise Refused("urgent.none", "nothing urgent waits to be acknowledged here")
    case.urgent = case.urgent.model_copy(update={"acknowledged_at": now})
    case.record(now, "urgent.acknowledged", actor=actor, matter=case.urgent.matter)


def raise_again(case: Case, now: datetime) -> None:
    """Raise the alarm, and again after the policy's minutes, each time to the next, until somebody acknowledges it."""
    urgent, waits = case.urgent, case.terms.urgent_minutes
    if urgent is None or not case.alarming or urgent.next_at > now or not waits:
        return
    wait = timedelta(minutes=waits[min(urgent.rounds, len(waits) - 1)])
    case.urgent = urgent.model_copy(update={"rounds": urgent.rounds + 1, "next_at": now + wait})
    again = Alert(
        key=alert_key(case, AlertKind.URGENT),
        kind=AlertKind.URGENT,
        about=f"urgent/{urgent.at.isoformat()}",
        reason=urgent.matter,
        area=case.area,
        order=case.terms.urgent_order,
        created_at=now,
        due=case.final_term.due if case.final_term else None,
    )
    case.alerts = [*case.alerts, again]
