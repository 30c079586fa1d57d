"""What `plazo run` starts: the embedded Temporal as it must be, readiness as it is, no second house on one folder."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

from models.errors import SettingsError
from models.policy_reading import load_policy
from models.search import SEARCH_ATTRIBUTES
from settings import Settings
from starter.house.residents import _answers, _polls, ports, residents, temporal_program
from starter.house.run import prepare, refuse_taken, sole, welcome
from starter.house.supervisor import House, Patience
from tests.waiting import PATIENCE


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    numbers = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return numbers


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    temporal, ui, web, mailroom = free_ports(4)
    return Settings(
        var=tmp_path / "var", temporal_port=temporal, temporal_ui_port=ui, web_port=web, mailroom_port=mailroom
    )


class Embedded:
    """The Temporal child alone, kept by a real house."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.said: list[str] = []
        self.settled = asyncio.Event()
        children = [child for child in residents(settings) if child.name == "temporal"]
        self.house = House(children, settings.var / "log", self.said.append, Patience(first=0.1))

    def ask(self, *arguments: str) -> dict[str, dict[str, object]]:
        command = [str(temporal_program()), *arguments, "-o", "json", "--address", self.settings.temporal_address]
        answer: dict[str, dict[str, object]] = json.loads(subprocess.check_output(command))
        return answer

    def retention(self) -> object:
        return self.ask("operator", "namespace", "describe", "-n", "default")["config"]["workflowExecutionRetentionTtl"]


@pytest.fixture
async def embedded(settings: Settings) -> AsyncIterator[Embedded]:
    it = Embedded(settings)
    task = asyncio.create_task(it.house.run(it.settled.set))
    await asyncio.wait_for(it.settled.wait(), PATIENCE)
    yield it
    it.house.stop()
    await task


async def test_the_embedded_temporal_keeps_its_state_its_retention_and_our_attributes(embedded: Embedded) -> None:
    assert embedded.retention() == "7776000s"
    names = embedded.ask("operator", "search-attribute", "list")["customAttributes"]
    assert {key.name for key in SEARCH_ATTRIBUTES} <= set(names)
    assert (embedded.settings.var / "temporal.db-wal").exists()

    embedded.ask("operator", "namespace", "update", "-n", "default", "--retention", "48h", "--data", "mark=1")
    (process,) = embedded.house._processes.values()
    process.kill()
    async with asyncio.timeout(PATIENCE):
        while "temporal is back" not in embedded.said:
            await asyncio.sleep(0.05)
    assert embedded.retention() == "7776000s"
    assert embedded.ask("operator", "namespace", "describe", "-n", "default")["namespaceInfo"]["data"] == {"mark": "1"}


@workflow.defn(sandboxed=False)
class Idle:
    @workflow.run
    async def run(self) -> None:
        """Nothing."""


async def test_a_worker_is_ready_when_it_polls(embedded: Embedded) -> None:
    ready = _polls(embedded.settings)
    assert not await ready(os.getpid())
    client = await Client.connect(embedded.settings.temporal_address)
    async with Worker(client, task_queue=embedded.settings.task_queue, workflows=[Idle]):
        async with asyncio.timeout(PATIENCE):
            while not await ready(os.getpid()):
                await asyncio.sleep(0.05)
        assert not await ready(1)  # another process, such as the worker that died a moment ago


async def test_without_a_server_nothing_is_ready(settings: Settings) -> None:
    assert not await _polls(settings)(os.getpid())
    assert not await _answers(settings.web_port)(os.getpid())


@pytest.mark.parametrize(("status", "expected"), [("200 OK", True), ("503 Service Unavailable", False)])
async def test_a_web_child_is_ready_when_it_says_so(status: str, expected: bool) -> None:  # noqa: FBT001
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        assert await _answers(server.sockets[0].getsockname()[1])(1) is expected
    assert asked == [b"GET /healthz HTTP/1.1\r\n"]


def test_children_start_in_order_and_share_one_temporal(settings: Settings) -> None:
    children = residents(settings)
    assert [child.name for child in children] == ["temporal", "mailroom", "worker", "web", "collector"]
    assert {child.environment["PLAZO_TEMPORAL"] for child in children[1:]} == {settings.temporal_address}
    assert sorted(ports(settings)) == ["mailroom_port", "temporal_port", "temporal_ui_port", "web_port"]


def test_the_stand_in_of_x_has_the_name_of_the_policy(settings: Settings) -> None:
    [command] = [child.command for child in residents(settings) if child.name == "mailroom"]
    address = load_policy(settings.policy).channels.named["x"].address
    assert f"@{command[command.index('--x-name') + 1]}" == address


def test_another_temporal_is_not_started(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path, temporal="temporal.example.org:7233")
    assert [child.name for child in residents(settings)] == ["mailroom", "worker", "web", "collector"]
    assert residents(settings)[0].environment["PLAZO_TEMPORAL"] == "temporal.example.org:7233"
    assert sorted(ports(settings)) == ["mailroom_port", "web_port"]
    assert "see temporal.example.org:7233" in welcome(settings, "plz_key")


def test_a_second_house_on_the_same_folder_is_told_who_has_it(tmp_path: Path) -> None:
    hold = "import sys; from pathlib import Path; from starter.house.run import sole\n"
    hold += "with sole(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with (
            pytest.raises(SettingsError, match=rf"runs already on .* \(process {first.pid}\); stop it"),
            sole(tmp_path),
        ):
            pass
        first.send_signal(signal.SIGKILL)
    with sole(tmp_path):
        assert (tmp_path / "house.lock").read_text() == str(os.getpid())


def test_a_taken_port_is_named_with_its_setting(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.web_port))
        taken.listen()
        with pytest.raises(SettingsError, match=rf"port {settings.web_port} is taken .* PLAZO_WEB_PORT"):
            refuse_taken("web_port", settings.web_port)
    refuse_taken("web_port", settings.web_port)


def test_production_is_refused() -> None:
    settings = Settings.model_construct(environment="production")
    with pytest.raises(SettingsError, match="not for production"):
        prepare(settings)


def test_the_welcome_names_every_address(settings: Settings) -> None:
    text = welcome(settings, "plz_key")
    assert "plz_key (a supervisor's" in text
    for port in (settings.web_port, settings.mailroom_port, settings.temporal_ui_port):
        assert f"127.0.0.1:{port}" in text
