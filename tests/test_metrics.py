"""What Prometheus reads, who may ask, and what a process says of itself."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse
from sqlmodel import text

import health
from keys import KeyRing
from listener import Door, open_door
from metrics import FRESH, House, exposition
from models.errors import SettingsError
from pulse import Pulse, Sdk
from records import cases
from records.database import Database
from settings import Settings
from starter.house.residents import temporal_program
from starter.web import create_app
from tests.cases import MONDAY, new_case, policy
from tests.lives import ring
from tests.starter.conftest import free_port
from tests.waiting import PATIENCE

CANARY = "canary@example.org"


def figures(body: bytes) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by name and label values."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in parse(body.decode())
        for sample in family.samples
    }


def test_the_house_is_told_without_a_word_of_any_person(database: Database) -> None:
    case = new_case()
    with database.write() as session:
        cases.add(session, case, subject=CANARY, excerpt=CANARY, status_token="t" * 43)
    body = exposition(House(database, policy(), lambda: MONDAY))
    found = figures(body)
    assert found["plazo_records_up", ()] == 1
    assert found["plazo_inquiries_open", ("cx", "received")] == 1
    assert [found["plazo_obligations_due", (days,)] for days in ("1", "2", "5")] == [0, 0, 1]
    assert found["process_open_fds", ()] > 0
    assert CANARY.encode() not in body
    assert case.reference.encode() not in body


def test_who_asks_often_does_not_ask_the_database_often(database: Database) -> None:
    clock = [0.0]
    house = House(database, policy(), lambda: MONDAY + timedelta(seconds=clock[0]), lambda: clock[0])
    assert ("plazo_inquiries_open", ("cx", "received")) not in figures(exposition(house))
    with database.write() as session:
        cases.add(session, new_case(), subject="s", excerpt="e", status_token="t" * 43)
    assert ("plazo_inquiries_open", ("cx", "received")) not in figures(exposition(house))
    clock[0] = FRESH
    assert figures(exposition(house))["plazo_inquiries_open", ("cx", "received")] == 1


def test_without_records_nothing_stale_is_told(tmp_path: Path) -> None:
    away = Database(f"sqlite:///{tmp_path / 'none.db'}")
    found = figures(exposition(House(away, policy(), lambda: MONDAY)))
    assert found["plazo_records_up", ()] == 0
    assert [name for name, _ in found if name.startswith("plazo_")] == ["plazo_records_up"]
    away.close()


def test_health_says_what_is_missing(database: Database, tmp_path: Path) -> None:
    assert health.records(database, ring) == {"database": "ok", "migrations": "ok", "keys": "ok"}
    with database.write() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '0001'"))

    def without() -> KeyRing:
        raise SettingsError("gone")

    found = health.records(database, without)
    assert found["migrations"].startswith("at 0001, needs ")
    assert found["keys"] == "cannot be read"
    with database.write() as session:  # what a newer version has migrated serves this one while a deploy rolls
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert health.able(health.records(database, ring))
    away = Database(f"sqlite:///{tmp_path / 'none.db'}")
    assert health.records(away, ring)["database"] == "away"
    away.close()


@contextmanager
def door(**more: Any) -> Iterator[httpx2.Client]:
    asked = {"metrics": lambda: b"plazo_test 1\n", "alive": lambda: True, "ready": lambda: {"database": "ok"}, **more}
    with open_door("127.0.0.1", 0, Door(**asked)) as port, httpx2.Client(base_url=f"http://127.0.0.1:{port}") as http:
        yield http


def test_the_listener_answers_three_questions_and_no_other() -> None:
    with door() as http:
        assert http.get("/metrics?x=1").text == "plazo_test 1\n"
        assert http.get("/healthz").json() == {"status": "ok"}
        assert http.get("/readyz").json() == {"database": "ok"}
        assert http.get("/etc/passwd").status_code == 404
        assert http.post("/metrics").status_code == 501


def test_the_listener_says_503_for_what_is_stuck_or_lacks_something() -> None:
    with door(alive=lambda: False, ready=lambda: {"database": "away"}) as http:
        assert http.get("/healthz").status_code == 503
        assert (http.get("/readyz").status_code, http.get("/readyz").json()) == (503, {"database": "away"})


def test_a_figure_at_fault_does_not_end_the_listener() -> None:
    def broken() -> bytes:
        raise ValueError(CANARY)

    with door(metrics=broken) as http:
        answer = http.get("/metrics")
        assert (answer.status_code, answer.content) == (500, b"")
        assert http.get("/healthz").status_code == 200


def test_a_port_that_is_taken_is_told_with_its_setting() -> None:
    with door() as http:
        again = open_door("127.0.0.1", int(http.base_url.port or 0), Door(bytes, bool, dict))
        with pytest.raises(SettingsError, match="PLAZO_METRICS_PORT"):
            again.__enter__()


async def test_a_loop_that_is_stuck_has_no_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulse.BEAT", 0.1)
    pulse = Pulse(asyncio.get_running_loop())
    assert await asyncio.to_thread(pulse.beats)
    assert pulse.temporal() == "away"
    told: list[bool] = []
    asking = threading.Thread(target=lambda: told.append(pulse.beats()))
    asking.start()
    asking.join()  # the loop stands still meanwhile
    assert told == [False]


def test_without_a_port_there_is_no_listener_and_no_runtime_of_our_own() -> None:
    assert Sdk.wanted(Settings()) == Sdk()
    assert Sdk().exposition() == b""


@pytest.mark.parametrize(("host", "there"), [("127.0.0.1", True), ("0.0.0.0", False)])
def test_a_public_listener_gives_no_figures(tmp_path: Path, *, host: str, there: bool) -> None:
    paths = create_app(Settings(var=tmp_path, web_host=host)).openapi()["paths"]
    assert ("/metrics" in paths) is there


@contextmanager
def running(folder: Path, *program: str, **settings: str) -> Iterator[httpx2.Client]:
    """A process with its listener."""
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PLAZO_", "TEMPORAL_"))}
    environment = {**inherited, "PLAZO_VAR": str(folder), "PLAZO_METRICS_PORT": str(port), **settings}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, *program], env=environment, stdout=log, stderr=log)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as http:
            yield http
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, (folder / "log").read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


async def comes(http: httpx2.Client, path: str, status: int = 200, word: str = "") -> httpx2.Response:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                answer = http.get(path)
                if answer.status_code == status and word in answer.text:
                    return answer
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)


async def test_a_collector_says_how_it_is(records_url: str, tmp_path: Path) -> None:
    with running(tmp_path, "-m", "starter.collector", PLAZO_RECORDS_URL=records_url) as http:
        ready = await comes(http, "/readyz")
        assert ready.json() == {"database": "ok", "migrations": "ok", "keys": "ok"}
        assert http.get("/healthz").status_code == 200
        assert b"process_open_fds" in http.get("/metrics").content


async def test_a_worker_says_how_it_is_and_what_the_sdk_counts(records_url: str, tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "worker.py", PLAZO_RECORDS_URL=records_url, PLAZO_TEMPORAL=f"127.0.0.1:{port}") as http:
        found = await comes(http, "/readyz", 503, "database")
        assert found.json() == {"database": "ok", "migrations": "ok", "keys": "ok", "temporal": "away"}
        assert http.get("/healthz").status_code == 200
        command = [str(temporal_program()), "server", "start-dev", "--headless", "--log-level", "never"]
        command += ["--port", str(port)]
        temporal = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            await comes(http, "/readyz")
            told = await comes(http, "/metrics", word="temporal_worker_task_slots_available")
            assert "process_open_fds" in told.text
            (tmp_path / "sdk.prom").write_text(told.text)
        finally:
            temporal.kill()
            temporal.wait()
