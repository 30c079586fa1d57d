from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from records.database import Database
from tests.chat.site import Site


@pytest.fixture
def database(records_url: str) -> Iterator[Database]:
    made = Database(records_url, patience=2)
    yield made
    made.close()


@pytest.fixture
def serve(database: Database, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Starts web processes on one database, with settings of their own."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Site:
            made = Site(database, tmp_path / "documents", **settings)
            return stack.enter_context(made.serving())

        yield start


@pytest.fixture
def site(serve: Callable[..., Site]) -> Site:
    return serve()
