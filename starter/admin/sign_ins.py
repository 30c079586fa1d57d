"""Whom of the staff the sign-in provider's tokens speak for: named by another of those who keep the staff."""

from http import HTTPStatus

from fastapi import APIRouter

from records import sign_ins
from starter.admin.api import COMMANDING, Here, private
from starter.admin.desk import Desk
from starter.admin.rights import Caller
from starter.admin.staff import Who, known, noted, of_another
from starter.admin.staff_views import SignInBody, WholePersonView
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem

router = APIRouter(prefix="/api", tags=["staff"], route_class=PlainJsonRoute, dependencies=[private])


@router.post("/staff/{who}/sign-in", responses=COMMANDING)
def bind(desk: Here, actor: Caller, who: Who, body: SignInBody) -> WholePersonView:
    """Tokens with this `sub` speak for somebody from now on, in the place of the one before."""
    of_another(actor, who)
    issuer, now = _issuer(desk), desk.clock()
    with desk.database.write() as session:
        known(session, who)
        if not sign_ins.bind(session, who, issuer, body.subject, actor.id, now):
            raise Problem(HTTPStatus.CONFLICT, "sign-in.taken", "tokens of that sub speak for another; end that first")
        return noted(session, desk, now, actor, "staff.sign-in", who)


@router.delete("/staff/{who}/sign-in", responses=COMMANDING)
def release(desk: Here, actor: Caller, who: Who) -> WholePersonView:
    """No token speaks for somebody any more."""
    of_another(actor, who)
    issuer, now = _issuer(desk), desk.clock()
    with desk.database.write() as session:
        known(session, who)
        if not sign_ins.release(session, who, issuer):
            raise Problem(HTTPStatus.NOT_FOUND, "sign-in.none", "no sub is named for them")
        return noted(session, desk, now, actor, "staff.sign-in", who)


def _issuer(desk: Desk) -> str:
    if desk.tokens is None:
        raise Problem(HTTPStatus.CONFLICT, "sign-in.no-provider", "no sign-in provider is set up here")
    return desk.tokens.issuer
