from pathlib import Path

import pytest

from records.documents import FolderStore


@pytest.fixture
def files(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "documents")
