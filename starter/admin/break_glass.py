"""`POST /api/break-glass`: an inquiry that is hidden from somebody, opened to them to read, for a while.

It is a policy, not a back door: `[rights.break_glass]` says who may, for how long, and whom it alarms. It leaves a line
in the audit log and a fact in the inquiry's timeline.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Body
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from models.errors import UnknownInquiry
from models.inquiry import Actor
from models.messages import Reasons
from records import audit, case_list, dispatches, visibility
from records.audit import Outcome
from starter.admin.api import COMMANDING, Here, private
from starter.admin.case_views import checked
from starter.admin.desk import Desk
from starter.admin.rights import Caller, Sight
from starter.admin.views import View
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem

ACTION = "access.break-glass"

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Broken(BaseModel):
    """Which inquiry, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reference: Annotated[str, StringConstraints(max_length=40)]
    reasons: Reasons


class Opened(View):
    """Until when it is open to read."""

    reference: str
    until: AwareDatetime


router = APIRouter(prefix="/api/break-glass", tags=["access"], route_class=PlainJsonRoute, dependencies=[private])


@router.post("", status_code=HTTPStatus.CREATED, responses=COMMANDING)
def break_glass(desk: Here, actor: Caller, eyes: Sight, wanted: Annotated[Broken, Body()]) -> Opened:
    """Open an inquiry to yourself that is hidden from you, to read it. It is noted, and somebody is alarmed."""
    rules, reference = desk.policy.rights.break_glass, checked(wanted.reference)
    if actor.role not in rules.roles:
        _deny(desk, actor, reference, "rights.role")
        raise Problem(HTTPStatus.FORBIDDEN, "break-glass.role", f"this is not for the role {actor.role.value}")
    now = desk.clock()
    until = now + timedelta(minutes=rules.minutes)
    with desk.database.write() as session:
        concerned = visibility.hidden(session, reference, eyes) == "rights.concerned"
        if not concerned:
            told = {"by": actor.model_dump(mode="json"), "until": until.isoformat(), "reasons": wanted.reasons}
            case_list.line(session, reference)
            # The grant, the line and the word to the case: all three or none.
            visibility.grant(session, reference, actor.id, now, until)
            audit.note(session, now, actor.id, ACTION, reference, Outcome.ALLOWED, f"until {until.isoformat()}")
            dispatches.add(session, reference, "glass_broken", told, now)
    if concerned:
        _deny(desk, actor, reference, "rights.concerned")
        raise UnknownInquiry("no inquiry bears that reference")
    desk.wake()
    log.error(ACTION, reference=reference, actor=actor.id, alarms=list(rules.alarms))
    return Opened(reference=reference, until=until)


def _deny(desk: Desk, actor: Actor, reference: str, why: str) -> None:
    now = desk.clock()
    with desk.database.write() as session:
        audit.note(session, now, actor.id, ACTION, reference, Outcome.DENIED, why)
