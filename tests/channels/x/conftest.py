from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.x.adapter import X
from counterparts.x.app import Arrangement
from tests.channels.x.places import House, Standin, adapter, open_house, open_standin


@pytest.fixture
def house() -> Iterator[House]:
    with open_house() as opened:
        yield opened


@pytest.fixture
def standin(house: House) -> Iterator[Standin]:
    with open_standin(Arrangement(house.url, tries=3)) as opened:
        yield opened


@pytest.fixture
def channel(standin: Standin, house: House, tmp_path: Path) -> X:
    house.channel = adapter(standin.port, tmp_path)
    return house.channel
