"""One time-skipping server, one database and one worker for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.lives import Life, living


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    async with living(tmp_path) as one:
        yield one
