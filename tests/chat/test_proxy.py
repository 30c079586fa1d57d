"""Where a visitor comes from behind a proxy, in the web process as it really runs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from records.database import Database
from tests.starter.conftest import free_port
from tests.waiting import PATIENCE

PROXY = "127.0.0.2"
MOST = 3


@pytest.fixture
def port(database: Database, tmp_path: Path) -> Iterator[int]:
    """A web process behind a proxy that has another address than the process."""
    found = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PLAZO_", "TEMPORAL_"))},
        "PLAZO_VAR": str(tmp_path),
        "PLAZO_RECORDS_URL": str(database.engine.url),
        "PLAZO_TEMPORAL": f"127.0.0.1:{free_port()}",
        "PLAZO_WEB_PORT": str(found),
        "PLAZO_TRUSTED_PROXIES": f"192.0.2.7, {PROXY}/32",
        "PLAZO_CHAT_SESSIONS_PER_MINUTE": str(MOST),
    }
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "starter.web"], env=environment, stdout=log, stderr=log)
    try:
        end = time.monotonic() + PATIENCE
        while not _answers(found):
            assert process.poll() is None, (tmp_path / "web.log").read_text()
            assert time.monotonic() < end, "the web process did not start"
            time.sleep(0.05)
        yield found
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def opened(port: int, come_from: str, visitors: list[str]) -> list[int]:
    """Begin a conversation for each visitor, over a connection from somewhere."""
    with httpx2.Client(transport=httpx2.HTTPTransport(local_address=come_from)) as http:
        url = f"http://127.0.0.1:{port}/chat/v1/sessions"
        return [http.post(url, json={}, headers={"X-Forwarded-For": one}).status_code for one in visitors]


def test_visitors_are_told_apart_by_the_word_of_a_trusted_proxy_alone(port: int) -> None:
    many = [f"198.51.100.{n}" for n in range(1, MOST + 3)]
    assert opened(port, PROXY, many) == [201] * len(many), "each visitor is one"
    assert opened(port, PROXY, ["203.0.113.9"] * (MOST + 1)) == [201] * MOST + [429]
    assert opened(port, PROXY, [f"{one}, 203.0.113.9" for one in many])[0] == 429, (
        "what a visitor adds counts for nothing"
    )
    assert opened(port, "127.0.0.1", many) == [201] * MOST + [429] * 2, "anybody else speaks for themselves alone"
