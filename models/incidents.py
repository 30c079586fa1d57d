"""Incidents: what goes to a specialised team through the incident tool, and what comes back as evidence (M5.6).

The case decides and remembers; an activity tells the tracker, and the tracker's own changes come back as a signal.
"""

from collections.abc import Collection
from datetime import datetime

from models.answering import require
from models.area_work import OVER, Incident, IncidentState
from models.arrivals import IncidentChanged
from models.case import Case
from models.case_orders import CloseIncident, OpenIncident
from models.errors import Refused
from models.inquiry import Actor, Area, Role
from models.terms import Matter, Terms
from models.verifying import speaks_for
from models.work import Told

OUTRANKING = frozenset({Role.SUPERVISOR, Role.SYSTEM})
"""A supervisor, and a tracker's own word, end the incidents of every area."""

BY_ITSELF = "INC"
"""The prefix of an incident that no inquiry has; it takes the place of an inquiry's reference in its key."""


def incident_key(reference: str, n: int) -> str:
    """Return the name under which any tracker finds an incident again: `RX-7KQ4-M2PD/inc-1`."""
    return f"{reference}/inc-{n}"


def known_matter(matters: Collection[Matter], matter: Matter) -> None:
    """Refuse a matter that the policy does not name: an incident's title is made of it."""
    if matter not in matters:
        raise Refused("incident.unknown-matter", f"one of {', '.join(matters)} is needed", field="matter", rule="M5.6")


def may_end(terms: Terms, area: Area, actor: Actor, own_areas: Collection[Area]) -> None:
    """Refuse an end that is not theirs to know: it is the word of the area that the incident went to (M5.4).

    `own_areas` are those the actor works for, or stands in for today.
    """
    if not terms.incidents_by_area or actor.role in OUTRANKING or speaks_for(terms, area, actor, own_areas):
        return
    raise Refused("incident.not-theirs", f"only somebody of {area}, or a supervisor, says how it ended", rule="M5.4")


def open_incident(case: Case, order: OpenIncident, actor: Actor, now: datetime) -> None:
    """M5.6: a specialised team takes up a matter; the terms run on."""
    if case.closed_at or case.withdrawn_at or case.merged_into:
        raise Refused("case.closed", "the case is closed; reopen it first")
    if order.area not in case.terms.areas:
        raise Refused(
            "incident.unknown-area", f"one of {', '.join(case.terms.areas)} is needed", field="area", rule="M5.4"
        )
    require(order.draft, ("text",), "M5.6")
    new = Incident(n=len(case.incidents) + 1, area=order.area, matter=order.matter, draft=order.draft.id, opened_at=now)
    case.incidents.append(new)
    case.record(
        now,
        "incident.opened",
        actor=actor,
        rule="M5.6",
        incident=new.n,
        area=new.area,
        matter=new.matter,
        draft=order.draft.id,
        draft_digest=order.draft.digest,
    )


def close_incident(case: Case, order: CloseIncident, actor: Actor, now: datetime) -> None:
    """M5.6: the outcome is known here first; the tracker is told, and the evidence joins the case."""
    incident = known_incident(case, order.incident)
    if incident.joined:
        raise Refused(
            "incident.not-own",
            "this case has only joined it; its tracker says when it is over, or leave it",
            field="incident",
            rule="M5.6",
        )
    if incident.over:
        raise Refused("incident.closed", f"it is {incident.state.value} already", field="incident", rule="M5.6")
    may_end(case.terms, incident.area, actor, order.stands_in)
    state = IncidentState(order.outcome)
    put_incident(case, incident, state=state, changed_at=now, closed_here=True, told_at=None)
    texts = {"evidence": order.evidence}
    case.record(now, "incident.closed", actor=actor, rule="M5.6", incident=incident.n, state=state.value, texts=texts)


def incident_changed(case: Case, order: IncidentChanged, actor: Actor, now: datetime) -> None:
    """M5.6: the tracker's word on where an incident stands; the specialists' words are evidence.

    What is older than the last change says nothing about the state any more, and an end that was decided here is not
    decided again by its echo. Of an incident that the case has left it hears no more.
    """
    incident = known_incident(case, order.incident)
    if incident.left_at:
        return
    at = max(incident.opened_at, min(order.at, now))
    old = incident.changed_at is not None and at < incident.changed_at
    echo = order.state is incident.state or (incident.closed_here and order.state in OVER)
    texts = {"words": order.words} if order.words else {}
    if not (old or echo):
        put_incident(case, incident, state=order.state, changed_at=at, closed_here=False, told_at=None)
        what = "incident.closed" if order.state in OVER else "incident.changed"
        texts |= {"outcome": order.outcome} if order.outcome else {}
    elif texts:
        what = "incident.noted"
    else:
        return
    case.record(at, what, actor=actor, rule="M5.6", incident=incident.n, state=order.state.value, texts=texts)


def tracked(case: Case, told: Told, now: datetime) -> None:
    """M5.6: the tracker knows the incident, or its end."""
    incident = known_incident(case, told.n)
    if told.id and incident.linked_at is None:
        incident = put_incident(case, incident, tracker=told.tracker, id=told.id, url=told.url, linked_at=told.at)
        case.record(
            now,
            "incident.linked",
            rule="M5.6",
            incident=incident.n,
            tracker=told.tracker,
            id=told.id,
            url=told.url or None,
        )
    if told.over and incident.over and incident.untold:
        put_incident(case, incident, told_at=told.at)
        case.record(now, "incident.told", rule="M5.6", incident=incident.n, state=incident.state.value)


def known_incident(case: Case, n: int) -> Incident:
    """Return an incident of the case. Raises Refused."""
    incident = case.incident(n)
    if incident is None:
        raise Refused("incident.unknown", f"this case has no incident {n}", field="incident", rule="M5.6")
    return incident


def put_incident(case: Case, incident: Incident, **changes: object) -> Incident:
    """Replace how an incident stands, and return it."""
    changed = incident.model_copy(update=changes)
    case.incidents[incident.n - 1] = changed
    return changed
