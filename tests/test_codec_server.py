"""On a real Temporal server with its database in a file: nothing that was said stands there in clear."""

import asyncio
import base64
import re
import socket
import sysconfig
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from structlog.testing import capture_logs
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from engine import connect, register_search_attributes
from keys import parse_keys
from models.errors import SettingsError
from models.search import SEARCH_ATTRIBUTES
from models.sight import Eyes
from settings import Settings
from starter.codec_callers import Callers
from starter.codec_endpoint import Line, codec_router
from tests.cases import policy
from tests.sealed_workflow import Sealed
from tests.waiting import UP

TEMPORAL = str(Path(sysconfig.get_path("scripts")) / "temporal")
CANARY = "ana.canary@example.org"
KEYS = f"one:{base64.b64encode(b'k' * 32).decode()}"


@activity.defn
async def fail(canary: str) -> None:
    raise ApplicationError(f"no row for {canary}", canary, type="NoSuchRow")


class Unread:
    """A book in which nobody reads."""

    def note(self, lines: Sequence[Line]) -> None:
        """Forget them."""

    def hidden(self, eyes: Eyes, reference: str) -> str:
        return ""


@pytest.fixture
def codec_url() -> Iterator[str]:
    application = FastAPI()
    application.include_router(
        codec_router(Settings(), parse_keys(KEYS, "test"), Unread(), Callers("", local=True, rights=policy().rights))
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/codec"
        server.should_exit = True
        thread.join()


async def command_line(address: str, *arguments: str) -> str:
    """Run the stock command line, which knows nothing of our keys."""
    process = await asyncio.create_subprocess_exec(
        TEMPORAL,
        *arguments,
        "--address",
        address,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output
    return output.decode()


def in_clear(folder: Path, text: str) -> int:
    """Count the text in the database's files, as it is and in the forms base64 gives it."""
    stored = b"".join(path.read_bytes() for path in folder.iterdir())
    return stored.count(text.encode()) + stored.count(base64.b64encode(text.encode())[:-4])


async def test_nothing_said_stands_in_the_database_and_the_endpoint_reads_it_all(
    tmp_path: Path, codec_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    database = tmp_path / "database"
    database.mkdir()
    queue, control = uuid.uuid4().hex, f"control-{uuid.uuid4().hex}"
    async with await WorkflowEnvironment.start_local(
        dev_server_startup_timeout=UP,
        dev_server_existing_path=TEMPORAL,
        dev_server_database_filename=str(database / "temporal.db"),
        dev_server_extra_args=["--sqlite-pragma", "journal_mode=WAL"],
    ) as env:
        address = env.client.service_client.config.target_host
        client = await connect(Settings.model_validate({"temporal": address, "keys": KEYS}))
        with capture_logs() as lines:
            history_id = await live(client, address, queue, codec_url)
        shown = await command_line(
            address, "workflow", "show", "--workflow-id", history_id, "-o", "json", "--codec-endpoint", codec_url
        )
        unread = await command_line(address, "workflow", "show", "--workflow-id", history_id, "-o", "json")
        details = await command_line(
            address, "workflow", "describe", "--workflow-id", history_id, "--codec-endpoint", codec_url
        )
        await Client(env.client.service_client).start_workflow("Any", control, id=control, task_queue=queue)

    assert [(line["event"], line["attempt"], line["code"]) for line in lines if line["log_level"] == "error"] == [
        ("activity.failing", 1, "NoSuchRow"),
        ("activity.failed_for_good", 2, "NoSuchRow"),
    ]
    for what in ("failure", "detail", "activity", "timer", "result", "no row for", "summary", "static details"):
        assert f"{what} {CANARY}" in said(shown), what
    assert f"summary {CANARY}" in details
    assert CANARY not in said(unread)
    assert in_clear(database, control) > 1
    assert in_clear(database, history_id) > 0
    assert in_clear(database, CANARY) == 0
    assert in_clear(database, "canary") == 0


async def live(client: Client, address: str, queue: str, codec_url: str) -> str:
    """Run the workflow that says the canary everywhere, to its end; return its id."""
    async with Worker(client, task_queue=queue, workflows=[Sealed], activities=[fail]):
        handle = await client.start_workflow(
            Sealed.run,
            CANARY,
            id=f"sealed/{queue}",
            task_queue=queue,
            memo={"memo": CANARY},
            static_summary=f"summary {CANARY}",
            static_details=f"static details {CANARY}",
        )
        await handle.signal("ours", CANARY)
        signal = ("workflow", "signal", "--workflow-id", handle.id, "--input", '{"until": "2026-05-13"}', "--name")
        await command_line(address, *signal, "plain")
        await command_line(address, *signal, "through_the_endpoint", "--codec-endpoint", codec_url)
        heard = await handle.execute_update(Sealed.heard, 3)
        assert heard == [("ours", True), ("plain", False), ("through_the_endpoint", False)]
        card = ("workflow", "metadata", "--workflow-id", handle.id, "-o", "json")
        assert f"details {CANARY}" in await command_line(address, *card, "--codec-endpoint", codec_url)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Sealed.refuse, CANARY)
        assert await handle.execute_update(Sealed.finish, CANARY) == f"result {CANARY}"
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        assert await (await handle.describe()).static_summary() == f"summary {CANARY}"
        return handle.id


def said(output: str) -> str:
    """Return what the command line printed, with the payloads in it decoded from base64."""
    return output + "".join(
        base64.b64decode(data).decode("utf-8", "replace") for data in re.findall(r'"data": "([^"]+)"', output)
    )


async def test_search_attributes_are_registered_beside_what_is_there(tmp_path: Path) -> None:
    first, second = SEARCH_ATTRIBUTES[0], SEARCH_ATTRIBUTES[5]
    async with await WorkflowEnvironment.start_local(
        dev_server_startup_timeout=UP, dev_server_existing_path=TEMPORAL, search_attributes=[first]
    ) as env:
        await asyncio.gather(*(register_search_attributes(env.client) for _ in range(4)))
        await register_search_attributes(env.client)
        address = env.client.service_client.config.target_host
        listed = await command_line(address, "operator", "search-attribute", "list")
        assert all(key.name in listed for key in SEARCH_ATTRIBUTES)
    clash: Any = type(first).for_text(second.name)
    async with await WorkflowEnvironment.start_local(
        dev_server_startup_timeout=UP, dev_server_existing_path=TEMPORAL, search_attributes=[clash]
    ) as env:
        with pytest.raises(SettingsError, match=f"{second.name} of namespace default has another type"):
            await register_search_attributes(env.client)
