"""One town for the tests of outages: each takes people of its own and leaves everything running and well."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.databases import Template
from tests.faults.town import Town, town


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory, blank_records: Template) -> AsyncIterator[Town]:
    records_url, _ = blank_records.apart(tmp_path_factory.mktemp("records"))
    async with town(tmp_path_factory.mktemp("town"), records_url) as made:
        yield made


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def well(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """A test that fails leaves its faults to nobody."""
    yield
    if "here" in request.fixturenames:
        await request.getfixturevalue("here").well()
