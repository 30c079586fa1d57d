"""A copy of the whole records database in one file, at one moment, and such a file put back.

SQLite is copied by its own online backup; PostgreSQL by `pg_dump`, under a snapshot that the figures are read from too.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from psycopg import OperationalError
from psycopg import connect as connect_postgresql
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, make_url, text
from sqlmodel import Session

from models.errors import RecordsUnavailable, SettingsError
from records.database import open_engine
from records.migrate import revision

SQLITE, POSTGRESQL = "records.sqlite3", "records.pgdump"
"""How a copy is called, by what it is of."""

COUNTED = ("cases", "events", "messages", "attachments", "notices", "contacts", "audit")
PAGES = 2000
"""Pages of SQLite between two words of progress."""

Progress = Callable[[str], None]
"""Is told, in words for the operator, how far a long piece of work is."""

_HEADS = text(
    "SELECT e.reference, e.seq, e.hash FROM events e JOIN"
    " (SELECT reference, max(seq) AS last FROM events GROUP BY reference) m"
    " ON m.reference = e.reference AND m.last = e.seq ORDER BY e.reference"
)
_PATHS = text("SELECT path FROM attachments UNION SELECT raw_path FROM messages")


class Chain(NamedTuple):
    """Where the ledger of one inquiry ends."""

    reference: str
    seq: int
    head: str


class Figures(NamedTuple):
    """Records in figures: migration, rows by table, where every chain ends, the names of the files that rows speak of.

    All of it at one moment.
    """

    migration: str
    counts: dict[str, int]
    chains: tuple[Chain, ...]
    paths: frozenset[str]


class Copy(NamedTuple):
    """A copy: its file, and what is in it."""

    file: Path
    figures: Figures


def copy_out(url: str, folder: Path, progress: Progress) -> Copy:
    """Copy the records into a file of `folder`, while others go on writing.

    Raises RecordsUnavailable where the database does not answer or the copy fails, SettingsError where the program is
    missing that it takes.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        file = folder / SQLITE
        _copy_sqlite(_file(address), file, progress)
        return Copy(file, figures(f"sqlite:///{file}"))
    file, program = folder / POSTGRESQL, _program("pg_dump")
    with _session(url) as session:
        snapshot = str(session.connection().execute(text("SELECT pg_export_snapshot()")).scalar_one())
        progress("PostgreSQL is being copied")
        wanted = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={file}"]
        _run([program, *wanted, "--dbname"], address)
        return Copy(file, _figures(session))


def put_back(file: Path, url: str, progress: Progress) -> None:
    """Make the database at `url` out of a copy. It must be empty, and of the kind that the copy is of.

    Raises SettingsError where it is not, or a program is missing, and RecordsUnavailable where it fails.
    """
    address = make_url(url)
    if (file.name == SQLITE) is not (address.get_backend_name() == "sqlite"):
        kind = "SQLite" if file.name == SQLITE else "PostgreSQL"
        raise SettingsError(f"the backup is one of {kind}; let PLAZO_RECORDS_URL name such a database")
    refuse_full(url)
    if file.name == SQLITE:
        place = _file(address)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
        place.chmod(0o600)
        return
    progress("PostgreSQL is being filled")
    how = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-comments"]
    _run([_program("pg_restore"), *how, str(file), "--dbname"], address)


def refuse_full(url: str) -> None:
    """Raise SettingsError where the place that a backup is to be put back to is not empty, or somebody uses it."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        if _file(address).exists():
            raise SettingsError(f"{_file(address)}: there are records here; move them away first, with -wal and -shm")
        return
    _program("pg_restore")
    try:
        with connect_postgresql(_conninfo(address, secret=True)) as connection:
            query = (
                "SELECT (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()),"
                " (SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid())"
            )
            tables, others = connection.execute(query).fetchone() or (0, 0)
    except OperationalError:
        raise RecordsUnavailable("the records database does not answer; start it, or correct its address") from None
    if tables:
        raise SettingsError("there are records in this database; name an empty one in PLAZO_RECORDS_URL")
    if others:
        raise SettingsError("somebody is connected to this database; stop worker, web process and collector first")


def in_place(url: str, made: str) -> None:
    """Give a database of SQLite that was made beside its place the name it is to have, whole or not at all."""
    file = _file(make_url(made))
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    with file.open("rb") as made_file:
        os.fsync(made_file.fileno())
    file.replace(_file(make_url(url)))


def beside(url: str) -> str:
    """Return the address at which a backup is put back first: beside its place for a file, else the same."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return url
    file = _file(address)
    return f"sqlite:///{file.with_name(file.name + '.restoring')}"


def figures(url: str) -> Figures:
    """Look at the records at `url`. Raises RecordsUnavailable."""
    with _session(url) as session:
        return _figures(session)


def _figures(session: Session) -> Figures:
    connection = session.connection()
    migration = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    counts = {
        name: int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())  # noqa: S608  names of ours
        for name in COUNTED
    }
    chains = tuple(Chain(*row) for row in connection.execute(_HEADS))
    paths = frozenset(str(path).rpartition("/")[2] for path in connection.execute(_PATHS).scalars() if path)
    return Figures(migration, counts, chains, paths)


@contextmanager
def _session(url: str) -> Iterator[Session]:
    """One view of the records that stands for as long as it takes."""
    if revision(url) is None:
        raise RecordsUnavailable("the records database does not answer, or was never migrated; nothing was copied")
    engine = open_engine(url, migrating=True)
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    reading = engine.execution_options(plazo_writes=False, **(options if engine.dialect.name == "postgresql" else {}))
    try:
        with Session(reading) as session:
            yield session
    finally:
        engine.dispose()


def _copy_sqlite(source: Path, target: Path, progress: Progress) -> None:
    def told(_status: int, left: int, whole: int) -> None:
        progress(f"records: {100 * (whole - left) // max(whole, 1)} % of {whole} pages")

    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as ours,
            closing(sqlite3.connect(target)) as copy,
        ):
            # A view held from here on: without it every commit of another process would begin the copy anew.
            ours.execute("BEGIN")
            ours.execute("SELECT count(*) FROM sqlite_master").fetchone()
            ours.backup(copy, pages=PAGES, progress=told)
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise RecordsUnavailable(f"the records database cannot be copied: {error}; nothing was kept") from None
    target.chmod(0o600)


def _file(address: URL) -> Path:
    return Path((address.database or "").removeprefix("file:"))


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SettingsError(
            f"{name} is not on this machine's path; install PostgreSQL's client programs, no older than the server"
            " (Debian: postgresql-client), or run this where they are"
        )
    return found


def _run(command: list[str], address: URL) -> None:
    """Run a program of PostgreSQL; the password travels in its environment, where no list of processes shows it."""
    secret = {"PGPASSWORD": str(address.password)} if address.password else {}
    done = subprocess.run(  # noqa: S603  a program of PostgreSQL's, with arguments of ours
        [*command, _conninfo(address)], env={**os.environ, **secret}, capture_output=True, check=False, text=True
    )
    if done.returncode:
        # Its first line says what is wrong; further ones may quote rows.
        why = (done.stderr.strip().splitlines() or ["it said nothing"])[0][:300]
        raise RecordsUnavailable(f"{Path(command[0]).name} failed: {why}")


def _conninfo(address: URL, *, secret: bool = False) -> str:
    named = {
        "host": address.host,
        "port": address.port,
        "user": address.username,
        "dbname": address.database,
        "password": str(address.password) if secret and address.password else None,
        **{name: str(value) for name, value in address.query.items()},
    }
    return make_conninfo("", **{name: value for name, value in named.items() if value is not None})
