"""Who may use the admin API, and what it answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
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
