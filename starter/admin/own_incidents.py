"""An incident that no inquiry has: what broke for many stands on the board before anybody complains, and is joined.

On the built-in board it is opened here. In a tracker outside the specialists have opened it themselves, and it is named
here by its id there: so nothing is opened twice, and its word comes back like that of any other.
"""

import hashlib
import random
import secrets
from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from models.area_work import Incident
from models.errors import ChannelError, OperatorError, Refused
from models.incidents import BY_ITSELF, incident_key, known_matter
from models.inquiry import Actor, Area
from models.messages import Name, Reasons
from models.reference import new_reference
from models.terms import Matter
from records import incidents
from records.incidents import Link
from starter.admin.api import COMMANDING, Here, IdempotencyKey, private
from starter.admin.incident_views import IncidentView, incident_view
from starter.admin.incidents import away
from starter.admin.rights import Caller, Sight
from starter.admin.tracker_word import take_in
from starter.http.plain_json import PlainJsonRoute
from trackers.port import Change, Tracker
from trackers.registry import Trackers


class OwnIncidentBody(BaseModel):
    """What broke, for its area to mend; `text` names no user. `tracker_id`: a tracker outside has it under that id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    area: Area
    matter: Matter
    text: Reasons = Field(examples=["No withdrawal leaves since 14:02."])
    tracker_id: Name | None = None


router = APIRouter(prefix="/api/incidents", tags=["incidents"], route_class=PlainJsonRoute, dependencies=[private])


@router.post("", responses=COMMANDING, status_code=HTTPStatus.CREATED)
def open_own(
    *,
    request: Request,
    desk: Here,
    actor: Caller,
    eyes: Sight,
    body: OwnIncidentBody,
    idempotency_key: IdempotencyKey = None,
) -> IncidentView:
    """Have an incident that no inquiry has; the same request under its key opens one."""
    known_matter(desk.policy.tracker.matters, body.matter)
    if body.area not in desk.policy.areas:
        areas = ", ".join(desk.policy.areas)
        raise Refused("incident.unknown-area", f"one of {areas} is needed", field="area", rule="M5.4")
    trackers: Trackers = request.app.state.trackers
    tracker, now = trackers.by_name[trackers.use], desk.clock()
    if tracker.outside != bool(body.tracker_id):
        words = f"open it in {tracker.name}, and name its id there" if tracker.outside else "the board gives its own id"
        raise Refused("incident.elsewhere", words, field="tracker_id", rule="M5.6")
    change = _ask(tracker, body.tracker_id, now) if body.tracker_id else None
    reference = _reference(actor, idempotency_key)
    key = incident_key(reference, 1)
    link = Link(change.id, change.url) if change else Link(body.tracker_id or key, "")
    with desk.database.write() as session:
        row = incidents.named(session, tracker.name, key=key, tracker_id=link.id)
        if row and row.key != key:
            raise Refused("incident.known", "an incident with that id is on the board", field="tracker_id", rule="M5.6")
        if row is None:
            new = Incident(n=1, area=body.area, matter=body.matter, draft="", opened_at=now)
            title = desk.policy.tracker.title(reference, 1, body.matter)
            incidents.place(session, new, key=key, reference=reference, tracker=tracker.name, title=title)
            incidents.comment(session, key, body.text, now, actor=actor.id, request=reference)
            row = incidents.linked(session, key, link, now)
        if change:
            take_in(session, row, tracker.name, change, now)
        view = incident_view(session, row, eyes)
    desk.wake()
    return view


def _ask(tracker: Tracker, id_: str, now: datetime) -> Change | None:
    """Where it stands there; None where nobody can be asked."""
    try:
        return tracker.standing(id_, now)
    except OperatorError as error:
        raise Refused("incident.not-there", error.detail, field="tracker_id", rule="M5.6") from None
    except ChannelError as error:
        raise away(error) from None


def _reference(actor: Actor, key: str | None) -> str:
    """A reference of its own, which no inquiry bears: the same for the same request."""
    if key is None:
        return new_reference(BY_ITSELF, secrets.SystemRandom())
    seed = hashlib.sha256(f"incident {actor.id} {key}".encode()).digest()
    return new_reference(BY_ITSELF, random.Random(seed))  # noqa: S311  a name, and no secret
