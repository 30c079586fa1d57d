"""Records to start from: a template made once, and a copy of it for every test, in a file or on PostgreSQL."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

import psycopg
from sqlalchemy import make_url

from records.migrate import upgrade
from tests.postgresql import Server


class Template(Protocol):
    """Records that are copied."""

    def copy(self, folder: Path) -> str:
        """Make a test's own copy, in its folder where it is a file, and return its address."""

    def apart(self, folder: Path) -> "tuple[str, Template]":
        """Make a further template out of this one: an address to fill it through first, then the template."""

    def fresh(self, folder: Path) -> str:
        """Return an address where nothing was migrated yet."""


class InFiles:
    """A file."""

    def __init__(self, place: Path) -> None:
        self._place = place

    @classmethod
    def migrated(cls, folder: Path) -> "InFiles":
        upgrade(f"sqlite:///{folder / 'records.db'}")
        return cls(folder / "records.db")

    def copy(self, folder: Path) -> str:
        return f"sqlite:///{shutil.copy(self._place, folder / 'records.db')}"

    def apart(self, folder: Path) -> tuple[str, Template]:
        return self.copy(folder), InFiles(folder / "records.db")

    def fresh(self, folder: Path) -> str:
        return f"sqlite:///{folder / 'new' / 'records.db'}"


class OnPostgresql:
    """A database of a server."""

    _made: ClassVar[list[tuple[Server, str]]] = []

    def __init__(self, server: Server, name: str) -> None:
        self._server, self._name = server, name

    @classmethod
    def migrated(cls, server: Server) -> "OnPostgresql":
        made = cls(server, server.create())
        upgrade(server.address(made._name))
        return made

    def copy(self, folder: Path) -> str:
        return self._passing(self._server.create(self._name))

    def apart(self, folder: Path) -> tuple[str, Template]:
        name = self._server.create(self._name)
        return self._server.address(name), OnPostgresql(self._server, name)

    def fresh(self, folder: Path) -> str:
        return self._passing(self._server.create())

    def _passing(self, name: str) -> str:
        self._made.append((self._server, name))
        return self._server.address(name)

    @classmethod
    def tidy(cls) -> None:
        """Remove every copy that was made."""
        while cls._made:
            server, name = cls._made.pop()
            server.drop(name)


@contextmanager
def away(url: str) -> Iterator[None]:
    """Keep everybody from records for a while: a file, which is to be closed before, or a database of a server."""
    address = make_url(url)
    assert address.database
    if address.get_backend_name() == "sqlite":
        file = Path(address.database)
        hidden = file.rename(file.with_suffix(".gone"))
        try:
            yield
        finally:
            hidden.rename(file)
        return
    with psycopg.connect(f"host={address.query['host']} user=plazo dbname=postgres", autocommit=True) as owner:
        owner.execute(f"ALTER DATABASE {address.database} ALLOW_CONNECTIONS false".encode())
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [address.database])
        try:
            yield
        finally:
            owner.execute(f"ALTER DATABASE {address.database} ALLOW_CONNECTIONS true".encode())
