"""One engine, one writer, nothing lost, and errors that say so."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import Session, text

from models.errors import RecordsUnavailable, SettingsError
from models.tables import ApiKey, ContactAddress, Salt
from records.database import Database, add_once
from records.migrate import upgrade

NOON = datetime(2026, 2, 2, 12, tzinfo=UTC)


def count(session: Session) -> int:
    return int(session.connection().execute(text("SELECT salt FROM salts WHERE reference = 'n'")).scalar_one())


def add_one(database: Database) -> None:
    with database.write() as session:
        now = count(session)
        session.connection().execute(text("UPDATE salts SET salt = :n WHERE reference = 'n'"), {"n": str(now + 1)})


def test_no_increment_is_lost_between_threads_and_processes(records_url: str) -> None:
    first, second = Database(records_url, patience=30), Database(records_url, patience=30)
    with first.write() as session:
        session.add(Salt(reference="n", salt="0"))
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(add_one, [first, second] * 200))
    with first.read() as session:
        assert count(session) == 400
    first.close()
    second.close()


@pytest.mark.sqlite
def test_the_file_is_kept_as_it_must_be(database: Database) -> None:
    with database.read() as session:
        asked = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        pragmas = {name: session.connection().execute(text(f"PRAGMA {name}")).scalar() for name in asked}
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
    }


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    pair = [Salt(reference="a", salt="1"), Salt(reference="b", salt="1"), Salt(reference="b", salt="2")]
    with pytest.raises(IntegrityError), database.write() as session:
        session.add_all(pair)
    with database.read() as session:
        assert session.get(Salt, "a") is None


def test_a_reader_sees_one_moment_and_cannot_write(database: Database) -> None:
    with database.read() as reader:
        assert reader.get(Salt, "a") is None
        with database.write() as session:
            session.add(Salt(reference="a", salt="1"))
        assert reader.get(Salt, "a") is None
    with pytest.raises(RecordsUnavailable, match=r"readonly|read-only"), database.read() as session:
        add_once(session, Salt(reference="b", salt="1"))


def test_a_foreign_key_is_kept(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(
            ContactAddress(id="ad_1", contact="ct_none", channel="email", value="v", folded="v", created_at=NOON)
        )


def test_a_double_is_refused_and_the_rest_of_the_transaction_goes_on(database: Database) -> None:
    with database.write() as session:
        assert add_once(session, Salt(reference="a", salt="1"))
        session.expunge_all()
        assert not add_once(session, Salt(reference="a", salt="2"))
        assert add_once(session, Salt(reference="b", salt="3"))
    with database.read() as session:
        assert session.get_one(Salt, "a").salt == "1"
        assert session.get_one(Salt, "b").salt == "3"


def test_times_are_aware_utc_in_and_out(database: Database) -> None:
    local = datetime(2026, 2, 2, 6, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-6)))
    with database.write() as session:
        session.add(ApiKey(id="key_1", digest="d", actor="a", role="agent", created_at=local))
    with database.read() as session:
        stored = session.get_one(ApiKey, "key_1")
    assert stored.created_at == local
    assert stored.created_at.tzinfo is UTC
    assert stored.revoked_at is None
    naive = ApiKey(id="key_2", digest="e", actor="a", role="agent", created_at=local.replace(tzinfo=None))
    with pytest.raises(StatementError, match="naive"), database.write() as session:
        session.add(naive)


@pytest.mark.sqlite
def test_locked_beyond_patience_is_unavailable_and_good_again_after(records_url: str) -> None:
    other = sqlite3.connect(records_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database = Database(records_url, patience=0.05)
    with pytest.raises(RecordsUnavailable, match="locked"), database.write() as session:
        session.get(Salt, "a")
    with database.read() as session:
        assert session.get(Salt, "a") is None
    other.execute("ROLLBACK")
    other.close()
    with database.write() as session:
        session.add(Salt(reference="a", salt="1"))
    database.close()


def test_writers_of_one_process_queue_with_patience(records_url: str) -> None:
    database = Database(records_url, patience=0.05)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with database.write():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(10)
    with pytest.raises(RecordsUnavailable, match=r"busy for 0\.05 s"), database.write():
        pass
    leave.set()
    thread.join()
    with database.write():
        pass
    database.close()


@pytest.mark.parametrize("content", [None, b"", b"this is no database" * 100])
def test_a_file_that_is_gone_or_is_none_of_ours_is_unavailable(tmp_path: Path, content: bytes | None) -> None:
    place = tmp_path / "records.db"
    if content is not None:
        place.write_bytes(content)
    database = Database(f"sqlite:///{place}")
    with pytest.raises(RecordsUnavailable):
        database.revision()
    assert place.exists() == (content is not None)
    database.close()


@pytest.mark.sqlite
def test_a_file_that_goes_under_our_hands_is_not_written_into(records_url: str, tmp_path: Path) -> None:
    database = Database(records_url)
    with database.write() as session:
        session.add(Salt(reference="a", salt="1"))
    database.revision()
    (tmp_path / "records.db").rename(tmp_path / "elsewhere.db")
    with pytest.raises(RecordsUnavailable, match="unable to open"), database.write() as session:
        session.get(Salt, "a")
    with pytest.raises(RecordsUnavailable):
        database.revision()
    (tmp_path / "elsewhere.db").rename(tmp_path / "records.db")
    with database.write() as session:
        assert session.get_one(Salt, "a").salt == "1"
    database.close()


@pytest.mark.sqlite
def test_a_full_disk_is_unavailable_and_nothing_half_is_kept(database: Database) -> None:
    event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=1"))
    with pytest.raises(RecordsUnavailable, match="full"), database.write() as session:
        session.add_all(Salt(reference=f"{n}", salt="x" * 4000) for n in range(50))
    with database.read() as session:
        assert session.get(Salt, "0") is None


def test_a_place_with_odd_characters_is_a_place(tmp_path: Path) -> None:
    place = tmp_path / "a b?c#d%20é" / "records.db"
    upgrade(f"sqlite:///{quote(str(place))}")
    found = list(tmp_path.rglob("records.db"))
    assert len(found) == 1
    database = Database(f"sqlite:///{quote(str(place))}")
    database.revision()
    database.close()


def test_ping_is_content_with_a_migrated_database(database: Database) -> None:
    database.revision()


def test_errors_carry_no_value(database: Database) -> None:
    double = [Salt(reference="ana@example.org", salt=salt) for salt in "12"]
    with pytest.raises(IntegrityError) as caught, database.write() as session:
        session.add_all(double)
    assert "ana@" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["nonsense", "sqlite://", "sqlite:///:memory:", "mysql://there/plazo", "postgresql+psycopg2://there/plazo"],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match=r"write (sqlite:///|postgresql)"):
        Database(address)


WRITER = """
import sys
from models.tables import Salt
from records.database import Database
database = Database(sys.argv[1])
n = int(sys.argv[2])
while True:
    n += 1
    with database.write() as session:
        session.add(Salt(reference=f"{n:06}/a", salt="1"))
        session.flush()
        session.add(Salt(reference=f"{n:06}/b", salt="1"))
    print(n, flush=True)
"""


@pytest.mark.sqlite
def test_a_writer_killed_in_mid_write_loses_nothing_it_committed(records_url: str) -> None:
    acknowledged = 0
    for wanted in (3, 20):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, records_url, str(acknowledged + 1)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(wanted):
                acknowledged = int(writer.stdout.readline())
            time.sleep(0.003)
            os.kill(writer.pid, signal.SIGKILL)
            rest = writer.stdout.read().splitlines(keepends=True)
            acknowledged = max([acknowledged, *(int(line) for line in rest if line.endswith("\n"))])
    database = Database(records_url)
    with database.read() as session:
        found = [row[0] for row in session.connection().execute(text("SELECT reference FROM salts ORDER BY 1"))]
        assert session.connection().execute(text("PRAGMA integrity_check")).scalar() == "ok"
    database.close()
    firsts = {name[:6] for name in found if name.endswith("/a")}
    assert firsts == {name[:6] for name in found if name.endswith("/b")}
    assert f"{acknowledged:06}" in firsts
    assert len(firsts) >= 23
