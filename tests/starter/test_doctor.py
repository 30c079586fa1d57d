"""`plazo doctor`: each thing that a deployment needs, in order or with how to mend it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.policy_reading import load_policy
from records import hooks
from records.database import Database
from settings import Settings
from starter.checkup import house
from starter.checkup import records as checkup
from starter.commands.doctor import examination
from starter.house.staff import development_staff
from tests.cases import policy
from tests.databases import Template
from tests.starter.conftest import TemporalServer
from tests.test_cli import Plazo


@pytest.fixture
def plazo(tmp_path: Path, records_url: str) -> Plazo:
    return Plazo(tmp_path, records_url)


def looked(plazo: Plazo, code: int, **environment: str) -> dict[str, Any]:
    told = plazo.run("doctor", "--json", code=code, **environment)
    return {one["what"]: one for one in json.loads(told)}


def wrong(found: dict[str, Any]) -> set[str]:
    return {what for what, one in found.items() if not one["ok"]}


def test_a_house_that_lacks_only_its_worker_says_so(plazo: Plazo, database: Database, temporal: TemporalServer) -> None:
    development_staff(policy(), database, datetime.now(UTC))
    found = looked(plazo, 1, PLAZO_TEMPORAL=temporal.address)
    assert wrong(found) <= {"worker", "schedule of the digest", "namespace"}  # it keeps closed cases for a day
    assert found["worker"]["mend"] == "start `python worker.py`"
    assert "--retention 90d" in found["namespace"]["mend"]
    assert found["search attributes"]["seen"] == "all there"
    assert found["migrations"]["ok"]


def test_what_is_wrong_is_told_with_how_to_mend_it(plazo: Plazo, database: Database) -> None:
    with database.write() as session:
        events = ["inquiry.closed.v1"]
        hooks.subscribe(
            session,
            "https://no-such-host.invalid/x?secret=1",
            events,
            "lost:AAAA",
            label="",
            made_by="ana",
            now=datetime.now(UTC),
        )
    text = plazo.run("doctor", code=1, PLAZO_TEMPORAL="127.0.0.1:9")
    assert "secret=1" not in text
    for word in ("plazo staff add", "put the former key back", "no-such-host.invalid: unknown", "PLAZO_TEMPORAL"):
        assert word in text


def test_without_a_database_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    nowhere = Plazo(tmp_path, f"sqlite:///{tmp_path / 'none.db'}")
    found = looked(nowhere, 1, PLAZO_TEMPORAL="127.0.0.1:9")
    assert {"database", "migrations", "Temporal"} <= wrong(found)
    assert "plazo migrate" in found["database"]["mend"]
    assert found["letters"]["ok"]


def test_settings_and_policy_that_cannot_be_read_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plazo: Plazo
) -> None:
    assert wrong(looked(plazo, 1, PLAZO_WEB_PORT="none")) == {"settings"}
    assert wrong(looked(plazo, 1, PLAZO_POLICY=str(tmp_path / "nowhere"))) == {"policy"}
    monkeypatch.setenv("PLAZO_WEB_PORT", "none")
    assert [one.ok for one in examination()] == [False]


def test_a_calendar_that_ends_too_soon_is_told_with_the_years_to_seed() -> None:
    settings = Settings()
    (early,) = house.calendar(load_policy(settings.policy), datetime(2030, 6, 1, tzinfo=UTC))
    assert not early.ok
    assert "--to 2032" in early.mend


def test_traces_that_cannot_be_made_are_told(plazo: Plazo) -> None:
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert "http/protobuf" in looked(plazo, 1, PLAZO_TEMPORAL="127.0.0.1:9", **asked)["traces"]["seen"]


def test_what_backups_run_is_looked_for(
    blank_on_postgresql: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(blank_on_postgresql.copy(tmp_path))
    assert [one.ok for one in checkup.programs(database)] == [True]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [one.seen for one in checkup.programs(database)] == ["not on the path: pg_dump, pg_restore"]
    database.close()


def test_a_disk_that_is_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("starter.checkup.house.LEAST_FREE", 1 << 60)
    assert [one.what for one in house.documents(Settings(var=tmp_path)) if not one.ok] == ["disk"]
