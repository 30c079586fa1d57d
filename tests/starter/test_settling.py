"""A gap that somebody has looked into: signed for, and no alarm any more."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select
from typer.testing import CliRunner

from models.tables import ChatEvent, SettledGap
from records import chat, chat_sessions, streams
from records.database import Database
from starter.admin.inbox import inbox
from starter.cli import build

NOW = datetime.now(UTC)
SIGNED = ("--by", "ana", "--why", "two test messages\r\nof the provider")


def plazo(database: Database, folder: Path, *arguments: str) -> tuple[int, str]:
    outer: dict[str, str | None] = {name: None for name in os.environ if name.startswith("PLAZO_")}
    environment = {
        **outer,
        "PLAZO_VAR": str(folder / "var"),
        "PLAZO_RECORDS_URL": database.engine.url.render_as_string(hide_password=False),
    }
    done = CliRunner().invoke(build(arguments), arguments, env=environment, prog_name="plazo")
    return done.exit_code, done.output


def keep(database: Database, numbers: tuple[int, ...], at: datetime = NOW) -> None:
    with database.write() as session:
        streams.add(session, [("telegram:1", n) for n in numbers], at)


def signed(database: Database) -> list[SettledGap]:
    with database.read() as session:
        return list(session.exec(select(SettledGap).order_by(col(SettledGap.first))))


def alarms(database: Database, at: datetime = NOW) -> tuple[str, ...]:
    with database.read() as session:
        return inbox(session, at).alarms


def test_a_gap_is_settled_by_somebody_who_signs_for_it(database: Database, tmp_path: Path) -> None:
    keep(database, (5, 8, 9, 11))
    assert len(alarms(database)) == 2
    assert plazo(database, tmp_path, "inbox", "--settle", "telegram:1", *SIGNED) == (0, "3 settled\n")
    assert alarms(database) == ()
    first, second = signed(database)
    assert (first.stream, first.first, first.last) == ("telegram:1", 6, 7)
    assert (second.first, second.settled_by, second.reasons) == (10, "ana", "two test messages of the provider")
    assert first.settled_at >= NOW
    keep(database, (13,))
    assert alarms(database) == ("telegram:1: numbers are missing between 12 and 12",), "the next gap is one again"


@pytest.mark.parametrize("said", [("--settle", "telegram:1"), SIGNED, ("--settle", "telegram:1", "--by", "ana")])
def test_nothing_is_settled_unsigned(database: Database, tmp_path: Path, said: tuple[str, ...]) -> None:
    keep(database, (5, 8))
    assert plazo(database, tmp_path, "inbox", *said)[0] == 2
    assert len(alarms(database)) == 1


def test_where_nothing_is_missing_there_is_nothing_to_settle(database: Database, tmp_path: Path) -> None:
    keep(database, (5, 8))
    code, said = plazo(database, tmp_path, "inbox", "--settle", "telegram:2", *SIGNED)
    assert code == 1
    assert "telegram:2: no number" in said
    assert len(alarms(database)) == 1
    assert signed(database) == []


def test_what_was_missing_long_ago_raises_no_alarm(database: Database) -> None:
    keep(database, (5, 8))
    with database.write() as session:
        row, _ = chat_sessions.open_session(session, NOW, lives=timedelta(days=180))
        event = ChatEvent(session=row.id, seq=0, kind=chat.MESSAGE, key="a", message_id="a", text="Hola", at=NOW)
        chat.add(session, event)
        session.connection().exec_driver_sql("DELETE FROM chat_events")
    assert len(alarms(database, NOW + timedelta(days=29))) == 2
    assert alarms(database, NOW + timedelta(days=31)) == ()
