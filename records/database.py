"""The records database: one engine a process, one writer at a time, and errors that say so.

SQLite runs in WAL with synchronous=FULL, so what was committed survives a crash. Every writing transaction begins
IMMEDIATE: SQLAlchemy's own begin lets two writers read the same state and one of them lose. Nothing else is known of
the dialect here.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Executable, create_engine, event, make_url
from sqlalchemy import exc as sql
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.dml import Insert
from sqlmodel import Session, SQLModel, text

from models.errors import RecordsUnavailable, SettingsError

PATIENCE = 5.0
"""Seconds that a transaction waits for another writer before it gives up."""

_AWAY = (sql.OperationalError, sql.InterfaceError, sql.InternalError, sql.TimeoutError)


class Database:
    """The records database at `url`, e.g. `sqlite:////srv/plazo/records.db`. It must exist: see `records.migrate`.

    `patience` is in seconds. `write` and `read` raise RecordsUnavailable when it does not answer; nothing is stored
    then. Rows stay readable after their session. Raises SettingsError for an address that is none.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        """Make the engine; no connection is opened before the first session."""
        self.engine = open_engine(url, patience=patience)
        self._reading = self.engine.execution_options(plazo_writes=False)
        self._writing = self.engine.execution_options(plazo_writes=True)
        self._patience = patience
        # SQLite has one writer: within a process they queue here, which is fair, instead of polling for its lock.
        self._turn = threading.Lock() if self.engine.dialect.name == "sqlite" else None

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back when anything is raised."""
        with _answering(), self._writer(), Session(self._writing, expire_on_commit=False) as session:
            yield session
            session.commit()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent view; writing through it is an error."""
        with _answering(), Session(self._reading, expire_on_commit=False) as session:
            yield session

    def ping(self) -> None:
        """Ask whether the database answers and is migrated; RecordsUnavailable if not."""
        with self.read() as session:
            session.connection().execute(text("SELECT version_num FROM alembic_version"))

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    @contextmanager
    def _writer(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=self._patience):
            raise RecordsUnavailable(f"the records database was busy for {self._patience:g} s; ask again later")
        try:
            yield
        finally:
            self._turn.release()


def add_once(session: Session, row: SQLModel) -> bool:
    """Insert a row; False, and nothing changed, when another with the same key is there already.

    The session does not know the row afterwards: whoever wants to change it gets it first.
    """
    connection = session.connection()
    values = {name: value for name, value in row.model_dump().items() if value is not None}
    return connection.execute(_inserting(type(row), connection.dialect.name), values).rowcount == 1


@cache
def _inserting(table: type[SQLModel], dialect: str) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def first(session: Session, statement: Executable, **parameters: object) -> Any:
    """Return the first row of a statement made beforehand, or None: many times cheaper than one made for each call."""
    return session.connection().execute(statement, parameters).first()


def open_engine(url: str, *, patience: float = PATIENCE, migrating: bool = False) -> Engine:
    """Make an engine with the events that SQLite needs. `migrating` makes the file when it is missing."""
    try:
        address = make_url(url)
        dialect = address.get_backend_name()
    except sql.ArgumentError:
        raise SettingsError("the address of the records database cannot be read: write sqlite:///<file>") from None
    if dialect != "sqlite":
        return create_engine(address, hide_parameters=True, pool_pre_ping=True)
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


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except _AWAY as error:
        raise RecordsUnavailable(_say(error)) from None
    except sql.DatabaseError as error:
        # The subclasses are mistakes of ours and stay what they are; the class itself means a damaged file.
        if type(error) is not sql.DatabaseError:
            raise
        raise RecordsUnavailable(_say(error)) from None


def _say(error: Exception) -> str:
    cause = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
    hint = "; run `plazo migrate`" if "no such table" in cause or "unable to open" in cause else ""
    return f"the records database does not answer: {cause}{hint}; nothing was stored, ask again later"
