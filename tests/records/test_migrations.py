"""Migrations: up, down, up; the models and the migrations say the same; events only grow."""

import sqlite3
from io import StringIO
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy.exc import IntegrityError
from sqlmodel import text

from models.errors import RecordsUnavailable
from records import cases, ledger
from records.database import Database
from records.migrate import config, head, revision, upgrade
from tests.cases import new_case


def tables(place: Path) -> set[str]:
    with sqlite3.connect(place) as connection:
        found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return found - {"alembic_version", "sqlite_sequence"}


def test_up_down_up_and_the_models_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "deep" / "records.db"
    url = f"sqlite:///{place}"
    monkeypatch.chdir(tmp_path)
    assert revision(url) is None
    assert not place.exists()
    upgrade(url)
    assert revision(url) == head()
    full = tables(place)
    assert {"messages", "dispatches", "cases", "events", "notices"} <= full
    command.check(config(url))
    command.downgrade(config(url), "base")
    assert tables(place) == set()
    upgrade(url)
    upgrade(url)
    assert tables(place) == full
    command.check(config(url))


def test_a_place_where_nothing_can_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "records.db").mkdir()
    with pytest.raises(RecordsUnavailable, match="cannot be migrated"):
        upgrade(f"sqlite:///{tmp_path / 'records.db'}")


def test_the_same_migrations_speak_postgresql() -> None:
    written = StringIO()
    made = config("postgresql+psycopg://nowhere/none")
    made.output_buffer = written
    command.upgrade(made, "head", sql=True)
    script = written.getvalue()
    assert "TIMESTAMP WITH TIME ZONE" in script
    assert "CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON events" in script
    assert "CREATE TRIGGER events_no_truncate" in script
    assert "RAISE(ABORT" not in script


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET rule = 'M0' WHERE seq = 1",
        "UPDATE events SET data = '{}'",
        "DELETE FROM events WHERE seq = 1",
        pytest.param("INSERT OR REPLACE INTO events SELECT * FROM events WHERE seq = 1", marks=pytest.mark.sqlite),
        pytest.param(
            """REPLACE INTO events (reference, seq, v, at, type, actor, role, rule, data, digests, previous, hash)
            SELECT reference, seq, v, at, 'other', actor, role, rule, data, digests, previous, hash FROM events""",
            marks=pytest.mark.sqlite,
        ),
        pytest.param("TRUNCATE events", marks=pytest.mark.postgresql),
    ],
)
@pytest.mark.rule("M3.11")
def test_no_event_is_ever_changed_or_deleted(database: Database, statement: str) -> None:
    case = new_case()
    with database.write() as session:
        cases.add(session, case, subject="", excerpt="", status_token="t")
        ledger.append(session, case.seal())
        cases.project(session, case)
    with pytest.raises(IntegrityError, match="append-only"), database.write() as session:
        session.connection().execute(text(statement))
    with database.read() as session:
        assert ledger.verify(session, case.reference) == case.head
