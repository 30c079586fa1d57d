"""What somebody of the staff loses by a change: an area, a training, or the right to own a case at all.

Whoever takes it away learns what, so that the open cases go to somebody else at once.
"""

from datetime import date, datetime
from http import HTTPStatus
from typing import NamedTuple

from sqlmodel import Session

from models.commands import READS_ONLY
from models.inquiry import Area, Language, Role
from models.tables import StaffRow, TrainingRow
from records import audit, keys, staff
from starter.admin.handover import ALL, Lost
from starter.admin.staff_views import PersonBody, TrainingBody
from starter.http.problems import Problem


class Loss(NamedTuple):
    """Which cases they may have no longer, and why, for the timeline of each."""

    lost: Lost
    why: str


def put(session: Session, body: PersonBody, now: datetime, *, by: str) -> Loss | None:
    """Keep what is known of somebody from now on; keys of another role end. A 409 problem for who has left."""
    before = staff.person(session, body.id)
    if before and before.left_at:
        raise Problem(HTTPStatus.CONFLICT, "staff.left", "they have left; compliance takes them in again first")
    had: set[Area] = set(before.areas) if before else set()
    row = StaffRow(
        **body.model_dump(exclude={"areas", "languages", "reasons"}),
        areas=list(body.areas),
        languages=list(body.languages),
        joined_at=before.joined_at if before else now,
    )
    staff.add(session, row)
    if keys.revoke_others(session, body.id, Role(body.role), now):
        # A key says what its holder may do: it would speak for another role than theirs for ever.
        audit.note(session, now, by, "key.revoke", body.id, audit.Outcome.DONE, f"{body.role} from now on")
    if before and Role(body.role) in READS_ONLY:
        return Loss(ALL, "no longer answers")
    gone = had - set(body.areas)
    return Loss(Lost(frozenset(gone)), f"no longer works for {', '.join(sorted(gone))}") if gone else None


def train(session: Session, who: str, body: TrainingBody, today: date) -> Loss | None:
    """Keep until when somebody is trained for an area and a language; a day that is past takes it away."""
    staff.train(session, TrainingRow(staff=who, **body.model_dump(exclude={"reasons"})))
    if body.until >= today:
        return None
    tongue = "Spanish" if Language(body.language) is Language.ES else "English"
    return Loss(Lost(frozenset({body.area}), untrained=True), f"no longer trained for {body.area} in {tongue}")
