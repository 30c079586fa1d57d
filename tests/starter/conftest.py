"""Databases and a Temporal server for the tests of the web process."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.search import cli_arguments
from records.database import Database
from starter.house.residents import temporal_program
from tests.starter.mailbag import Bench
from tests.waiting import PATIENCE


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def database(records_url: str) -> Iterator[Database]:
    made = Database(records_url, patience=2)
    yield made
    made.close()


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    return Bench(database, tmp_path / "documents")


class TemporalServer:
    """A real development server that can be stopped and started again on its port and database."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [str(temporal_program()), "server", "start-dev", "--headless", "--ip", "127.0.0.1"]
        command += [
            "--port",
            str(self.port),
            "--log-level",
            "never",
            "--db-filename",
            str(self._folder / "temporal.db"),
        ]
        for attribute in cli_arguments():
            command += ["--search-attribute", attribute]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("the Temporal server did not start")

    def stop(self) -> None:
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture(scope="session")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    server = TemporalServer(tmp_path_factory.mktemp("temporal"))
    server.start()
    yield server
    server.stop()
