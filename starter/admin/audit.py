"""`GET /api/audit`: who was denied what, and who did what is sensitive; for those who watch over the others."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from records import audit
from records.audit import Outcome
from starter.admin.api import READING, Here, private
from starter.admin.rights import Caller
from starter.admin.views import View
from starter.http.plain_json import PlainJsonRoute


class AuditLineView(View):
    """One line: codes and opaque ids alone."""

    id: int
    at: AwareDatetime
    actor: str
    action: str
    object: str
    outcome: str
    detail: str


class AuditView(View):
    """Lines, the newest first; `before` leads to the rest and is null at its end."""

    items: tuple[AuditLineView, ...]
    before: int | None


router = APIRouter(prefix="/api/audit", tags=["access"], route_class=PlainJsonRoute, dependencies=[private])


@router.get("", responses=READING)
def audit_log(
    desk: Here,
    _actor: Caller,
    *,
    by: Annotated[str | None, Query(max_length=64, description="Only what this actor did.")] = None,
    action: Annotated[str | None, Query(max_length=60, examples=["key.make"])] = None,
    of: Annotated[str | None, Query(max_length=200, alias="object", examples=["RX-7KQ4-M2PD"])] = None,
    outcome: Outcome | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`before` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=audit.MOST)] = 50,
) -> AuditView:
    """What was denied, and what is sensitive although it was allowed: the newest first."""
    with desk.database.read() as session:
        rows = audit.page(session, actor=by, action=action, of=of, outcome=outcome, before=before, limit=limit + 1)
    shown = rows[:limit]
    return AuditView(
        items=tuple(AuditLineView.model_validate(row) for row in shown),
        before=shown[-1].id if len(rows) > limit else None,
    )
