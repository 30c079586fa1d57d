"""What every table needs: names for its constraints, and moments that are aware UTC, in and out."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# Set before the first table: a constraint without a name cannot be changed later on SQLite.

ON_SQLITE, ON_POSTGRESQL = {"only": "sqlite"}, {"only": "postgresql"}
"""What an index says of itself (`info`) that the other database does not have."""


class UtcTime(TypeDecorator[datetime]):
    """A moment: `timestamptz` on PostgreSQL, sortable text in UTC on SQLite. A naive time raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware in, UTC stored."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored: say in which zone it is meant")
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """UTC out, aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def moment(*, index: bool = False) -> Any:
    """A required moment."""
    return Field(sa_type=UtcTime, index=index)


def maybe_moment() -> Any:
    """A moment that may be unknown or still to come."""
    return Field(default=None, sa_type=UtcTime, nullable=True)
