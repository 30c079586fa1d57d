"""Web process, worker and collector as they really run, with their records on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from records.database import Database
from tests.faults.town import Town, town
from tests.postgresql import Server
from tests.trials.agent import Agent
from tests.trials.people import PEOPLE
from tests.trials.trip import round_trip

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def there(tmp_path_factory: pytest.TempPathFactory, postgresql: Server) -> AsyncIterator[Town]:
    records_url = postgresql.address(postgresql.create())
    async with town(tmp_path_factory.mktemp("town"), records_url, gather=1) as made:
        yield made


async def test_a_round_trip_by_webhook_and_one_by_polling(there: Town) -> None:
    for way in ("email", "telegram"):
        reference = await round_trip(PEOPLE[way](there, "es"), Agent(there), known=way == "email")
        assert (await there.plazo("verify", reference))[0] == 0
    database = Database(there.settings.records_url)
    assert database.engine.dialect.name == "postgresql"
    database.close()
