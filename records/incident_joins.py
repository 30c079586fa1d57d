"""Cases that take part in an incident which another case has, or none: a projection, and the list to answer them by.

A case joins and leaves by its ledger. What was said between the moment on which the join was decided and its being
written down here is told to the case then, so no word is lost between the two.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, case, delete, false, func, not_, or_, tuple_, update
from sqlmodel import Session, col, select

from models.area_work import OVER, IncidentState
from models.hooks import event_id
from models.incidents import incident_key
from models.inquiry import Flag, Status
from models.ledger import Event
from models.sight import Eyes
from models.tables import CaseRow, IncidentJoin, IncidentRow
from records import case_list, incident_words, incidents
from records.database import add_once
from records.incident_words import News, Place
from records.visibility import visible

MOST = 200
"""The longest page."""


class Joined(NamedTuple):
    """A case that joined; `n` is the incident's number there.

    `answerable`: the incident is over, and no final answer is given or on its way.
    """

    line: case_list.CaseLine
    n: int
    joined_at: datetime
    answerable: bool


class JoinedPage(NamedTuple):
    """Part of the list, the next due first, and how many there are in all; `next_cursor` is None at its end."""

    items: tuple[Joined, ...]
    next_cursor: str | None
    joined: int
    answerable: int


def note(session: Session, events: Iterable[Event], now: datetime) -> None:
    """Bring the table up to what has just been written into a ledger; what a case itself closed is told to the others.

    `now` is aware UTC.
    """
    for event in events:
        if event.type == "incident.joined":
            _join(session, event, now)
        elif event.type == "incident.left":
            _leave(session, event)
        elif event.type == "incident.closed" and "evidence" in event.texts:
            _close(session, event, now)


def counts(session: Session, keys: Sequence[str], eyes: Eyes) -> Mapping[str, int]:
    """Return how many cases joined each incident, of those that somebody sees; none is left out."""
    query = select(IncidentJoin.incident, func.count()).join(CaseRow, _OF_THE_CASE)
    query = query.where(col(IncidentJoin.incident).in_(keys), *visible(eyes)).group_by(col(IncidentJoin.incident))
    return dict(session.exec(query).all())


class Untold(NamedTuple):
    """An incident in a tracker outside that does not know how many cases joined it."""

    key: str
    tracker: str
    tracker_id: str
    cases: int


def untold(session: Session, trackers: Collection[str], before: datetime) -> list[Untold]:
    """Return the open incidents whose tracker was told another number, and nothing since `before` (aware UTC).

    What lies in a compartment is not counted.
    """
    count = select(func.count()).select_from(IncidentJoin).join(CaseRow, _OF_THE_CASE)
    count = count.where(col(IncidentJoin.incident) == col(IncidentRow.key), col(CaseRow.compartment) == "")
    cases = count.correlate(IncidentRow).scalar_subquery()
    last = col(IncidentRow.cases_tried_at)
    query = select(IncidentRow.key, IncidentRow.tracker, IncidentRow.tracker_id, cases).where(
        col(IncidentRow.tracker).in_(trackers),
        col(IncidentRow.tracker_id) != "",
        col(IncidentRow.state).not_in([one.value for one in OVER]),
        or_(last.is_(None), last <= before),
        cases != col(IncidentRow.cases_told),
    )
    return [Untold(*row) for row in session.exec(query.order_by(col(IncidentRow.id)).limit(MOST))]


def telling(session: Session, key: str, before: datetime, now: datetime) -> bool:
    """Begin to tell a number; False where another process has since `before`."""
    last = col(IncidentRow.cases_tried_at)
    change = update(IncidentRow).where(col(IncidentRow.key) == key, or_(last.is_(None), last <= before))
    return session.connection().execute(change.values(cases_tried_at=now)).rowcount == 1


def told(session: Session, key: str, cases: int) -> None:
    """The tracker knows the number."""
    change = update(IncidentRow).where(col(IncidentRow.key) == key)
    session.connection().execute(change.values(cases_told=cases))


def page(
    session: Session,
    incident: IncidentRow,
    eyes: Eyes,
    *,
    answerable: bool | None = None,
    cursor: str | None = None,
    limit: int = MOST,
) -> JoinedPage:
    """Return the cases that joined an incident and that somebody sees, the next due first.

    Raises Malformed for a cursor that is not ours.
    """
    ready = and_(*_UNANSWERED) if IncidentState(incident.state) in OVER else false()
    ours = (col(IncidentJoin.incident) == incident.key, *visible(eyes))
    counted = select(func.count(), func.coalesce(func.sum(case((ready, 1), else_=0)), 0))
    counted = counted.select_from(IncidentJoin).join(CaseRow, _OF_THE_CASE).where(*ours)
    total, free = session.exec(counted).one()
    query = select(  # type: ignore[call-overload]
        *case_list.LISTED, IncidentJoin.n, IncidentJoin.joined_at, case((ready, 1), else_=0), CaseRow.due_order
    )
    query = query.select_from(IncidentJoin).join(CaseRow, _OF_THE_CASE).where(*ours)
    if answerable is not None:
        query = query.where(ready if answerable else not_(ready))
    if cursor is not None:
        after = tuple_(*case_list.read_cursor(cursor))
        query = query.where(tuple_(col(CaseRow.due_order), col(CaseRow.reference)) > after)
    query = query.order_by(col(CaseRow.due_order), col(CaseRow.reference)).limit(limit + 1)
    rows = session.connection().execute(query).all()
    items = tuple(Joined(case_list.as_line(row[:-4]), row[-4], row[-3], bool(row[-2])) for row in rows[:limit])
    more = case_list.cursor_at(rows[limit - 1][-1], items[-1].line.reference) if len(rows) > limit else None
    return JoinedPage(items, more, total, free)


def _join(session: Session, event: Event, now: datetime) -> None:
    key, n = event.data["key"], event.data["incident"]
    add_once(session, IncidentJoin(incident=key, reference=event.reference, n=n, joined_at=event.at))
    for word in incident_words.since(session, key, event.data["heard"]):
        incident_words.tell(session, word, [Place(event.reference, n)], now)


def _leave(session: Session, event: Event) -> None:
    of_the_case = col(IncidentJoin.reference) == event.reference, col(IncidentJoin.n) == event.data["incident"]
    session.connection().execute(delete(IncidentJoin).where(*of_the_case))


def _close(session: Session, event: Event, now: datetime) -> None:
    key, state = incident_key(event.reference, event.data["incident"]), IncidentState(event.data["state"])
    try:
        row = incidents.get(session, key)
    except KeyError:
        return  # no tracker was told of it yet, so nobody can have joined
    row.state, row.changed_at = state.value, event.at
    session.add(row)
    news, name = News(state, event.at, event.texts["evidence"]), event_id(event.reference, event.seq)
    word = incident_words.keep(session, key, news, event.actor, name)
    incident_words.tell(session, word, incident_words.joined(session, key), now)


_OF_THE_CASE = col(CaseRow.reference) == col(IncidentJoin.reference)

_UNANSWERED = (
    col(CaseRow.status) != Status.CLOSED.value,
    col(CaseRow.answered) == 0,
    not_(col(CaseRow.flags).contains(Flag.WITHDRAWN.value)),
    not_(col(CaseRow.flags).contains(Flag.MERGED.value)),
)
