"""One town for all round trips of a process; people are new in each, and nobody leaves faults behind."""

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.databases import Template
from tests.faults.town import Town, town
from tests.trials.agent import Agent
from tests.waiting import PATIENCE

CHROMIUM = shutil.which("chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VARIABLES = {"PLAZO_CHAT_SESSIONS_PER_MINUTE": "1000"}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def here(tmp_path_factory: pytest.TempPathFactory, blank_records: Template) -> AsyncIterator[Town]:
    records_url, _ = blank_records.apart(tmp_path_factory.mktemp("records"))
    async with town(tmp_path_factory.mktemp("town"), records_url, VARIABLES, gather=1) as made:
        yield made


@pytest.fixture
def agent(here: Town) -> Agent:
    return Agent(here)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here; on Debian: apt-get install chromium")
    expect.set_options(timeout=PATIENCE * 1000)  # of the whole process
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(timezone_id="America/El_Salvador")
    opened = await context.new_page()
    opened.set_default_timeout(PATIENCE * 1000)
    yield opened
    await context.close()
