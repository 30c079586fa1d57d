"""The rights at the door of the admin API: on the route, and on the inquiry that its path names.

Somebody who may not do a thing is told 403; an inquiry that is hidden from them does not exist, 404. Both leave a line
in the audit log, as does what is sensitive although it was allowed.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from sqlmodel import Session

from models.commands import COMMANDS, READS_ONLY
from models.inquiry import Actor, Area, Role
from models.policy import Policy
from models.rights import ANSWERING, RIGHTS, leaves_a_line, may
from models.sight import Eyes
from records import audit, cases, visibility
from records.audit import Outcome
from starter.admin.desk import Desk, desk_of
from starter.admin.oidc import SignedIn
from starter.admin.signing_in import signed_in
from starter.http.problems import Problem
from starter.reception.receipt import Receipt

INQUIRY = "/api/inquiries/{reference}/"

ROUTES = {
    "GET /api/me": "access.self",
    "GET /api/audit": "audit.read",
    "GET /api/inquiries": "inquiry.list",
    "GET /api/inquiries/{reference}": "inquiry.read",
    "GET /api/inquiries/{reference}/thread": "inquiry.read",
    "GET /api/inquiries/{reference}/letters/{name}": "inquiry.read",
    "GET /api/inquiries/{reference}/points": "inquiry.read",
    "GET /api/inquiries/{reference}/causes": "inquiry.read",
    "GET /api/inquiries/{reference}/prefill": "inquiry.read",
    "POST /api/inquiries/{reference}/gate": "inquiry.try",
    "POST /api/break-glass": "access.break-glass",
    "POST /api/inquiries": "inquiry.register",
    "GET /api/inquiries/{reference}/proposal": "inquiry.read",
    "GET /api/staff": "staff.read",
    "POST /api/staff": "staff.change",
    "GET /api/staff/{who}": "staff.read",
    "POST /api/staff/{who}/absences": "staff.change",
    "DELETE /api/staff/{who}/absences/{first}": "staff.change",
    "POST /api/staff/{who}/trainings": "staff.change",
    "POST /api/staff/{who}/shifts": "staff.change",
    "POST /api/staff/{who}/sign-in": "staff.change",
    "DELETE /api/staff/{who}/sign-in": "staff.change",
    "POST /api/staff/{who}/leave": "staff.change",
    "POST /api/staff/{who}/return": "staff.return",
    "POST /api/staff/{who}/handover": "staff.change",
    "GET /api/workload": "staff.read",
    "GET /api/webhooks": "webhook.read",
    "POST /api/webhooks": "webhook.change",
    "DELETE /api/webhooks/{webhook}": "webhook.change",
    "POST /api/webhooks/{webhook}/rotate": "webhook.change",
    "POST /api/webhooks/{webhook}/replay": "webhook.change",
    "GET /api/letters": "letter.read",
    "POST /api/letters/approvals": "letter.approve",
    "GET /api/inbox": "inbox.read",
    "GET /api/quarantine": "inbox.read",
    "POST /api/quarantine/{message}/promote": "message.promote",
    "POST /api/bindings": "binding.make",
    "POST /api/bindings/confirm": "binding.confirm",
    "GET /api/incidents": "incident.read",
    "POST /api/incidents": "incident.change",
    "GET /api/incidents/{reference}/{n}": "incident.read",
    "GET /api/incidents/{reference}/{n}/cases": "incident.read",
    "POST /api/incidents/{reference}/{n}/move": "incident.change",
    "POST /api/incidents/{reference}/{n}/comments": "incident.change",
    "POST /api/incidents/{reference}/{n}/refresh": "incident.change",
    "GET /api/reports/{period}": "report.read",
    "GET /api/quality/{month}": "quality.read",
    "POST /api/quality/{month}/{reference}": "quality.judge",
}
"""What each route does beside the commands: an action of `models.rights`. One that is missing here nobody may use."""


WHILE_ASKED = frozenset({"answer_referral", "note"})
"""What somebody may do to an inquiry that they see only because it asks their area."""


def eyes_of(found: SignedIn, policy: Policy) -> Eyes:
    """What somebody who came in sees."""
    eyes = Eyes.of(found.actor.id, found.actor.role, found.areas or (), policy.rights)
    return eyes._replace(speaks=policy.spoken_for(found.actor.id))


def action_of(method: str, path: str) -> str:
    """The action of a route; empty for one that the table does not know."""
    if method == "POST" and path.removeprefix(INQUIRY) in COMMANDS:
        return path.removeprefix(INQUIRY)
    return ROUTES.get(f"{method} {path}", "")


def admitted(
    request: Request,
    desk: Annotated[Desk, Depends(desk_of)],
    found: Annotated[SignedIn, Depends(signed_in)],
) -> Actor:
    """The actor, who may do what the route does, to the inquiry that it names. Raises 401, 403 and 404 problems."""
    route: APIRoute = request.scope["route"]
    action, actor = action_of(request.method, route.path_format), found.actor
    reference = request.path_params.get("reference", "").strip().upper()
    if not may(actor.role, action):
        refusal = _forbidden(actor.role, action)
        _note(desk, actor, action or "unknown", reference or action.partition(".")[0], Outcome.DENIED, refusal.code)
        raise refusal
    secret = bool(reference) and _see(desk, found, action, reference, reading=request.method == "GET")
    if secret or leaves_a_line(actor.role, action):
        _note(desk, actor, action, reference or request.url.path, Outcome.ALLOWED)
    return actor


Caller = Annotated[Actor, Depends(admitted)]
"""The actor of a request, signed in and with the right to what the route does."""


def _see(desk: Desk, found: SignedIn, action: str, reference: str, *, reading: bool) -> bool:
    """Say whether the inquiry lies in a compartment. Raises UnknownInquiry where it is hidden from them."""
    with desk.database.read() as session:
        eyes = eyes_of(found, desk.policy)
        if not reading and action not in WHILE_ASKED:
            eyes = eyes._replace(speaks=frozenset())
        why = visibility.hidden(session, reference, eyes)
        # Broken glass lets somebody look and change nothing; whom it is about it shows nothing.
        broken = reading and why not in {"", "rights.concerned"}
        if broken and visibility.granted(session, reference, found.actor.id, desk.clock()):
            why = ""
        secret = visibility.secret(session, reference)
    if why:
        _note(desk, found.actor, action, reference, Outcome.DENIED, why)
        raise cases.unknown(reference)
    return secret


def seen(session: Session, now: datetime, eyes: Eyes, action: str, reference: str) -> bool:
    """Say whether somebody sees an inquiry that a body names; else it leaves a line. `session` may write."""
    why = visibility.hidden(session, reference, eyes._replace(speaks=frozenset()))
    if why:
        audit.note(session, now, eyes.actor, action, reference, Outcome.DENIED, why)
    return not why


def unnamed(desk: Desk, eyes: Eyes, receipt: Receipt) -> Receipt:
    """What somebody is told became of a message: where it joined an inquiry that is hidden from them, that it is in."""
    with desk.database.read() as session:
        hidden = receipt.reference and visibility.hidden(session, receipt.reference, eyes)
    return Receipt(None, receipt.disposition, duplicate=receipt.duplicate) if hidden else receipt


def require(desk: Desk, actor: Actor, action: str, what: str) -> None:
    """Refuse what the body of a request asks beyond its route, and leave a line of it. Raises a 403 problem."""
    if not may(actor.role, action):
        refusal = _forbidden(actor.role, action)
        _note(desk, actor, action, what, Outcome.DENIED, refusal.code)
        raise refusal


def turned_down(desk: Desk, actor: Actor, action: str, reference: str, code: str) -> None:
    """Leave a line that a case refused what somebody was admitted to ask of it."""
    _note(desk, actor, action, reference, Outcome.DENIED, code)


def _note(  # noqa: PLR0917  in the order of a line
    desk: Desk, actor: Actor, action: str, what: str, outcome: Outcome, detail: str = ""
) -> None:
    now = desk.clock()
    with desk.database.write() as session:
        audit.note(session, now, actor.id, action, what, outcome, detail)


def _forbidden(role: Role, action: str) -> Problem:
    if role is Role.INTAKE:
        return Problem(HTTPStatus.FORBIDDEN, "actor.hands-in", "an intake service hands inquiries in and does no more")
    if role in READS_ONLY and (action in COMMANDS or RIGHTS.get(action, frozenset()) >= ANSWERING):
        words = f"the role {role.value} commands nothing; that needs another key"
        return Problem(HTTPStatus.FORBIDDEN, "actor.reads-only", words)
    noun = action.partition(".")[0] or "rights"
    return Problem(HTTPStatus.FORBIDDEN, f"{noun}.role", f"this is not for the role {role.value}")


def sight(desk: Annotated[Desk, Depends(desk_of)], found: Annotated[SignedIn, Depends(signed_in)]) -> Eyes:
    """What somebody sees."""
    return eyes_of(found, desk.policy)


Sight = Annotated[Eyes, Depends(sight)]


def own_areas(found: Annotated[SignedIn, Depends(signed_in)]) -> frozenset[Area]:
    """The areas that somebody works for, by their token or else by the staff."""
    return found.areas or frozenset()


OwnAreas = Annotated[frozenset[Area], Depends(own_areas)]
