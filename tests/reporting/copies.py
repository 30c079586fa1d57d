"""Many inquiries out of few: the rows of stored ones, copied under further references. Their chains are not sealed."""

from typing import Any

from sqlalchemy import JSON, Column, text
from sqlmodel import SQLModel

from records.database import Database

TABLES = ("cases", "obligations", "events", "event_texts", "notices")
NUMBERS = "WITH RECURSIVE numbers(copy) AS (SELECT 1 UNION ALL SELECT copy + 1 FROM numbers WHERE copy < :times)"
NAMED = frozenset({"reference", "message_id"})
NAMING = frozenset({"key", "data", "met_by", "subject"})
"""Columns that hold keys of letters, which begin with the reference."""


def copy(database: Database, times: int) -> None:
    """Add `times` copies of every inquiry."""
    with database.write() as session:
        connection = session.connection()
        for table in TABLES:
            columns = SQLModel.metadata.tables[table].columns
            into = ", ".join(f'"{one.name}"' for one in columns)
            values = ", ".join(_value(one, connection.dialect.name) for one in columns)
            statement = f"{NUMBERS} INSERT INTO {table} ({into}) SELECT {values} FROM {table}, numbers"  # noqa: S608  our own names
            connection.execute(text(statement), {"times": times})
    if connection.dialect.name == "postgresql":
        # What the server does by itself within a minute.
        with database.engine.connect() as alone:
            alone.execution_options(isolation_level="AUTOCOMMIT", plazo_writes=False).exec_driver_sql("ANALYZE")


def _value(column: Column[Any], dialect: str) -> str:
    name = f'"{column.name}"'
    if column.name in NAMED:
        return f"{name} || '-' || copy"
    if column.name not in NAMING:
        return name
    kept = isinstance(column.type, JSON) and dialect == "postgresql"
    text_of = f"CAST({name} AS TEXT)" if kept else name
    made = f"replace({text_of}, reference || '/', reference || '-' || copy || '/')"
    return f"CAST({made} AS JSON)" if kept else made
