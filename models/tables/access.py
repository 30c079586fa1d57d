"""Who may use the admin API, what it answered, and the log of what was denied or is sensitive."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from models.tables.base import maybe_moment, moment


class ApiKey(SQLModel, table=True):
    """A key to the admin API: only its hash is kept."""

    __tablename__ = "api_keys"

    id: str = Field(primary_key=True)
    digest: str = Field(unique=True)
    actor: str
    role: str
    label: str = ""
    created_at: datetime = moment()
    revoked_at: datetime | None = maybe_moment()


class StoredAnswer(SQLModel, table=True):
    """The answer to an HTTP request with an Idempotency-Key, given again to the same request."""

    __tablename__ = "answers"

    actor: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: str
    status: int
    body: dict[str, Any] = Field(sa_type=JSON)
    created_at: datetime = moment(index=True)


class AuditLine(SQLModel, table=True):
    """Something that was denied, or that is sensitive although it was allowed. Triggers refuse to change a line.

    All of it is codes and opaque ids: `action` such as `inquiry.read`, `object` a reference or an id, `outcome` one of
    `records.audit.Outcome`, `detail` a code. Nothing that a user wrote stands here.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_actor", "actor", "id"), Index("ix_audit_object", "object", "id"))

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = moment()
    actor: str
    action: str
    object: str
    outcome: str
    detail: str = ""


class GrantRow(SQLModel, table=True):
    """Broken glass: one case is open to one person until then."""

    __tablename__ = "grants"
    __table_args__ = (Index("ix_grants_of", "reference", "actor", "until"),)

    id: int | None = Field(default=None, primary_key=True)
    reference: str
    actor: str
    at: datetime = moment()
    until: datetime = moment()
