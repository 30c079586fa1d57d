"""One time-skipping server, one database and one worker for each test; a real server for a module that wants it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from models.search import SEARCH_ATTRIBUTES
from tests.lives import Life, living
from tests.waiting import UP
from tests.workflows.steady import TEMPORAL, Steady, steadily, suggesting

SUGGESTED = 40
"""Events after which the server suggests to continue as new."""


@pytest.fixture
async def life(tmp_path: Path, records_url: str) -> AsyncIterator[Life]:
    async with living(tmp_path, records_url) as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[str]:
    """A real server's address."""
    async with await WorkflowEnvironment.start_local(
        dev_server_startup_timeout=UP,
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_extra_args=suggesting(SUGGESTED),
    ) as env:
        yield env.client.service_client.config.target_host


@pytest.fixture
async def steady(records_url: str, server: str) -> AsyncIterator[Steady]:
    async with steadily(records_url, server) as one:
        yield one
