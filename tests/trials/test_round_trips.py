"""Each channel both ways, with the processes that really run and the providers' stand-ins, in both languages."""

import pytest
from playwright.async_api import Page

from tests.faults.town import Town
from tests.trials.agent import Agent
from tests.trials.people import PEOPLE, PageVisitor
from tests.trials.trip import round_trip

pytestmark = pytest.mark.asyncio(loop_scope="session")

both = pytest.mark.parametrize("language", ["es", "en"])


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.7")
@pytest.mark.rule("M4.1")
@pytest.mark.rule("M5.5")
@both
@pytest.mark.parametrize("way", PEOPLE)
async def test_who_writes_is_answered_on_the_same_channel(here: Town, agent: Agent, way: str, language: str) -> None:
    await round_trip(PEOPLE[way](here, language), agent, known=way == "email")


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.7")
@pytest.mark.rule("M4.1")
@pytest.mark.rule("M5.5")
@both
async def test_who_chats_in_a_browser_is_answered_there(here: Town, agent: Agent, page: Page, language: str) -> None:
    await round_trip(PageVisitor(here, language, page), agent)
