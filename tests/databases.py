"""Records to start from: a template made once, and a copy of it for every test, in a file or on PostgreSQL."""

import shutil
from pathlib import Path
from typing import ClassVar, Protocol

from records.migrate import upgrade
from tests.postgresql import Server


class Template(Protocol):
    """Records that are copied."""

    def copy(self, folder: Path) -> str:
        """Make a test's own copy, in its folder where it is a file, and return its address."""

    def apart(self, folder: Path) -> "tuple[str, Template]":
        """Make a further template out of this one: an address to fill it through first, then the template."""


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
        name = self._server.create(self._name)
        self._made.append((self._server, name))
        return self._server.address(name)

    def apart(self, folder: Path) -> tuple[str, Template]:
        name = self._server.create(self._name)
        return self._server.address(name), OnPostgresql(self._server, name)

    @classmethod
    def tidy(cls) -> None:
        """Remove every copy that was made."""
        while cls._made:
            server, name = cls._made.pop()
            server.drop(name)
