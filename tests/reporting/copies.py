"""Many inquiries out of few: the rows of stored ones, copied under further references. Their chains are not sealed."""

from sqlalchemy import text

from records.database import Database

TABLES = ("cases", "obligations", "events", "event_texts", "notices")
NUMBERS = "WITH RECURSIVE numbers(copy) AS (SELECT 1 UNION ALL SELECT copy + 1 FROM numbers WHERE copy < :times)"
NAMED = frozenset({"reference", "message_id"})
NAMING = frozenset({"key", "data", "met_by", "subject"})
"""Columns that hold keys of letters, which begin with the reference."""


def copy(database: Database, times: int) -> None:
    """Add `times` copies of every inquiry. SQLite alone."""
    with database.write() as session:
        connection = session.connection()
        for table in TABLES:
            columns = [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")]
            into, values = ", ".join(f"`{one}`" for one in columns), ", ".join(map(_value, columns))
            statement = f"{NUMBERS} INSERT INTO {table} ({into}) SELECT {values} FROM {table}, numbers"  # noqa: S608  our own names
            connection.execute(text(statement), {"times": times})


def _value(column: str) -> str:
    if column in NAMED:
        return f"`{column}` || '-' || copy"
    if column in NAMING:
        return f"replace(`{column}`, reference || '/', reference || '-' || copy || '/')"
    return f"`{column}`"
