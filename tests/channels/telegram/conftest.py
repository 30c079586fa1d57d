from collections.abc import Callable, Iterator

import pytest

from channels.telegram.adapter import Telegram
from tests.channels.telegram.town import Town, adapter, open_town

Make = Callable[..., Telegram]


@pytest.fixture(scope="module")
def shared() -> Iterator[Town]:
    with open_town() as opened:
        yield opened


@pytest.fixture
def town(shared: Town) -> Iterator[Town]:
    yield shared
    shared.http.delete("/api/faults")
    shared.call("deleteWebhook", drop_pending_updates=True)


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes adapters whose connections are closed in the end."""
    made: list[Telegram] = []

    def one(host: str, **settings: object) -> Telegram:
        made.append(adapter(host, **settings))
        return made[-1]

    yield one
    for each in made:
        each._bot.close()


@pytest.fixture
def bot(town: Town, make: Make) -> Telegram:
    return make(town.url)
