"""The ledger: events that only grow, and beside them what can be erased."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from models.tables.base import moment


class EventRow(SQLModel, table=True):
    """One event of a case's chain (`models.ledger.Event`). Triggers refuse every change of it."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_type_at", "type", "at"),)

    reference: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    v: int
    at: datetime = moment()
    type: str
    actor: str
    role: str
    rule: str
    data: dict[str, Any] = Field(sa_type=JSON)
    digests: dict[str, str] = Field(sa_type=JSON)
    previous: str
    hash: str


class EventText(SQLModel, table=True):
    """A free text of an event, beside the chain so that it can be erased; the event keeps its salted digest."""

    __tablename__ = "event_texts"

    reference: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    field: str = Field(primary_key=True)
    text: str = Field(sa_type=Text)


class Salt(SQLModel, table=True):
    """The salt of a case's digests (hex). Once erased, nobody can test a guess against them."""

    __tablename__ = "salts"

    reference: str = Field(primary_key=True)
    salt: str
