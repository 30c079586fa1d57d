from datetime import UTC, datetime

import pytest

from records.database import Database
from tests.reporting.past import everyone, store

FIRST = datetime(2026, 1, 5, 16, tzinfo=UTC)
LATER = datetime(2026, 7, 1, 12, tzinfo=UTC)
"""Long after everything has happened."""


@pytest.fixture
def peopled(database: Database) -> Database:
    """Records of a quarter in which everything happened that can."""
    store(database, *everyone(FIRST))
    return database
