"""Incidents as the house keeps them: one row each, written before a tracker is told, and the built-in board."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from models.area_work import OVER, Incident, IncidentState
from models.inquiry import Actor
from models.sight import Eyes
from models.tables import CaseRow, IncidentComment, IncidentRow, TrackerEvent
from records import cases, incident_words
from records.database import add_once
from records.incident_words import News, Place
from records.visibility import visible

MOST = 200
"""The longest page."""

MOST_ERROR = 500


class Link(NamedTuple):
    """An incident in its tracker."""

    id: str
    url: str


def place(session: Session, incident: Incident, *, key: str, reference: str, tracker: str, title: str) -> IncidentRow:
    """Keep an incident before its tracker is told; one that is kept already stays as it is."""
    row = IncidentRow(
        key=key,
        reference=reference,
        n=incident.n,
        tracker=tracker,
        title=title,
        area=incident.area,
        matter=incident.matter,
        draft=incident.draft,
        state=IncidentState.OPEN.value,
        opened_at=incident.opened_at,
        changed_at=incident.opened_at,
    )
    add_once(session, row)
    return get(session, key)


def get(session: Session, key: str) -> IncidentRow:
    """Return one incident. KeyError when none bears that key."""
    row = session.exec(select(IncidentRow).where(col(IncidentRow.key) == key)).first()
    if row is None:
        raise KeyError(f"no incident bears the key {key[:80]}")
    return row


def named(session: Session, tracker: str, *, key: str, tracker_id: str) -> IncidentRow | None:
    """Return the incident that a tracker speaks of, by its own id or by our key; None for one that is not ours.

    Under our key but another id it is a copy that somebody made there.
    """
    ours = select(IncidentRow).where(col(IncidentRow.tracker) == tracker)
    if tracker_id:
        found = session.exec(ours.where(col(IncidentRow.tracker_id) == tracker_id)).first()
        if found is not None:
            return found
    row = session.exec(ours.where(col(IncidentRow.key) == key)).first() if key else None
    return None if row and tracker_id and row.tracker_id else row


def begin(session: Session, key: str, tracker: str, now: datetime, until: datetime, *, duplicate: bool) -> bool:
    """Begin a try at opening it, of which nobody knows the end before it is told; False while another is under way.

    `duplicate`: an earlier one may have opened it without our knowing.
    """
    changed = session.connection().execute(
        update(IncidentRow)
        .where(
            col(IncidentRow.key) == key,
            col(IncidentRow.tracker_id) == "",
            or_(col(IncidentRow.busy_until).is_(None), col(IncidentRow.busy_until) <= now),
        )
        .values(
            tracker=tracker,
            tries=col(IncidentRow.tries) + 1,
            tried_at=now,
            busy_until=until,
            unsure=True,
            **({"possible_duplicate": True} if duplicate else {}),
        )
    )
    return changed.rowcount == 1


def failed(session: Session, key: str, error: str, now: datetime, *, fault: bool, unsure: bool | None = None) -> None:
    """Note how a call ended without success; `fault`: our own account's, an alarm. `unsure` None leaves what it was."""
    row = get(session, key)
    row.busy_until, row.error = None, error[:MOST_ERROR]
    if fault and row.failing_since is None:
        row.failing_since = now
    if unsure is not None:
        row.unsure = unsure
    session.add(row)


def linked(session: Session, key: str, link: Link, now: datetime) -> IncidentRow:
    """The tracker has it. The first link stays: another process may have found it meanwhile."""
    row = get(session, key)
    if not row.tracker_id:
        row.tracker_id, row.url, row.linked_at = link.id, link.url, now
    return _well(session, row)


def ended(session: Session, key: str, state: IncidentState, now: datetime) -> IncidentRow:
    """The case has its outcome, and the tracker knows."""
    row = get(session, key)
    row.state, row.changed_at = state.value, now
    return _well(session, row)


def changed(session: Session, row: IncidentRow, news: News, *, actor: Actor, now: datetime) -> bool:
    """It stands elsewhere since `at`, or somebody wrote: kept, and queued for every case that it is about.

    False for nothing new.
    """
    news = news._replace(at=min(news.at, now), words=incident_words.plain(news.words))
    if (news.state == row.state or news.at < row.changed_at) and not news.words:
        return False
    if news.at >= row.changed_at:
        row.state, row.changed_at = news.state.value, news.at
        session.add(row)
    # The tracker's echo of an end that the case told it is no news to those who heard it of the case.
    echo = news.state in OVER and not news.words and incident_words.ended_by_its_case(session, row.key)
    word = incident_words.keep(session, row.key, news, actor)
    own = [Place(row.reference, row.n)] if cases.reference_exists(session, row.reference) else []
    joined = [] if echo else incident_words.joined(session, row.key)
    incident_words.tell(session, word, [*own, *joined], now)
    return True


def told(session: Session, tracker: str, event: str, now: datetime) -> bool:
    """Take in an event of a tracker; False when it was taken in before."""
    return add_once(session, TrackerEvent(tracker=tracker, event=event, at=now))


def comment(session: Session, key: str, text: str, now: datetime, *, actor: str, request: str) -> bool:
    """Keep what somebody wrote beside an incident; False when the same request wrote it before."""
    return add_once(session, IncidentComment(incident=key, actor=actor, text=text, at=now, request=request))


def comments(session: Session, key: str) -> Sequence[IncidentComment]:
    """Return what was written beside an incident, the oldest first."""
    query = select(IncidentComment).where(col(IncidentComment.incident) == key)
    return session.exec(query.order_by(col(IncidentComment.id))).all()


def page(
    session: Session,
    *,
    eyes: Eyes | None = None,
    reference: str | None = None,
    state: IncidentState | None = None,
    open_: bool | None = None,
    area: str | None = None,
    before: int | None = None,
    limit: int = MOST,
) -> Sequence[IncidentRow]:
    """Return incidents, the newest first; `before` is the number of the last one of the page before.

    With `eyes` only those of inquiries that they see, and those that no inquiry has.
    """
    query = select(IncidentRow)
    if eyes is not None:
        of_the_case = col(CaseRow.reference) == col(IncidentRow.reference)
        seen = select(CaseRow.reference).where(of_the_case, *visible(eyes)).exists()
        query = query.where(or_(seen, ~select(CaseRow.reference).where(of_the_case).exists()))
    wanted = ((IncidentRow.reference, reference), (IncidentRow.state, state and state.value), (IncidentRow.area, area))
    for column, value in wanted:
        if value is not None:
            query = query.where(col(column) == value)
    if open_ is not None:
        over = col(IncidentRow.state).in_([one.value for one in OVER])
        query = query.where(~over if open_ else over)
    if before is not None:
        query = query.where(col(IncidentRow.id) < before)
    return session.exec(query.order_by(col(IncidentRow.id).desc()).limit(limit)).all()


def failing(session: Session) -> Sequence[IncidentRow]:
    """Return the incidents that do not reach their tracker by a fault of our own, the oldest first."""
    query = select(IncidentRow).where(col(IncidentRow.failing_since).is_not(None))
    return session.exec(query.order_by(col(IncidentRow.id)).limit(MOST)).all()


def _well(session: Session, row: IncidentRow) -> IncidentRow:
    row.busy_until, row.failing_since, row.error, row.unsure = None, None, "", False
    session.add(row)
    session.flush()
    return row
