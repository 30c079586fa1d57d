import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from logs import configure_logs
from models.errors import RecordsUnavailable, SettingsError
from models.inquiry import SYSTEM

CANARY = "ana.canary@example.org"


@pytest.fixture(autouse=True)
def _as_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that another test ran in this process may have silenced its loggers."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)
        logging.getLogger(name).manager._clear_cache()  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root, hook, thread_hook = logging.getLogger(), sys.excepthook, threading.excepthook
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], sys.excepthook, threading.excepthook = handlers, hook, thread_hook
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    configure_logs("production", stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail(text: str) -> None:
    try:
        int(text)
    except ValueError as cause:
        raise RecordsUnavailable(f"no row for {text}") from cause


def test_an_exception_shows_its_types_and_places_and_nothing_it_says(stream: io.StringIO) -> None:
    try:
        fail(CANARY)
    except RecordsUnavailable:
        structlog.get_logger("plazo.test").exception("letter.failed", notice="RX-7KQ4-M2PD/acknowledgement/1")
    [line] = lines(stream)
    assert line["event"] == "letter.failed"
    assert line["level"] == "error"
    assert line["logger"] == "plazo.test"
    assert line["notice"] == "RX-7KQ4-M2PD/acknowledgement/1"
    assert line["error"] == "RecordsUnavailable from ValueError"
    assert line["at"][-1].startswith("tests/test_logs.py:")
    assert line["at"][-1].endswith(" fail")
    assert "canary" not in stream.getvalue()
    assert "no row" not in stream.getvalue()


def test_the_same_holds_for_every_library(stream: io.StringIO) -> None:
    try:
        fail(CANARY)
    except RecordsUnavailable as error:
        logging.getLogger("temporalio.activity").warning("Completing activity as failed", exc_info=True)
        logging.getLogger("sqlalchemy.pool").warning("lost %s: %s", "connection", error)
        logging.getLogger("temporalio.activity").warning(
            "Exception handling failed, original error: %s (x)", str(error)
        )
        logging.getLogger("sqlalchemy.pool").warning(error)
        logging.getLogger("sqlalchemy.pool").warning("lost: %(error)s", {"error": error})
        logging.getLogger("uvicorn.error").warning("Exception in ASGI application\n", exc_info=error)
    written = lines(stream)
    shown = "RecordsUnavailable from ValueError"
    assert [line.get("error") for line in written] == [shown, None, None, None, None, shown]
    assert written[1]["event"] == "lost connection: RecordsUnavailable"
    assert written[2]["event"] == "Exception handling failed, original error"
    assert written[3]["event"] == "RecordsUnavailable"
    assert written[4]["event"] == "lost: RecordsUnavailable"
    assert "canary" not in stream.getvalue()
    assert "no row" not in stream.getvalue()


def test_errors_made_for_the_operator_keep_their_text(stream: io.StringIO) -> None:
    structlog.get_logger().error("start.refused", exc_info=SettingsError("PLAZO_KEYS: must be set"))
    assert lines(stream)[0]["problem"] == "PLAZO_KEYS: must be set"


async def test_a_forgotten_task_does_not_print_its_error(stream: io.StringIO) -> None:
    async def forgotten() -> None:
        raise ValueError("the words of Ana Canary")

    task = asyncio.create_task(forgotten())
    await asyncio.wait([task])
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Task exception was never retrieved", "future": task, "exception": ValueError("Ana Canary")}
    )
    task.exception()
    [line] = lines(stream)
    assert line["error"] == "ValueError"
    assert "Canary" not in stream.getvalue()


def test_an_access_line_has_neither_client_nor_query(stream: io.StringIO) -> None:
    access = logging.getLogger("uvicorn.access")
    access.info('%s - "%s %s HTTP/%s" %d', "203.0.113.9:5000", "GET", "/api/inquiries?text=Ana+Canary", "1.1", 200)
    [line] = lines(stream)
    assert line["event"] == '- - "GET /api/inquiries HTTP/1.1" 200'


def test_values_are_blanked_at_any_depth(stream: io.StringIO) -> None:
    structlog.get_logger().info(
        f"mail to {CANARY}",
        nested={"to": [f"Ana <{CANARY}>", {CANARY: 1}], "quoted": "ana.canary%40example.org"},
        actor=SYSTEM,
        secret=SecretStr("hunter2"),
        raw=b"canary",
        number=5,
        when=datetime(2026, 3, 27, tzinfo=UTC),
        nothing=None,
    )
    [line] = lines(stream)
    assert line["event"] == "mail to <address>"
    assert line["nested"]["to"][1] == {"<address>": 1}
    assert (line["actor"], line["secret"], line["raw"]) == ("<Actor>", "<SecretStr>", "<bytes>")
    assert (line["number"], line["nothing"]) == (5, None)
    assert "2026" in line["when"]
    assert "canary" not in stream.getvalue()
    assert line["timestamp"].endswith("Z")


def test_debug_never_opens_the_engines_own_messages() -> None:
    stream = io.StringIO()
    configure_logs("production", stream=stream, level=logging.DEBUG)
    logging.getLogger("temporalio.worker").debug("Received workflow activation: %s", CANARY)
    logging.getLogger("httpx2").info("HTTP Request: GET http://127.0.0.1/?q=Ana")
    logging.getLogger("plazo").debug("seen")
    assert [line["event"] for line in lines(stream)] == ["seen"]


def test_development_reads_as_text() -> None:
    stream = io.StringIO()
    configure_logs("development", stream=stream)
    try:
        fail(CANARY)
    except RecordsUnavailable:
        structlog.get_logger().exception("letter.failed")
    assert "letter.failed" in stream.getvalue()
    assert "RecordsUnavailable from ValueError" in stream.getvalue()
    assert "canary" not in stream.getvalue()
    assert not stream.getvalue().startswith("{")


DYING = """
import sys, threading
from logs import configure_logs
configure_logs("production")
def die(): raise ValueError("the words of Ana Canary")
thread = threading.Thread(target=die); thread.start(); thread.join()
die()
"""


def test_a_process_that_dies_does_not_print_why_in_words() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DYING], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    written = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line["error"]) for line in written] == [("uncaught", "ValueError")] * 2
    assert "Canary" not in done.stderr + done.stdout


def test_an_interrupt_is_no_failure(stream: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert stream.getvalue() == ""
    assert "KeyboardInterrupt" in capsys.readouterr().err
