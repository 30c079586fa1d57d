"""Handing in an inquiry on somebody's behalf: what came to the office, to an executive, with the authority's letter."""

from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Body, Response
from pydantic import AwareDatetime

from records import cases
from starter.admin.api import COMMANDING, Here, IdempotencyKey, private
from starter.admin.case_views import checked
from starter.admin.rights import Caller, Sight, seen, unnamed
from starter.admin.views import View
from starter.http.plain_json import PlainJsonRoute
from starter.reception.registration import Registration

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Registered(View):
    """The inquiry it opened (`new`) or joined, and the dates first promised, aware UTC. `duplicate`: it was here.

    Without `reference` it joined one that whoever registers may not see.
    """

    reference: str | None
    new: bool
    duplicate: bool
    acknowledge_by: AwareDatetime | None
    answer_by: AwareDatetime | None


class FilesRoute(PlainJsonRoute):
    """Files may come with it."""

    most_bytes = 16 * 1024 * 1024


router = APIRouter(prefix="/api", route_class=FilesRoute, dependencies=[private])


@router.post("/inquiries", tags=["inquiries"], status_code=HTTPStatus.CREATED, responses=COMMANDING)
def register_inquiry(  # noqa: PLR0917  FastAPI hands each in by name
    desk: Here,
    actor: Caller,
    eyes: Sight,
    given: Annotated[Registration, Body()],
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> Registered:
    """Register an inquiry with its true reception; the terms count from there, and what is overdue is told at once."""
    if given.reference is not None:
        reference = checked(given.reference)
        given = given.model_copy(update={"reference": reference})
        now = desk.clock()
        with desk.database.write() as session:
            known = cases.reference_exists(session, reference) and seen(
                session, now, eyes, "inquiry.register", reference
            )
        if not known:
            raise cases.unknown(reference)
    receipt = desk.intake.register(given, idempotency_key, actor)
    log.info("intake.registered", reference=receipt.reference, place=given.place, new=receipt.new, by=actor.id)
    if given.reference is not None:
        # What it named may be led by another inquiry, or go on in one.
        receipt = unnamed(desk, eyes, receipt)
    if receipt.duplicate:
        response.status_code = HTTPStatus.OK
    return Registered.model_validate(receipt)
