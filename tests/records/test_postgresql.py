"""The records on PostgreSQL: migrated, patient, discreet, and good again after the server was away."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import TextClause
from sqlalchemy.exc import IntegrityError
from sqlmodel import text

from models.errors import RecordsUnavailable, SettingsError
from models.tables import IncidentJoin, Salt
from records import cases
from records.database import Database
from records.migrate import config, head, revision, upgrade
from starter.checkup.records import search
from tests.cases import MONDAY, new_case
from tests.databases import Template
from tests.postgresql import Server

HELD_UP = (
    """CREATE FUNCTION held_up() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$""",
    "CREATE TRIGGER held_up BEFORE UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION held_up()",
)
"""Whoever changes a case waits for a lock of the test's."""
TABLES = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")


@pytest.fixture
def url(blank_on_postgresql: Template, tmp_path: Path) -> str:
    return blank_on_postgresql.copy(tmp_path)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url, patience=0.2)
    yield opened
    opened.close()


def test_up_down_up_and_the_models_say_the_same(postgresql: Server) -> None:
    name = postgresql.create()
    url = postgresql.address(name)
    database = Database(url)

    def tables() -> set[str]:
        with database.read() as session:
            return set(session.connection().execute(TABLES).scalars())

    assert revision(url) is None
    with pytest.raises(RecordsUnavailable, match="run `plazo migrate`"):
        database.revision()
    upgrade(url)
    assert revision(url) == head()
    full = tables()
    assert {"messages", "dispatches", "cases", "events", "notices"} <= full
    command.check(config(url))
    command.downgrade(config(url), "base")
    assert tables() == set()
    upgrade(url)
    upgrade(url)
    assert tables() == full
    command.check(config(url))
    database.revision()
    database.close()
    postgresql.drop(name)


