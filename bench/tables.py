"""Rows as either database hands them over in bulk: read as text, renamed, and written by the thousand."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import psycopg
from sqlalchemy import make_url

TABLE_ENDS, ROW_ENDS, VALUE_ENDS, NULL = "\x1d", "\x1e", "\x1f", "\x18"
"""What stands between values that are written as text; nobody's words hold them."""


@dataclass(frozen=True)
class Rows:
    """Rows of some tables, with the columns that they have, as one text."""

    tables: tuple[tuple[str, tuple[str, ...]], ...]
    text: str

    def renamed(self, old: Sequence[str], new: Sequence[str]) -> "Rows":
        """The same with other names in them."""
        text = self.text
        for before, after in zip(old, new, strict=True):
            text = text.replace(before, after)
        return replace(self, text=text)


class Bulk(Protocol):
    """A database that is filled in bulk."""

    def read(self, wanted: Iterable[tuple[str, str, str]], but: dict[str, str]) -> Rows:
        """Rows of tables whose column holds a value, without the columns of `but`, by table."""

    def write(self, many: Sequence[Rows]) -> None:
        """Add rows of the same tables, in one transaction."""

    def settle(self) -> None:
        """Do what the database does by itself within minutes."""

    def stored_bytes(self) -> int:
        """Bytes in use."""


def rows_of(url: str) -> Bulk:
    """Return the way into the database at `url`."""
    return Sqlite(url) if make_url(url).get_backend_name() == "sqlite" else Postgresql(url)


def _by_table(many: Sequence[Rows]) -> Iterator[tuple[str, tuple[str, ...], list[str]]]:
    """Each table, its columns, and what all of them have for it."""
    parts = zip(*(rows.text.split(TABLE_ENDS) for rows in many), strict=True)
    for (table, columns), texts in zip(many[0].tables, parts, strict=True):
        yield table, columns, [text for text in texts if text]


class Sqlite:
    """A file."""

    def __init__(self, url: str) -> None:
        self._file = str(make_url(url).database)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=30)) as connection, connection:
            connection.execute("PRAGMA synchronous=OFF")
            yield connection

    def read(self, wanted: Iterable[tuple[str, str, str]], but: dict[str, str]) -> Rows:
        """As `Bulk`."""
        tables, texts = [], []
        with self._open() as connection:
            for table, column, value in wanted:
                names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                columns = tuple(name for name in names if name != but.get(table))
                query = f'SELECT {_listed(columns)} FROM {table} WHERE "{column}" = ?'
                rows = connection.execute(query, [value]).fetchall()
                tables.append((table, columns))
                texts.append(ROW_ENDS.join(VALUE_ENDS.join(map(_written, row)) for row in rows))
        return Rows(tuple(tables), TABLE_ENDS.join(texts))

    def write(self, many: Sequence[Rows]) -> None:
        """As `Bulk`."""
        with self._open() as connection:
            for table, columns, texts in _by_table(many):
                rows = [map(_read, row.split(VALUE_ENDS)) for text in texts for row in text.split(ROW_ENDS)]
                places = ", ".join("?" * len(columns))
                values = map(tuple, rows)
                connection.executemany(f"INSERT INTO {table} ({_listed(columns)}) VALUES ({places})", values)

    def settle(self) -> None:
        """It writes its log into the file."""
        with self._open() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def stored_bytes(self) -> int:
        """As `Bulk`."""
        with self._open() as connection:
            pages, free, size = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)


def _written(value: object) -> str:
    return NULL if value is None else str(value)


def _read(text: str) -> str | None:
    """A number stays text: the column makes it one again."""
    return None if text == NULL else text


class Postgresql:
    """A database of a server."""

    def __init__(self, url: str) -> None:
        address = make_url(url)
        asked = {name: str(value) for name, value in address.query.items()}
        self._where: dict[str, Any] = {"user": address.username, "dbname": address.database, **asked}

    def read(self, wanted: Iterable[tuple[str, str, str]], but: dict[str, str]) -> Rows:
        """As `Bulk`."""
        tables, texts = [], []
        with psycopg.connect(**self._where) as connection:
            for table, column, value in wanted:
                described = connection.execute(f"SELECT * FROM {table} LIMIT 0".encode()).description or ()
                columns = tuple(one.name for one in described if one.name != but.get(table))
                picked = f"COPY (SELECT {_listed(columns)} FROM {table} WHERE \"{column}\" = '{value}') TO STDOUT"
                with connection.cursor().copy(picked.encode()) as copy:
                    tables.append((table, columns))
                    texts.append(b"".join(bytes(part) for part in copy).decode())
        return Rows(tuple(tables), TABLE_ENDS.join(texts))

    def write(self, many: Sequence[Rows]) -> None:
        """As `Bulk`."""
        with psycopg.connect(**self._where) as connection:
            for table, columns, texts in _by_table(many):
                with connection.cursor().copy(f"COPY {table} ({_listed(columns)}) FROM STDIN".encode()) as copy:
                    copy.write("".join(texts))

    def settle(self) -> None:
        """Vacuum, and look at what there is."""
        with psycopg.connect(**self._where, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")

    def stored_bytes(self) -> int:
        """As `Bulk`."""
        with psycopg.connect(**self._where) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
