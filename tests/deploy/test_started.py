"""What docker-compose.yml starts, started for real without containers: on PostgreSQL and a Temporal of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml

from tests.postgresql import Server
from tests.waiting import PATIENCE, until

HOUSE = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((HOUSE / "docker-compose.yml").read_text("utf-8"))["services"]
SCRIPTS = sysconfig.get_path("scripts")
BUILD = "seventh"  # nothing that Temporal would write by itself, as it does dates


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone afterwards."""
    with log.open("ab") as file:
        process = subprocess.Popen(command, env=environment, cwd=HOUSE, stdout=file, stderr=file)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


class Machine:
    """What the containers share: a Temporal server, the secrets, the environment."""

    def __init__(self, folder: Path, records: str) -> None:
        self.folder = folder
        self.temporal, self.web = free_port(), free_port()
        secrets = folder / "secrets"
        self._run(["sh", "deploy/secrets.sh", str(secrets)], {})
        url = secrets / "plazo" / "plazo_records_url"
        url.chmod(0o644)
        url.write_text(records)
        self._moved = {
            "PLAZO_SECRETS_DIR": str(secrets / "plazo"),
            "PLAZO_VAR": str(folder),
            "PLAZO_TEMPORAL": f"127.0.0.1:{self.temporal}",
            "TEMPORAL_ADDRESS": f"127.0.0.1:{self.temporal}",
            "PLAZO_WEB_PORT": str(self.web),
            "PLAZO_MAILROOM_PORT": str(free_port()),
        }

    def environment(self, name: str) -> dict[str, str]:
        """A service's environment in `--profile dev`, where it is not another place."""
        said = SERVICES[name].get("environment", {})
        plain = {key: value for key, value in said.items() if value is not None and "$" not in value}
        there = {"PATH": f"{SCRIPTS}:{os.environ['PATH']}", "HOME": str(self.folder)}
        there["PLAZO_METRICS_PORT"] = str(free_port())  # of its own: they share one machine here
        plain.pop("PLAZO_METRICS_PORT", None)
        return {**there, **plain, **{key: value for key, value in self._moved.items() if key in said or key[0] != "T"}}

    def start(self, name: str, **more: str) -> Any:
        """Start a service."""
        _, *arguments = SERVICES[name]["command"]
        return started([sys.executable, *arguments], {**self.environment(name), **more}, self.folder / f"{name}.log")

    def once(self, name: str) -> str:
        """Run a service that ends by itself."""
        if "entrypoint" in SERVICES[name]:
            command = [
                part.replace("/deploy", str(HOUSE / "deploy" / "temporal")) for part in SERVICES[name]["entrypoint"]
            ]
        else:
            command = [sys.executable, *SERVICES[name]["command"][1:]]
        return self._run(command, self.environment(name))

    def ask(self, *question: str) -> Any:
        """Ask Temporal by its command line."""
        said = self._run(
            ["temporal", *question, "--namespace=plazo", "--output=json"], self.environment("temporal-namespace")
        )
        return json.loads(said)

    def tell(self, *order: str) -> None:
        """Give Temporal an order by its command line."""
        self._run(["temporal", *order, "--namespace=plazo"], self.environment("temporal-namespace"))

    def ready(self) -> bool:
        """Whether the web process answers as the health check wants."""
        try:
            with urlopen(f"http://127.0.0.1:{self.web}/readyz", timeout=4) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def _run(self, command: list[str], environment: dict[str, str]) -> str:
        done = subprocess.run(
            command, cwd=HOUSE, env=environment or None, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def machine(tmp_path: Path, postgresql: Server) -> Iterator[Machine]:
    made = Machine(tmp_path, postgresql.address(postgresql.create()))
    server = [f"{SCRIPTS}/temporal", "server", "start-dev", "--headless", "--ip=127.0.0.1", "--log-level=never"]
    with started([*server, f"--port={made.temporal}"], dict(os.environ), tmp_path / "temporal.log"):
        yield made


def test_the_services_start_on_postgresql_and_end_when_asked(machine: Machine) -> None:
    for _ in range(2):  # every start runs it again
        machine.once("temporal-namespace")
    machine.once("migrate")
    described = machine.ask("operator", "namespace", "describe")
    assert described["config"]["workflowExecutionRetentionTtl"] == "7776000s"
    with ExitStack() as house:
        mailroom = house.enter_context(machine.start("mailroom"))
        running = [house.enter_context(machine.start(name)) for name in ("web", "collector")]
        running.append(house.enter_context(machine.start("worker", PLAZO_BUILD_ID=BUILD)))
        until(machine.ready, "the web process is ready", 60)

        def versions() -> bool:
            if not machine.ask("worker", "deployment", "list"):
                return False
            return BUILD in json.dumps(machine.ask("worker", "deployment", "describe", "--name=plazo"))

        until(versions, "Temporal knows the worker's version", 60)
        deployment = ("--deployment-name=plazo", f"--build-id={BUILD}")
        machine.tell("worker", "deployment", "set-current-version", *deployment, "--yes")
        machine.tell("workflow", "start", "--type=Digest", "--workflow-id=now", "--task-queue=plazo")

        def worked() -> bool:
            said = json.dumps(machine.ask("workflow", "describe", "--workflow-id=now"))
            return "AUTO_UPGRADE" in said and BUILD in said

        until(worked, "a workflow ran under the worker's version", 60)
        logs = {path.name: path.read_text() for path in machine.folder.glob("*.log")}
        assert all(process.poll() is None for process in (mailroom, *running)), logs
        for process in reversed(running):
            process.send_signal(signal.SIGTERM)
        assert {process.wait(timeout=PATIENCE) for process in running} == {0}, logs
