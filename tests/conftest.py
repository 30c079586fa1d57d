"""Which database the tests keep their records in: `--records=sqlite`, or `--records=postgresql`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from records.database import Database
from tests.databases import InFiles, OnPostgresql, Template
from tests.postgresql import Server, programs

# A busy machine makes examples slowly; that says nothing of the code.
settings.register_profile("plazo", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("plazo")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice."""
    parser.addoption("--records", choices=["sqlite", "postgresql"], default="sqlite", help="where the records are kept")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what speaks of the other database."""
    here = config.getoption("--records")
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[here]
    items[:] = [one for one in items if one.get_closest_marker(other) is None]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """One server for all tests of a process; without one they are skipped."""
    if programs() is None:
        pytest.skip("NO POSTGRESQL FOUND: install Debian's `postgresql`, or put its programs on PATH")
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def blank_on_postgresql(postgresql: Server) -> OnPostgresql:
    """Blank records on PostgreSQL, for tests that speak of it wherever the others keep theirs."""
    return OnPostgresql.migrated(postgresql)


@pytest.fixture(scope="session")
def blank_in_a_file(tmp_path_factory: pytest.TempPathFactory) -> InFiles:
    """Blank records in a file of SQLite."""
    return InFiles.migrated(tmp_path_factory.mktemp("blank"))


@pytest.fixture(scope="session")
def blank_records(request: pytest.FixtureRequest) -> Template:
    """Records as a migration leaves them: made once, copied for every test."""
    names = {"sqlite": "blank_in_a_file", "postgresql": "blank_on_postgresql"}
    made: Template = request.getfixturevalue(names[request.config.getoption("--records")])
    return made


@pytest.fixture
def records_url(blank_records: Template, tmp_path: Path) -> str:
    """The address of a test's own records, migrated."""
    return blank_records.copy(tmp_path)


@pytest.fixture
def database(records_url: str) -> Iterator[Database]:
    """A test's own records, opened."""
    opened = Database(records_url)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _databases_go(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test made on the server goes with it."""
    yield
    OnPostgresql.tidy()
