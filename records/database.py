"""The records database: one engine a process, one writer at a time, and errors that say so.

It is SQLite or PostgreSQL; what each of them needs stands in a module of its own, and the rest of the house cannot tell
which it is.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Engine, Executable, make_url
from sqlalchemy import exc as sql
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.sql.dml import Insert
from sqlmodel import Session, SQLModel, text

from models.errors import RecordsUnavailable, SettingsError
from records import postgresql, sqlite

PATIENCE = 5.0
"""Seconds that a transaction waits for another writer before it gives up."""

_WRITE = "write sqlite:///<file> or postgresql+psycopg://<user>@<host>/<database>"
_AWAY = (sql.OperationalError, sql.InterfaceError, sql.InternalError, sql.TimeoutError)


class Database:
    """The records database at `url`, e.g. `sqlite:////srv/plazo/records.db`, migrated: see `records.migrate`.

    `patience` is in seconds. `write` and `read` raise RecordsUnavailable when it does not answer; nothing is stored
    then. Rows stay readable after their session. Raises SettingsError for an address that is none.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        """Make the engine; no connection is opened before the first session."""
        self.engine = open_engine(url, patience=patience)
        view = postgresql.READING if self.engine.dialect.name == "postgresql" else {}
        self._reading = self.engine.execution_options(plazo_writes=False, **view)
        self._writing = self.engine.execution_options(plazo_writes=True)
        self._patience = patience
        # There is one writer: within a process they queue here, which is fair, and hold no connection meanwhile.
        self._turn = threading.Lock()

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

    def revision(self) -> str:
        """Return the number of the migration it stands at; RecordsUnavailable where it was never migrated."""
        with self.read() as session:
            return str(session.connection().execute(text("SELECT version_num FROM alembic_version")).scalar_one())

    def forget(self) -> None:
        """See to it that no file holds what was just erased; RecordsUnavailable where somebody reads still."""
        with _answering(), self._writer():
            if self.engine.dialect.name == "sqlite":
                sqlite.truncate_log(self.engine)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    @contextmanager
    def _writer(self) -> Iterator[None]:
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
    insert = insert_postgresql if dialect == "postgresql" else insert_sqlite
    return insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def first(session: Session, statement: Executable, **parameters: object) -> Any:
    """Return the first row of a statement made beforehand, or None: many times cheaper than one made for each call."""
    return session.connection().execute(statement, parameters).first()


def open_engine(url: str, *, patience: float = PATIENCE, migrating: bool = False) -> Engine:
    """Make an engine; `migrating` makes SQLite's file when it is missing. SettingsError for an address that is none."""
    try:
        address = make_url(url)
        dialect = address.get_backend_name()
    except sql.ArgumentError:
        raise SettingsError(f"the address of the records database cannot be read: {_WRITE}") from None
    if dialect == "sqlite":
        return sqlite.make_engine(address, patience=patience, migrating=migrating)
    if dialect == "postgresql":
        return postgresql.make_engine(address, patience=patience, migrating=migrating)
    raise SettingsError(f"the records are kept in SQLite or PostgreSQL alone: {_WRITE}")


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except _AWAY as error:
        raise RecordsUnavailable(_say(error)) from None
    except sql.DatabaseError as error:
        # The subclasses are mistakes of ours and stay what they are, save for a table that is not there: nobody has
        # migrated. The class itself means a damaged file.
        if type(error) is not sql.DatabaseError and not _unmigrated(error):
            raise
        raise RecordsUnavailable(_say(error)) from None


def _unmigrated(error: Exception) -> bool:
    """Whether a table is missing, in the words of either database."""
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlstate", None) == "42P01" or "no such table" in str(cause)


def _say(error: Exception) -> str:
    cause = (str(getattr(error, "orig", None) or "").splitlines() or [type(error).__name__])[0]
    hint = "; run `plazo migrate`" if _unmigrated(error) or "unable to open" in cause else ""
    return f"the records database does not answer: {cause}{hint}; nothing was stored, ask again later"
