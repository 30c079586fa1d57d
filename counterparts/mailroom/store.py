"""Where the mailroom keeps letters and their events: a SQLite file that outlives a killed process."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from counterparts.mailroom.letters import Letter

_SCHEMA = """
CREATE TABLE IF NOT EXISTS letters (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, accepted_at REAL NOT NULL, recipients TEXT NOT NULL,
    notice TEXT NOT NULL, message_id TEXT NOT NULL, number INTEGER NOT NULL, request TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS letters_by_notice ON letters (notice);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, letter TEXT NOT NULL, event TEXT NOT NULL, due_at REAL NOT NULL,
    posted_at REAL);
CREATE INDEX IF NOT EXISTS events_to_post ON events (due_at) WHERE posted_at IS NULL;
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that is to be posted."""

    seq: int
    event: dict[str, Any]


class Store:
    """Letters and events. Used from one thread; times are seconds since 1970 in the file and aware UTC outside."""

    def __init__(self, folder: Path) -> None:
        """Open `folder/mailroom.db`, made when missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "mailroom.db", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing so; a power cut may cost a development machine its last letters.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def accept(self, letters: Iterable[Letter], events: Iterable[tuple[str, float, dict[str, Any]]]) -> None:
        """Keep letters and their events, (letter id, when to post, event), in one transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(
                "INSERT INTO letters (id, accepted_at, recipients, notice, message_id, number, request)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(one.id, one.accepted_at.timestamp(), " ".join(one.to).lower(), one.notice, one.message_id),
                        *(one.number, json.dumps(one.request)),
                    )
                    for one in letters
                ],
            )
            self._db.executemany(
                "INSERT INTO events (letter, due_at, event) VALUES (?, ?, ?)",
                [(letter, due_at, json.dumps(event)) for letter, due_at, event in events],
            )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def letters(
        self, *, to: str = "", notice: str = "", since: datetime | None = None, limit: int = 1000
    ) -> list[Letter]:
        """Letters, newest first; `to` is a part of an address, `notice` a whole notice key."""
        rows = self._db.execute(
            "SELECT id, accepted_at, request, number FROM letters WHERE instr(recipients, ?) AND (? = '' OR notice = ?)"
            " AND accepted_at >= ? ORDER BY seq DESC LIMIT ?",
            (to.lower(), notice, notice, since.timestamp() if since else 0.0, limit),
        )
        return [_letter(row) for row in rows]

    def letter(self, letter_id: str) -> Letter | None:
        """One letter."""
        row = self._db.execute(
            "SELECT id, accepted_at, request, number FROM letters WHERE id = ?", (letter_id,)
        ).fetchone()
        return None if row is None else _letter(row)

    def counts(self, column: str) -> dict[str, int]:
        """How many letters there are by `notice` or by `message_id`."""
        query = {
            "notice": "SELECT notice, count(*) FROM letters GROUP BY notice",
            "message_id": "SELECT message_id, count(*) FROM letters GROUP BY message_id",
        }[column]
        return dict(self._db.execute(query).fetchall())

    def waiting(self, now: float, limit: int = 500) -> list[Waiting]:
        """Events whose time to be posted has come, oldest first."""
        rows = self._db.execute(
            "SELECT seq, event FROM events WHERE posted_at IS NULL AND due_at <= ? ORDER BY due_at, seq LIMIT ?",
            (now, limit),
        )
        return [Waiting(seq, json.loads(event)) for seq, event in rows]

    def next_due(self) -> float | None:
        """When the next event is to be posted."""
        row = self._db.execute("SELECT min(due_at) FROM events WHERE posted_at IS NULL").fetchone()
        return None if row is None else row[0]

    def posted(self, events: Iterable[Waiting], now: float) -> None:
        """Note that events need not be posted again."""
        self._db.executemany("UPDATE events SET posted_at = ? WHERE seq = ?", [(now, one.seq) for one in events])

    def events_of(self, letter_id: str) -> list[tuple[dict[str, Any], bool]]:
        """A letter's events, and whether each was posted."""
        rows = self._db.execute("SELECT event, posted_at FROM events WHERE letter = ? ORDER BY seq", (letter_id,))
        return [(json.loads(event), posted_at is not None) for event, posted_at in rows]


def _letter(row: tuple[str, float, str, int]) -> Letter:
    letter_id, accepted_at, request, number = row
    return Letter(letter_id, datetime.fromtimestamp(accepted_at, UTC), json.loads(request), number)
