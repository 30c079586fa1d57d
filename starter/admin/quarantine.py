"""What came in and is not where it belongs, over HTTP: the inbox and the quarantine."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from models.messages import Id
from records import case_list, messages, visibility
from starter.admin.api import COMMANDING, READING, Here, private
from starter.admin.inbox import InboxView, inbox
from starter.admin.message_views import Promotion, QuarantineView, message_views
from starter.admin.rights import Caller, Sight, unnamed
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem

router = APIRouter(prefix="/api", route_class=PlainJsonRoute, dependencies=[private])


@router.get("/inbox", tags=["quarantine"], responses=READING)
def waiting(desk: Here, _actor: Caller, eyes: Sight) -> InboxView:
    """Show what came in and is not where it belongs yet, and what somebody must look into."""
    with desk.database.read() as session:
        view = inbox(session, desk.clock(), visibility.unseen(session, eyes))
        opened = visibility.open_grants(session, desk.clock())
    if eyes.actor not in desk.policy.rights.break_glass.alarms:
        return view
    broken = (f"{one.reference}: {one.actor} broke the glass, open until {one.until.isoformat()}" for one in opened)
    return view.model_copy(update={"alarms": (*broken, *view.alarms)})


@router.get("/quarantine", tags=["quarantine"], responses=READING)
def quarantine(
    desk: Here, _actor: Caller, eyes: Sight, *, limit: Annotated[int, Query(ge=1, le=case_list.MOST)] = 50
) -> QuarantineView:
    """Automatic replies, bounces and suspected loops that wait for a person, the oldest first."""
    with desk.database.read() as session:
        unseen = visibility.unseen(session, eyes)
        held = [row for row in messages.quarantined(session, limit) if row.reference not in unseen]
        return QuarantineView(items=message_views(session, held))


@router.post("/quarantine/{message}/promote", tags=["quarantine"], responses=COMMANDING)
def promote(desk: Here, actor: Caller, eyes: Sight, message: Id) -> Promotion:
    """It was a person after all: the message opens an inquiry, or joins its own, with its original reception."""
    try:
        with desk.database.read() as session:
            hidden = visibility.hidden(session, messages.get(session, message).reference or "", eyes)
        receipt = None if hidden else unnamed(desk, eyes, desk.intake.promote(message, actor=actor))
    except KeyError:
        receipt = None
    if receipt is None:
        raise Problem(HTTPStatus.NOT_FOUND, "message.unknown", "nothing in quarantine bears that id")
    return Promotion.model_validate(receipt)
