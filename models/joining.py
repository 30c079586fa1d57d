"""Mass incidents: a case that joins one which the tracker has already, and leaves it again (M5.6).

It stands to it as to one of its own: while it is open no final answer leaves, and its outcome is the case's evidence.
Only whoever has it, and its tracker, says when it is over. Each case keeps its terms and gets an answer of its own.
"""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from models.area_work import Incident, IncidentState
from models.case import Case
from models.errors import Refused
from models.incidents import incident_key, known_incident, put_incident
from models.inquiry import Actor, Area
from models.messages import Number, Order, Reasons
from models.terms import Matter

IncidentKey = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,6}-[0-9A-Z]{4}-[0-9A-Z]{4}/inc-[1-9][0-9]{0,3}$")]
"""What an incident is called everywhere: `RX-7KQ4-M2PD/inc-1`."""


def incident_as_we_write_it(text: object) -> object:
    """Write the reference in an incident's key in capitals, as it is."""
    reference, slash, number = text.strip().partition("/") if isinstance(text, str) else ("", "", "")
    return f"{reference.upper()}/{number.lower()}" if slash else text


class JoinIncident(Order):
    """This case is about an incident that the tracker has already; `incident` is its key.

    The rest is how it stands by our own records, and the last that was said of it. `heard` numbers that last word:
    what is said later is told to the case as news.
    """

    incident: IncidentKey
    area: Area
    matter: Matter
    state: IncidentState
    opened_at: AwareDatetime
    changed_at: AwareDatetime
    heard: Annotated[int, Field(ge=0)]
    words: Reasons | None = None
    outcome: Reasons | None = None


class LeaveIncident(Order):
    """It was joined by mistake; `incident` is its number in this case."""

    incident: Number
    reasons: Reasons


def join_incident(case: Case, order: JoinIncident, actor: Actor, now: datetime) -> None:
    """Take part in an incident; one that is over brings its outcome along at once, as evidence."""
    if case.closed_at or case.withdrawn_at or case.merged_into:
        raise Refused("case.closed", "the case is closed; reopen it first")
    for one in case.incidents:
        if one.left_at is None and order.incident == (one.joined or incident_key(case.reference, one.n)):
            raise Refused("incident.joined", f"it is incident {one.n} of this case", field="incident", rule="M5.6")
    new = Incident(
        n=len(case.incidents) + 1,
        area=order.area,
        matter=order.matter,
        draft="",
        opened_at=order.opened_at,
        joined=order.incident,
        state=order.state,
        changed_at=order.changed_at,
    )
    case.incidents.append(new)
    said = {"words": order.words, "outcome": order.outcome}
    case.record(
        now,
        "incident.joined",
        actor=actor,
        rule="M5.6",
        incident=new.n,
        key=new.joined,
        area=new.area,
        matter=new.matter,
        state=new.state.value,
        heard=order.heard,
        texts={what: text for what, text in said.items() if text},
    )


def leave_incident(case: Case, order: LeaveIncident, actor: Actor, now: datetime) -> None:
    """The incident concerns this case no longer; what it brought stays in the ledger."""
    incident = known_incident(case, order.incident)
    if not incident.joined or incident.left_at:
        raise Refused(
            "incident.not-joined", "this case has not joined it, or has left it", field="incident", rule="M5.6"
        )
    put_incident(case, incident, left_at=now)
    case.record(
        now,
        "incident.left",
        actor=actor,
        rule="M5.6",
        incident=incident.n,
        key=incident.joined,
        texts={"reasons": order.reasons},
    )
