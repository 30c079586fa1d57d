from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from records.database import Database
from tests.databases import Template
from tests.reporting.past import everyone, store

FIRST = datetime(2026, 1, 5, 16, tzinfo=UTC)
LATER = datetime(2026, 7, 1, 12, tzinfo=UTC)
"""Long after everything has happened."""


@pytest.fixture
def database(blank_records: Template, tmp_path: Path) -> Iterator[Database]:
    opened = Database(blank_records.copy(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def peopled(database: Database) -> Database:
    """Records of a quarter in which everything happened that can."""
    store(database, *everyone(FIRST))
    return database
