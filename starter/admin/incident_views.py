"""What the API shows of incidents. Times are aware UTC; descriptions and comments are personal data."""

from pydantic import AwareDatetime, ConfigDict
from sqlmodel import Session

from models.sight import Eyes
from models.tables import IncidentRow
from records import documents, incident_joins, incidents
from records.incident_joins import Joined, JoinedPage
from starter.admin.case_views import LineView
from starter.admin.views import View


class IncidentLine(View):
    """An incident on the board; `error` says why its tracker has it not.

    `cases` are the inquiries that joined it, of those that the caller sees; the one that opened it is not among them.
    """

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
    cases: int = 0


class BoardView(View):
    """Part of the board, the newest first; `before` leads to the rest and is None at its end."""

    items: tuple[IncidentLine, ...]
    before: int | None


class JoinedView(LineView):
    """An inquiry that joined an incident; `n` is the incident's number there.

    `answerable`: the incident is over, and no final answer is given or on its way.
    """

    n: int
    joined_at: AwareDatetime
    answerable: bool


class JoinedPageView(View):
    """Part of the inquiries that joined, the next due first; `next_cursor` leads to the rest.

    `joined` counts all of them, `answerable` those that are.
    """

    items: tuple[JoinedView, ...]
    next_cursor: str | None
    joined: int
    answerable: int


class CommentView(View):
    """What somebody wrote beside an incident."""

    actor: str
    text: str
    at: AwareDatetime


class IncidentView(IncidentLine):
    """One incident whole."""

    description: str
    comments: tuple[CommentView, ...]


def board_view(session: Session, rows: list[IncidentRow], limit: int, eyes: Eyes) -> BoardView:
    """Show a page; one row more than `limit` says that there are others."""
    shown = rows[:limit]
    joined = incident_joins.counts(session, [row.key for row in shown], eyes)
    lines = tuple(_line(row, joined.get(row.key, 0)) for row in shown)
    return BoardView(items=lines, before=shown[-1].id if len(rows) > limit else None)


def joined_view(page: JoinedPage) -> JoinedPageView:
    """Show the inquiries that joined."""
    return JoinedPageView(
        items=tuple(_joined(one) for one in page.items),
        next_cursor=page.next_cursor,
        joined=page.joined,
        answerable=page.answerable,
    )


def incident_view(session: Session, row: IncidentRow, eyes: Eyes) -> IncidentView:
    """Show one incident with what the specialists must know and what was written beside it."""
    try:
        description = str(documents.draft(session, row.draft).content.get("text", ""))
    except KeyError:
        description = ""
    written = tuple(CommentView.model_validate(one) for one in incidents.comments(session, row.key))
    line = _line(row, incident_joins.counts(session, [row.key], eyes).get(row.key, 0))
    return IncidentView(**line.model_dump(), description=description, comments=written)


def _line(row: IncidentRow, joined: int) -> IncidentLine:
    return IncidentLine.model_validate(row).model_copy(update={"cases": joined})


def _joined(one: Joined) -> JoinedView:
    return JoinedView(**one.line._asdict(), n=one.n, joined_at=one.joined_at, answerable=one.answerable)
