"""What a tracker says of an incident, by its own post or asked for, taken in for the cases that have it."""

from datetime import datetime

from sqlmodel import Session

from models.inquiry import Actor, Role
from models.tables import IncidentRow
from records import incidents
from records.incident_words import News
from trackers.port import Change


def take_in(session: Session, row: IncidentRow, tracker: str, change: Change, now: datetime) -> bool:
    """Keep it and queue it for them; False where it says nothing new. Aware UTC."""
    said = News(change.state, change.at, change.words, change.outcome)
    return incidents.changed(session, row, said, actor=Actor(id=f"tracker:{tracker}", role=Role.SYSTEM), now=now)
