import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from records.database import Database
from records.migrate import upgrade
from tests.reporting.past import everyone, store

FIRST = datetime(2026, 1, 5, 16, tzinfo=UTC)
LATER = datetime(2026, 7, 1, 12, tzinfo=UTC)
"""Long after everything has happened."""


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("migrated") / "records.db"
    upgrade(f"sqlite:///{place}")
    return place


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(migrated, tmp_path / "records.db")
    opened = Database(f"sqlite:///{tmp_path / 'records.db'}")
    yield opened
    opened.close()


@pytest.fixture
def peopled(database: Database) -> Database:
    """Records of a quarter in which everything happened that can."""
    store(database, *everyone(FIRST))
    return database
