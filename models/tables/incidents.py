"""Incidents as the house keeps them: what was said to which tracker, the built-in board, and what trackers told."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.tables.base import maybe_moment, moment

_OPEN = "state NOT IN ('resolved', 'rejected')"
_FAILING = "failing_since IS NOT NULL"


class IncidentRow(SQLModel, table=True):
    """One incident, written before its tracker is told: after a lost answer it says what may stand there already.

    `unsure` means that the last call may have opened it, `busy_until` that one is under way. `state` and `changed_at`
    are what the tracker said last. `draft` is where the description lies.
    """

    __tablename__ = "incidents"
    __table_args__ = (
        UniqueConstraint("reference", "n"),
        Index("ix_incidents_tracker_id", "tracker", "tracker_id"),
        Index("ix_incidents_open", "id", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
        Index("ix_incidents_failing", "id", sqlite_where=text(_FAILING), postgresql_where=text(_FAILING)),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    reference: str
    n: int
    tracker: str
    tracker_id: str = ""
    url: str = ""
    title: str
    area: str
    matter: str
    draft: str
    state: str
    opened_at: datetime = moment()
    changed_at: datetime = moment()
    linked_at: datetime | None = maybe_moment()
    tries: int = 0
    tried_at: datetime | None = maybe_moment()
    busy_until: datetime | None = maybe_moment()
    unsure: bool = False
    possible_duplicate: bool = False
    failing_since: datetime | None = maybe_moment()
    error: str = Field(default="", sa_type=Text)


class IncidentComment(SQLModel, table=True):
    """What somebody wrote beside an incident of the built-in board. Personal data.

    `request` is the caller's key of the request: the same one again adds nothing.
    """

    __tablename__ = "incident_comments"
    __table_args__ = (UniqueConstraint("incident", "actor", "request"),)

    id: int | None = Field(default=None, primary_key=True)
    incident: str = Field(foreign_key="incidents.key", index=True)
    actor: str
    text: str = Field(sa_type=Text)
    at: datetime = moment()
    request: str


class TrackerEvent(SQLModel, table=True):
    """An event that a tracker told and that was taken in; told again, it changes nothing."""

    __tablename__ = "tracker_events"

    tracker: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    at: datetime = moment()
