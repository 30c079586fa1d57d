from collections.abc import Iterator
from pathlib import Path

import pytest

from records.database import Database
from records.documents import FolderStore
from tests.databases import Template


@pytest.fixture
def url(blank_records: Template, tmp_path: Path) -> str:
    return blank_records.copy(tmp_path)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def files(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "documents")
