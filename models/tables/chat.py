"""The web chat's own book: its sessions, and what was said in each, numbered without gaps."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.tables.base import maybe_moment, moment

_UNSETTLED = "kind = 'letter' AND settled_at IS NULL"


class ChatSession(SQLModel, table=True):
    """A visitor's conversation. Of its token only the SHA-256 is kept; `last_seq` is that of its newest event."""

    __tablename__ = "chat_sessions"

    id: str = Field(primary_key=True)
    digest: str = Field(unique=True)
    language: str | None = None
    email: str = ""
    email_told: bool = False
    """Intake was told of `email`, so that the case's letters can go there."""
    name: str = ""
    account: str = ""
    """The operator's own id of the person, where a signed identity said it."""
    bound: bool = False
    created_at: datetime = moment()
    expires_at: datetime = moment()
    seen_at: datetime = moment()
    """When the visitor was last known to be there."""
    last_seq: int = 0
    read_seq: int = 0
    """The visitor has seen everything up to here."""


class ChatEvent(SQLModel, table=True):
    """A message of the visitor, or a letter of ours. `key` is the client's id of the one, the other's notice."""

    __tablename__ = "chat_events"
    __table_args__ = (
        UniqueConstraint("session", "kind", "key"),
        Index("ix_chat_events_unsettled", "at", sqlite_where=text(_UNSETTLED), postgresql_where=text(_UNSETTLED)),
    )

    session: str = Field(primary_key=True, foreign_key="chat_sessions.id")
    seq: int = Field(primary_key=True)
    kind: str
    key: str
    digest: str = ""
    """SHA-256 of the message as it was posted."""
    message_id: str
    reference: str = ""
    subject: str = Field(default="", sa_type=Text)
    text: str = Field(sa_type=Text)
    html: str | None = Field(default=None, sa_type=Text)
    attachments: list[dict[str, Any]] = Field(default=[], sa_type=JSON)
    """Name, claimed type and size of each file."""
    at: datetime = moment()
    settled_at: datetime | None = maybe_moment()
    """When a letter was seen, or given back because the visitor had left without seeing it."""


class ChatTicket(SQLModel, table=True):
    """Opens one stream where no header can be sent; only its SHA-256 is kept."""

    __tablename__ = "chat_tickets"

    digest: str = Field(primary_key=True)
    session: str = Field(foreign_key="chat_sessions.id")
    expires_at: datetime = moment(index=True)
