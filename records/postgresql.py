"""The records database on PostgreSQL 13 or newer: what many processes on many machines share.

Transactions here are written for one writer at a time, as SQLite has it: what one reads stands until it commits, and
numbers are given in the order of commits. One lock, held to the end of every writing transaction, keeps that promise on
PostgreSQL too; readers never wait for it. So nothing deadlocks, and nothing fails for having run beside something else.
"""

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy import exc as sql

from models.errors import SettingsError

DRIVER = "postgresql+psycopg"
READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""One consistent view. Writers stay at READ COMMITTED: their view must begin after the wait for their turn."""

POOL, OVERFLOW = 8, 8
"""Connections of a process: these are kept, as many more are opened for a while."""

STATEMENT_SECONDS = 30
"""The longest that a statement may take; the quarterly report's, which are the longest, take a fraction of it."""

IDLE_SECONDS = 60
"""A transaction whose process is stuck gives its turn back after this."""

_WRITER = 0x706C617A6F
_TURN = f"SELECT pg_advisory_xact_lock({_WRITER})"
_PLAIN = "SELECT current_setting('server_encoding'), 'B' < 'a' AND 'RX-B' < 'RXA'"


def make_engine(address: URL, *, patience: float, migrating: bool) -> Engine:
    """Make an engine; `patience`, in seconds, is how long a transaction waits for its turn and for any lock.

    A migration's statements take as long as they must, but wait for a lock no longer than others do.
    """
    if address.drivername != DRIVER:
        raise SettingsError(f"the records database is reached by psycopg 3: write {DRIVER}://<user>@<host>/<database>")
    kept = {
        "lock_timeout": int(patience * 1000),
        "statement_timeout": 0 if migrating else STATEMENT_SECONDS * 1000,
        "idle_in_transaction_session_timeout": 0 if migrating else IDLE_SECONDS * 1000,
    }
    engine = create_engine(
        address,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=POOL,
        max_overflow=OVERFLOW,
        pool_timeout=max(patience, 1.0),
        connect_args={
            "options": " ".join(f"-c {name}={value}" for name, value in kept.items()),
            "connect_timeout": max(2, round(patience)),
            "application_name": "plazo",
        },
    )
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _discreet)
    return engine


def check(connection: Connection) -> None:
    """Refuse a database that would sort or store text otherwise than by its characters. Raises SettingsError."""
    encoding, by_characters = connection.exec_driver_sql(_PLAIN).one()
    if encoding != "UTF8" or not by_characters:
        raise SettingsError(
            "the records database must hold UTF-8 and sort by characters: make it with"
            " CREATE DATABASE plazo TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        )


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("plazo_writes", True):
        connection.exec_driver_sql(_TURN)


def _discreet(context: ExceptionContext) -> None:
    """Keep the first line of an error alone: the others quote what was to be stored."""
    error = context.sqlalchemy_exception
    if isinstance(error, sql.DBAPIError) and error.orig is not None:
        said = (str(error.orig).splitlines() or [type(error.orig).__name__])[0]
        error.orig.args = (said,)
        error.args = (f"({type(error.orig).__name__}) {said}",)
