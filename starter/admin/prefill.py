"""A draft of the answer to a case whose incident is over: facts alone, point by point, for somebody to word (M5.6).

Nothing of it is kept, and nothing leaves by itself. The incident's key names another user's inquiry, and what the
specialists wrote may name users: neither stands in the draft.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter
from pydantic import AwareDatetime
from sqlmodel import Session

from activities.letters.words import Speech
from models.area_work import OVER, Incident, IncidentState
from models.case import Case
from models.incidents import incident_key
from models.inquiry import Language
from records import cases, incident_words
from starter.admin.api import ONE, Here, Reference, private
from starter.admin.case_views import checked
from starter.admin.points import points_of
from starter.admin.rights import Caller
from starter.admin.views import View
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem

FACTS: Mapping[tuple[Language, IncidentState], str] = {
    (
        Language.ES,
        IncidentState.RESOLVED,
    ): "La incidencia de la que trata su caso, abierta el {opened}, quedó resuelta: {ended}.",
    (
        Language.ES,
        IncidentState.REJECTED,
    ): "La incidencia de la que trata su caso, abierta el {opened}, se cerró sin que se confirmara una falla: {ended}.",
    (Language.EN, IncidentState.RESOLVED): "The incident that your case is about, opened on {opened}, was resolved: "
    "{ended}.",
    (
        Language.EN,
        IncidentState.REJECTED,
    ): "The incident that your case is about, opened on {opened}, was closed without a fault being confirmed: {ended}.",
}
"""What is known of an end, and no more."""


class EndedIncident(View):
    """An incident that is over; `words` and `outcome` are the specialists' own, for colleagues and not for users."""

    n: int
    state: str
    opened_at: AwareDatetime
    ended_at: AwareDatetime
    words: str
    outcome: str


class PrefilledPoint(View):
    """A point with an answer to begin with; `id` where the case keeps it."""

    id: str | None
    point: str
    answer: str


class Prefilled(View):
    """The body of `resolve` but for its outcome, which whoever answers decides."""

    points: tuple[PrefilledPoint, ...]
    actions: tuple[str, ...]


class PrefillView(View):
    """A draft to be edited, in the user's language, and what it rests on."""

    language: str
    incidents: tuple[EndedIncident, ...]
    draft: Prefilled


router = APIRouter(prefix="/api", route_class=PlainJsonRoute, dependencies=[private])


@router.get("/inquiries/{reference}/prefill", tags=["inquiries"], responses=ONE)
def prefill(desk: Here, _actor: Caller, reference: Reference) -> PrefillView:
    """A draft of the final answer, prefilled with the outcome of the incidents that the inquiry had or joined."""
    with desk.database.read() as session:
        case = cases.load(session, checked(reference))
        ended = [one for one in case.incidents if one.state in OVER and not one.left_at]
        if not ended:
            words = "no incident of this inquiry is over"
            raise Problem(HTTPStatus.NOT_FOUND, "prefill.none", words, rule="M5.6")
        facts = tuple(_facts(one, case.language, desk.policy.calendar_settings.zone) for one in ended)
        return PrefillView(
            language=case.language.value,
            incidents=tuple(_ended(session, case, one) for one in ended),
            draft=Prefilled(points=_points(session, case, "\n".join(facts)), actions=facts),
        )


def _points(session: Session, case: Case, answer: str) -> tuple[PrefilledPoint, ...]:
    """Those that are kept; where nobody has kept any yet, those that the messages seem to raise."""
    raised = points_of(session, case)
    if kept := [one for one in raised.points if not one.dropped]:
        return tuple(PrefilledPoint(id=one.id, point=one.point, answer=answer) for one in kept)
    return tuple(PrefilledPoint(id=None, point=one.point, answer=answer) for one in raised.proposed)


def _facts(incident: Incident, language: Language, zone: str) -> str:
    spoken = (Language.ES, Language.EN) if language is Language.BOTH else (language,)
    return "\n".join(
        FACTS[one, incident.state].format(
            opened=Speech(one, zone).day(incident.opened_at), ended=Speech(one, zone).moment(_end(incident))
        )
        for one in spoken
    )


def _ended(session: Session, case: Case, incident: Incident) -> EndedIncident:
    said = incident_words.last(session, incident.joined or incident_key(case.reference, incident.n))
    return EndedIncident(
        n=incident.n,
        state=incident.state.value,
        opened_at=incident.opened_at,
        ended_at=_end(incident),
        words=said.words,
        outcome=said.outcome,
    )


def _end(incident: Incident) -> datetime:
    return incident.changed_at or incident.opened_at
