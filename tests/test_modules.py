"""One noun a module: what outgrows a few screens is two of them."""

from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[1]
ROOMS = (
    *("models", "records", "activities", "workflows", "channels", "trackers", "starter", "counterparts"),
    *("migrations", "bench", "deploy", "docs"),
)
MOST = 250
LONGER = {"migrations/versions/0001_first_tables.py": "a flat list of the first tables, which never changes again"}


def modules() -> dict[str, Path]:
    found = [*HOUSE.glob("*.py"), *(path for room in ROOMS for path in (HOUSE / room).rglob("*.py"))]
    return {str(path.relative_to(HOUSE)): path for path in sorted(found)}


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", sorted(LONGER))
def test_an_exception_is_still_one(name: str) -> None:
    assert length(HOUSE / name) > MOST


def test_no_module_is_longer_than_a_few_screens() -> None:
    assert len(modules()) > 300
    long = {name: length(path) for name, path in modules().items() if name not in LONGER and length(path) > MOST}
    assert not long, "give the second noun a module of its own"
