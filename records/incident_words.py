"""What is said of an incident: kept in its order, and handed to every case that takes part in it.

It is stored before anybody is told, in the transaction of whoever said it. The dispatcher tells the cases then, a few
every second: what concerns a thousand of them holds up neither the tracker's post nor the letters of the others.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session, col, select

from models.area_work import IncidentState
from models.hooks import of_event_id
from models.inquiry import Actor, Role
from models.messages import CONTROLS, MOST_TEXT
from models.tables import Dispatch, IncidentJoin, IncidentWord
from records import dispatches
from records.ids import new_id

CHANGED = "incident_changed"
"""The signal that tells a case of it."""

A_SECOND = 20
"""How many joined cases are told in a second."""


class News(NamedTuple):
    """Where an incident stands since `at` (aware UTC), how its tracker calls that end, and what somebody wrote."""

    state: IncidentState
    at: datetime
    words: str = ""
    outcome: str = ""


class Last(NamedTuple):
    """What was said last: the words, the tracker's name for the end, and the number of the last word of all."""

    heard: int = 0
    words: str = ""
    outcome: str = ""


class Place(NamedTuple):
    """An incident in a case: the case, and the incident's number there."""

    reference: str
    n: int


def keep(session: Session, key: str, news: News, actor: Actor, name: str = "") -> IncidentWord:
    """Keep what was said, under a name of its own."""
    word = IncidentWord(
        name=name or new_id("iw"),
        incident=key,
        state=news.state.value,
        at=news.at,
        actor=actor.id,
        role=actor.role.value,
        words=plain(news.words),
        outcome=plain(news.outcome),
    )
    session.add(word)
    session.flush()
    return word


def tell(session: Session, word: IncidentWord, places: Sequence[Place], now: datetime) -> None:
    """Queue a word for cases, which hear it once however often it is handed over."""
    order = {
        "state": word.state,
        "at": word.at.isoformat(),
        "actor": Actor(id=word.actor, role=Role(word.role)).model_dump(mode="json"),
        "key": word.name,
    }
    said = {"words": word.words, "outcome": word.outcome}
    order |= {what: text for what, text in said.items() if text}
    rows = []
    for place, (reference, n) in enumerate(places):
        wait = timedelta(seconds=place // A_SECOND)
        rows.append(
            Dispatch(
                reference=reference,
                name=CHANGED,
                payload={"incident": n, **order},
                created_at=now,
                not_before=now + wait if wait else None,
            )
        )
    dispatches.add_all(session, rows)


def joined(session: Session, key: str) -> list[Place]:
    """Return where else the incident stands: the cases that joined it, in the order in which they did."""
    query = select(IncidentJoin.reference, IncidentJoin.n).where(col(IncidentJoin.incident) == key)
    return [Place(*row) for row in session.exec(query.order_by(col(IncidentJoin.id)))]


def since(session: Session, key: str, heard: int) -> Sequence[IncidentWord]:
    """Return what was said after the word with that number, in its order."""
    query = select(IncidentWord).where(col(IncidentWord.incident) == key, col(IncidentWord.id) > heard)
    return session.exec(query.order_by(col(IncidentWord.id))).all()


def ended_by_its_case(session: Session, key: str) -> bool:
    """Say whether what was said last is the end that the case itself knew first: its name is the event's."""
    query = select(IncidentWord.name).where(col(IncidentWord.incident) == key).order_by(col(IncidentWord.id).desc())
    return of_event_id(session.exec(query.limit(1)).first() or "") is not None


def last(session: Session, key: str) -> Last:
    """Return what a case gets that joins now."""
    said = Last()
    for word in since(session, key, 0):
        said = Last(word.id or 0, word.words or said.words, word.outcome or said.outcome)
    return said


def plain(text: str) -> str:
    """Return what somebody wrote as the records take it."""
    return CONTROLS.sub("", text).strip()[:MOST_TEXT]
