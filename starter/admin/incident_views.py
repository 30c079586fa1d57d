"""What the API shows of incidents. Times are aware UTC; descriptions and comments are personal data."""

from pydantic import AwareDatetime, ConfigDict
from sqlmodel import Session

from models.tables import IncidentRow
from records import documents, incidents
from starter.admin.views import View


class IncidentLine(View):
    """An incident on the board. `number` is its place in the order of opening; `error` why its tracker has it not."""

    model_config = ConfigDict(frozen=True, from_attributes=True, populate_by_name=True)

    key: str
    reference: str
    n: int
    tracker: str
    tracker_id: str
    url: str
    title: str
    area: str
    matter: str
    state: str
    opened_at: AwareDatetime
    changed_at: AwareDatetime
    linked_at: AwareDatetime | None
    possible_duplicate: bool
    failing_since: AwareDatetime | None
    error: str


class BoardView(View):
    """Part of the board, the newest first; `before` leads to the rest and is None at its end."""

    items: tuple[IncidentLine, ...]
    before: int | None


class CommentView(View):
    """What somebody wrote beside an incident."""

    actor: str
    text: str
    at: AwareDatetime


class IncidentView(IncidentLine):
    """One incident whole."""

    description: str
    comments: tuple[CommentView, ...]


def board_view(rows: list[IncidentRow], limit: int) -> BoardView:
    """Show a page; one row more than `limit` says that there are others."""
    shown = rows[:limit]
    lines = tuple(IncidentLine.model_validate(row) for row in shown)
    return BoardView(items=lines, before=shown[-1].id if len(rows) > limit else None)


def incident_view(session: Session, row: IncidentRow) -> IncidentView:
    """Show one incident with what the specialists must know and what was written beside it."""
    try:
        description = str(documents.draft(session, row.draft).content.get("text", ""))
    except KeyError:
        description = ""
    written = tuple(CommentView.model_validate(one) for one in incidents.comments(session, row.key))
    line = IncidentLine.model_validate(row)
    return IncidentView(**line.model_dump(), description=description, comments=written)
