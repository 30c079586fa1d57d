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
    are what the tracker said last. `draft` is where the description lies. `cases_told` is how many inquiries joined it,
    as a tracker outside knows, `cases_tried_at` when that was last said, or tried.
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
    cases_told: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    cases_tried_at: datetime | None = maybe_moment()


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


class IncidentJoin(SQLModel, table=True):
    """A case that takes part in an incident which it does not have itself; `n` is the incident's number in that case.

    A projection of the case: it comes with `incident.joined` and goes with `incident.left`.
    """

    __tablename__ = "incident_joins"
    __table_args__ = (UniqueConstraint("incident", "reference"),)

    id: int | None = Field(default=None, primary_key=True)
    incident: str
    reference: str
    n: int
    joined_at: datetime = moment()


class IncidentWord(SQLModel, table=True):
    """What was said of an incident, by its tracker or by whoever has it: told to every case that takes part.

    A case that joins later gets the last of it. `name` is its own, so that a case hears it once. Words are personal
    data.
    """

    __tablename__ = "incident_words"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    incident: str = Field(foreign_key="incidents.key", index=True)
    state: str
    at: datetime = moment()
    actor: str
    role: str
    words: str = Field(default="", sa_type=Text)
    outcome: str = Field(default="", sa_type=Text)


class TrackerEvent(SQLModel, table=True):
    """An event that a tracker told and that was taken in; told again, it changes nothing."""

    __tablename__ = "tracker_events"

    tracker: str = Field(primary_key=True)
    event: str = Field(primary_key=True)
    at: datetime = moment()
