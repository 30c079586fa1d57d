"""Bring the records database to the form that this code knows. Works from any directory.

A new revision is written with `.venv/bin/alembic revision --autogenerate -m "..."`, then read and corrected by hand.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import exc as sql
from sqlalchemy import make_url

from models.errors import RecordsUnavailable
from records.database import open_engine

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def config(url: str) -> Config:
    """Return Alembic's configuration for the database at `url`."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    made.attributes["url"] = url
    return made


def upgrade(url: str) -> None:
    """Bring the database to `head`; make file and folder when missing. RecordsUnavailable if it does not answer."""
    _make_folder(url)
    try:
        command.upgrade(config(url), "head")
    except sql.OperationalError as error:
        raise RecordsUnavailable(f"the records database cannot be migrated: {error.orig}") from None


def revision(url: str) -> str | None:
    """Return the revision of the database, or None when it was never migrated or is not there."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except sql.OperationalError:
        return None
    finally:
        engine.dispose()


def head() -> str:
    """Return the revision that this code needs."""
    found = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if found is None:
        raise RecordsUnavailable(f"{MIGRATIONS} holds no migration; the installation is incomplete")
    return found


@contextmanager
def beside_writers() -> Iterator[None]:
    """Inside a migration on PostgreSQL: no transaction. It waits for others, however long, and nobody waits for it."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        yield
        op.execute("RESET lock_timeout")


def make_beside_writers(index: str, where: str) -> None:
    """Make an index inside `beside_writers`, e.g. on `cases (kind)`; what an earlier try left of it goes first."""
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
    op.execute(f"CREATE INDEX CONCURRENTLY {index} ON {where}")


def _make_folder(url: str) -> None:
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