def test_without_trigrams_it_is_migrated_all_the_same(postgresql: Server) -> None:
    name = postgresql.create()
    postgresql.run("DO $$ BEGIN CREATE ROLE guest LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    postgresql.run(f"GRANT CONNECT ON DATABASE {name} TO guest")
    owner = Database(postgresql.address(name))
    with owner.write() as session:
        session.connection().exec_driver_sql("GRANT ALL ON SCHEMA public TO guest")
    owner.close()
    url = postgresql.address(name).replace("plazo@", "guest@")
    upgrade(url)
    guests = Database(url)
    indexes = text("SELECT indexname FROM pg_indexes WHERE tablename = 'cases'")

    def made() -> set[str]:
        with guests.read() as session:
            return set(session.connection().execute(indexes).scalars())

    assert "ix_cases_listed" in made()
    assert not {"ix_cases_due", "ix_cases_search"} & made()
    assert [one.ok for one in search(guests)] == [False]
    command.downgrade(config(url), "0023")
    assert "ix_cases_due" in made()
    assert "ix_cases_listed" not in made()
    postgresql.run_in(name, "CREATE EXTENSION pg_trgm")
    upgrade(url)
    assert "ix_cases_search" in made()
    assert [one.ok for one in search(guests)] == [True]
    guests.close()
    postgresql.drop(name)


def test_writers_go_on_while_an_index_is_made(postgresql: Server, url: str) -> None:
    command.downgrade(config(url), "0023")
    reader = Database(url)
    with reader.read() as session:
        session.get(Salt, "a")  # a view that stands, which the migration waits for
        migrating = threading.Thread(target=upgrade, args=[url])
        migrating.start()
        made = text("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_cases_search'")
        until_begun(reader, made)
        with reader.write() as writing:
            writing.add(Salt(reference="b", salt="s"))
    migrating.join(60)
    assert revision(url) == head()
    reader.close()


def test_readers_go_on_while_a_column_is_filled(url: str) -> None:
    database = Database(url, patience=1)
    with database.write() as session:
        cases.add(session, case := new_case(), subject="", excerpt="", status_token="t")
        session.add(IncidentJoin(incident="RX-2222-2222/1", reference=case.reference, n=1, joined_at=MONDAY))
        session.flush()
        session.connection().exec_driver_sql("""UPDATE cases SET state = '{"final":{}}'""")
    command.downgrade(config(url), "0022")
    with database.write() as session:
        for statement in HELD_UP:
            session.connection().exec_driver_sql(statement)
    with database.read() as session:
        session.connection().exec_driver_sql("SELECT pg_advisory_xact_lock(1)")
        migrating = threading.Thread(target=upgrade, args=[url])
        migrating.start()
        until_begun(database, text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
        with database.read() as reading:
            assert reading.connection().exec_driver_sql("SELECT reference FROM cases").scalar_one() == case.reference
    migrating.join(60)
    with database.read() as session:
        assert session.connection().exec_driver_sql("SELECT answered FROM cases").scalar_one() == 1
    assert revision(url) == head()
    database.close()


@pytest.mark.parametrize(("number", "before"), [("0023", "0022"), ("0026", "0025")])
def test_a_migration_that_was_cut_short_is_run_again(url: str, number: str, before: str) -> None:
    command.downgrade(config(url), number)
    command.stamp(config(url), before)
    upgrade(url)
    assert revision(url) == head()
    command.check(config(url))


def until_begun(database: Database, asked: TextClause) -> None:
    """Wait until a count is no longer nothing."""
    for _ in range(1_000):
        with database.read() as session:
            if session.connection().execute(asked).scalar_one():
                return
        time.sleep(0.02)
    raise TimeoutError


def test_a_migration_waits_for_no_lock_longer_than_it_must(postgresql: Server, url: str) -> None:
    holder = Database(url)
    with holder.write() as session:
        session.get(Salt, "a")
        with pytest.raises(RecordsUnavailable, match=r"cannot be migrated: .*lock timeout"):
            upgrade(url)
    holder.close()


def test_a_database_that_sorts_by_a_language_is_refused(postgresql: Server) -> None:
    name = "sorts_otherwise"
    postgresql.run(
        f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'es' LOCALE 'C' ENCODING 'UTF8'"
    )
    with pytest.raises(SettingsError, match="LOCALE 'C'"):
        upgrade(postgresql.address(name))
    postgresql.drop(name)


def test_a_writer_waits_for_its_turn_with_patience_and_a_reader_not_at_all(database: Database, url: str) -> None:
    other = Database(url)
    with other.write() as writing:
        writing.add(Salt(reference="a", salt="1"))
        writing.flush()
        with pytest.raises(RecordsUnavailable, match="lock timeout"), database.write() as session:
            session.get(Salt, "a")
        with database.read() as session:
            assert session.get(Salt, "a") is None
    with database.write() as session:
        assert session.get_one(Salt, "a").salt == "1"
    other.close()


def test_errors_carry_no_value(database: Database) -> None:
    double = [Salt(reference="ana@example.org", salt=salt) for salt in "12"]
    with pytest.raises(IntegrityError) as caught, database.write() as session:
        session.add_all(double)
    assert "pk_salts" in str(caught.value)
    assert "ana@" not in f"{caught.value} {caught.value.orig} {caught.value!r}"


def test_a_server_that_drops_us_is_unavailable_and_good_again_after(database: Database, postgresql: Server) -> None:
    def dropped() -> None:
        with database.write() as session:
            mine = session.connection().execute(text("SELECT pg_backend_pid()")).scalar_one()
            postgresql.run(f"SELECT pg_terminate_backend({mine})")
            session.get(Salt, "a")

    with pytest.raises(RecordsUnavailable, match="terminating connection"):
        dropped()
    with database.write() as session:
        session.add(Salt(reference="a", salt="1"))
    database.revision()


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://plazo@/plazo?host={tmp_path}"
    database = Database(url, patience=0.2)
    with pytest.raises(RecordsUnavailable, match="ask again later"):
        database.revision()
    assert revision(url) is None
    with pytest.raises(RecordsUnavailable, match="cannot be migrated"):
        upgrade(url)
    database.close()


def test_a_statement_that_never_ends_is_ended(database: Database) -> None:
    def sleep() -> None:
        with database.read() as session:
            session.connection().execute(text("SET LOCAL statement_timeout = 50"))
            session.connection().execute(text("SELECT pg_sleep(30)"))

    with pytest.raises(RecordsUnavailable, match="statement timeout"):
        sleep()


WRITER = """
import sys
from models.tables import IncidentJoin, Salt
from records import cases
from records.database import Database
with Database(sys.argv[1]).write() as session:
    session.add(Salt(reference="a", salt="1"))
    session.flush()
    print("holds the turn", flush=True)
    sys.stdin.read()
"""


def test_a_writer_killed_in_mid_write_leaves_nothing_and_gives_its_turn_back(url: str) -> None:
    database = Database(url, patience=20)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "holds the turn\n"
        waited = threading.Timer(0.2, os.kill, (writer.pid, signal.SIGKILL))
        begun = time.monotonic()
        waited.start()
        with database.write() as session:
            assert session.get(Salt, "a") is None
        assert time.monotonic() - begun >= 0.2
    database.close()
