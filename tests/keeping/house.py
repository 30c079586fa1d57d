"""A house that loses its records: a real Temporal, a worker that comes and goes, and the commands as they are."""

import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.testing import WorkflowEnvironment
from typer.testing import CliRunner

from models.search import SEARCH_ATTRIBUTES
from starter.cli import build
from tests.waiting import UP
from tests.workflows.steady import TEMPORAL

KEYS = "test:" + base64.b64encode(b"k" * 32).decode()
"""The ring of `tests.lives`, in which the workflows are sealed."""


@dataclass
class Plazo:
    """The commands on records that can be changed for others."""

    var: Path
    records_url: str
    temporal: str = "127.0.0.1:1"

    def run(self, *arguments: str, code: int = 0, **more: str) -> str:
        outer: dict[str, str | None] = {name: None for name in os.environ if name.startswith("PLAZO_")}
        own = {
            "PLAZO_VAR": str(self.var),
            "PLAZO_RECORDS_URL": self.records_url,
            "PLAZO_TEMPORAL": self.temporal,
            "PLAZO_KEYS": KEYS,
        }
        done = CliRunner().invoke(build(arguments), arguments, env={**outer, **own, **more}, prog_name="plazo")
        assert done.exit_code == code, (arguments, done.exit_code, done.output, done.exception)
        return done.stdout if code == 0 else done.output

    def data(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))


@asynccontextmanager
async def temporal() -> AsyncIterator[str]:
    """A real server of one's own; its address."""
    async with await WorkflowEnvironment.start_local(
        dev_server_startup_timeout=UP,
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        search_attributes=SEARCH_ATTRIBUTES,
    ) as env:
        yield env.client.service_client.config.target_host
