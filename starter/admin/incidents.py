"""The built-in board of incidents over HTTP, which specialists use; those of other trackers are shown there too (M5.6).

Whatever changes is stored together with the signal that tells the case of it, so neither is ever known alone.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from models.area_work import OVER, IncidentState
from models.errors import ChannelError, Malformed, Refused
from models.incidents import incident_key, may_end
from models.inquiry import Actor, Area
from models.messages import Reasons
from models.tables import IncidentRow
from records import cases, incident_joins, incidents
from records.ids import new_id
from records.incident_words import News
from starter.admin.api import COMMANDING, ONE, READING, Here, IdempotencyKey, Reference, private
from starter.admin.case_views import checked
from starter.admin.desk import Desk
from starter.admin.incident_views import (
    BoardView,
    IncidentView,
    JoinedPageView,
    board_view,
    incident_view,
    joined_view,
)
from starter.admin.rights import Caller, OwnAreas, Sight, turned_down
from starter.admin.standing_in import stands_in
from starter.admin.tracker_word import take_in
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem
from trackers.builtin import BuiltIn
from trackers.registry import Trackers

Number = Annotated[int, Path(ge=1, le=9_999, description="The incident's number in its inquiry.", examples=[1])]


class MoveBody(BaseModel):
    """Where the incident stands from now on. `words` say what was found; an end wants them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: IncidentState
    words: Reasons | None = None


class CommentBody(BaseModel):
    """Something for the others, and for the case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Reasons = Field(examples=["The payment left the bank on 12 March."])


router = APIRouter(prefix="/api/incidents", tags=["incidents"], route_class=PlainJsonRoute, dependencies=[private])


@router.get("", responses=READING)
def board(
    desk: Here,
    _actor: Caller,
    eyes: Sight,
    *,
    reference: Annotated[str | None, Query(max_length=40, examples=["RX-7KQ4-M2PD"])] = None,
    state: IncidentState | None = None,
    open_: Annotated[bool | None, Query(alias="open", description="Those that are not over, or the others.")] = None,
    area: Annotated[Area | None, Query(examples=["operations"])] = None,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`before` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=incidents.MOST)] = 50,
) -> BoardView:
    """The incidents of all inquiries, the newest first."""
    wanted = None if reference is None else checked(reference)
    with desk.database.read() as session:
        rows = incidents.page(
            session, eyes=eyes, reference=wanted, state=state, open_=open_, area=area, before=before, limit=limit + 1
        )
        return board_view(session, list(rows), limit, eyes)


@router.get("/{reference}/{n}", responses=ONE)
def show(desk: Here, _actor: Caller, eyes: Sight, reference: Reference, n: Number) -> IncidentView:
    """One incident: what the specialists must know, and what was written beside it."""
    with desk.database.read() as session:
        return incident_view(session, _known(session, reference, n), eyes)


@router.get("/{reference}/{n}/cases", responses=ONE)
def joined(
    desk: Here,
    _actor: Caller,
    eyes: Sight,
    reference: Reference,
    n: Number,
    *,
    answerable: Annotated[bool | None, Query(description="Those that can be answered now, or the others.")] = None,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=incident_joins.MOST)] = 50,
) -> JoinedPageView:
    """The inquiries that joined an incident, the next due first, and which of them can be answered now."""
    with desk.database.read() as session:
        row = _known(session, reference, n)
        return joined_view(incident_joins.page(session, row, eyes, answerable=answerable, cursor=cursor, limit=limit))


@router.post("/{reference}/{n}/move", responses=COMMANDING)
def move(  # noqa: PLR0917  FastAPI hands each in by name
    desk: Here, actor: Caller, eyes: Sight, areas: OwnAreas, reference: Reference, n: Number, body: MoveBody
) -> IncidentView:
    """Say where an incident of the built-in board stands; its case learns of it. Its end is its area's word (M5.4)."""
    if body.state in OVER:
        if body.words is None:
            raise Malformed("incident.no-evidence", "say what was found: it is the case's evidence", field="words")
        _theirs(desk, actor, areas, checked(reference), n)
    now = desk.clock()
    with desk.database.write() as session:
        row = _ours(session, reference, n)
        incidents.changed(session, row, News(body.state, now, body.words or ""), actor=actor, now=now)
        view = incident_view(session, row, eyes)
    desk.wake()
    return view


@router.post("/{reference}/{n}/comments", responses=COMMANDING, status_code=HTTPStatus.CREATED)
def comment(
    *,
    desk: Here,
    actor: Caller,
    eyes: Sight,
    reference: Reference,
    n: Number,
    body: CommentBody,
    idempotency_key: IdempotencyKey = None,
) -> IncidentView:
    """Write beside an incident of the built-in board; the same request under its key writes once."""
    now, request = desk.clock(), idempotency_key or new_id("rq")
    with desk.database.write() as session:
        row = _ours(session, reference, n)
        if incidents.comment(session, row.key, body.text, now, actor=actor.id, request=request):
            said = News(IncidentState(row.state), now, body.text)
            incidents.changed(session, row, said, actor=actor, now=now)
        view = incident_view(session, row, eyes)
    desk.wake()
    return view


@router.post("/{reference}/{n}/refresh", responses=COMMANDING)
def refresh(request: Request, desk: Here, _actor: Caller, eyes: Sight, reference: Reference, n: Number) -> IncidentView:
    """Ask the tracker where the incident stands, where its own word seems to be lost."""
    trackers: Trackers = request.app.state.trackers
    with desk.database.read() as session:
        row = _known(session, reference, n)
    tracker = trackers.by_name.get(row.tracker)
    if tracker is None or not row.tracker_id:
        raise Refused("incident.not-there", "no tracker that is switched on has this incident yet", rule="M5.6")
    try:
        change = tracker.standing(row.tracker_id, desk.clock())
    except ChannelError as error:
        raise away(error) from None
    now = desk.clock()
    with desk.database.write() as session:
        row = incidents.get(session, row.key)
        if change is not None:
            take_in(session, row, tracker.name, change, now)
        view = incident_view(session, row, eyes)
    desk.wake()
    return view


AGAIN = {"Retry-After": "60"}


def away(error: ChannelError) -> Problem:
    """The tracker does not answer now."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "tracker.away", error.detail, headers=AGAIN)


def _theirs(desk: Desk, actor: Actor, areas: frozenset[Area], reference: str, n: int) -> None:
    """Refuse the end of an incident by the people of another area, and leave a line of it in the audit log."""
    today = desk.policy.whole_calendar().local_date(desk.clock())
    try:
        with desk.database.read() as session:
            row = _ours(session, reference, n)
            own = areas.union(stands_in(session, desk.policy, actor, today))
            known = cases.reference_exists(session, reference)
            terms = cases.load(session, reference).terms if known else desk.policy.terms()
            may_end(terms, row.area, actor, own)
    except Refused as refusal:
        turned_down(desk, actor, "incident.change", reference, refusal.code)
        raise


def _known(session: Session, reference: str, n: int) -> IncidentRow:
    try:
        return incidents.get(session, incident_key(checked(reference), n))
    except KeyError:
        raise Problem(HTTPStatus.NOT_FOUND, "incident.unknown", "no tracker was told of such an incident") from None


def _ours(session: Session, reference: str, n: int) -> IncidentRow:
    row = _known(session, reference, n)
    if row.tracker != BuiltIn.name:
        raise Refused("incident.elsewhere", f"it is kept in the tracker {row.tracker}; change it there", rule="M5.6")
    return row
