"""The records database in a file: SQLite in WAL with synchronous=FULL, so what was committed survives a crash.

Every writing transaction begins IMMEDIATE: SQLAlchemy's own begin lets two writers read the same state and one lose.
"""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy import exc as sql
from sqlalchemy.pool import ConnectionPoolEntry

from models.errors import RecordsUnavailable, SettingsError


def make_engine(address: URL, *, patience: float, migrating: bool) -> Engine:
    """Make an engine with the events that SQLite needs. `migrating` makes the file when it is missing."""
    if not address.database or ":memory:" in address.database:
        raise SettingsError("the records database must be a file: write sqlite:///<file>")
    # Without mode=rw a file that has gone would be made anew, empty, and every case would seem never to have been.
    file = Path(address.database.removeprefix("file:"))
    query = {"uri": "true", "mode": "rwc" if migrating else "rw"}
    address = address.set(database=f"file:{quote(str(file))}", query=query)
    engine = create_engine(
        address,
        hide_parameters=True,
        connect_args={"timeout": patience, "check_same_thread": False},
        pool_size=8,
        max_overflow=24,
        pool_timeout=max(patience, 1.0),
    )
    event.listen(engine, "connect", _prepare)
    if not migrating:  # a migration copies tables that others point to
        event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA foreign_keys=ON"))
    event.listen(engine, "begin", _begin)
    _follow(engine, file)
    return engine


def truncate_log(engine: Engine) -> None:
    """Write the log beside the file into it and empty it: it holds what stood in the file before.

    Raises RecordsUnavailable while somebody reads what the log still holds.
    """
    raw = engine.raw_connection()
    try:
        busy = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        raw.close()
    if busy:
        raise RecordsUnavailable("the log of the records database is being read; ask again later")


def _follow(engine: Engine, file: Path) -> None:
    """Give up a connection whose file is no longer the one at that place: SQLite would write into what was deleted."""

    @event.listens_for(engine, "connect")
    def connected(_connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        record.info["file"] = _identity(file)

    @event.listens_for(engine, "checkout")
    def taken(_connection: sqlite3.Connection, record: ConnectionPoolEntry, _proxy: object) -> None:
        if record.info["file"] != _identity(file):
            raise sql.DisconnectionError


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver must not begin by itself: it would begin deferred.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("plazo_writes", True)
    if connection.info.get("writes") is not writes:
        connection.exec_driver_sql("PRAGMA query_only=OFF" if writes else "PRAGMA query_only=ON")
        connection.info["writes"] = writes
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
