import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from records.database import Database
from records.migrate import upgrade
from tests.chat.site import Site


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("records") / "records.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{shutil.copy(migrated, tmp_path / 'records.db')}", patience=2)
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
