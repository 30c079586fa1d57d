"""Files that messages left with their provider: fetched, kept like every attachment, or given up with a reason."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from channels.message import Attachment
from channels.message import RemoteFile as Remote
from channels.registry import Adapters
from models.errors import ChannelError, RecipientError, RecordsUnavailable
from models.tables import RemoteFile
from records import documents, messages, remote_files
from records.database import Database
from records.documents import AttachmentStore

TURN = 1.0
"""Seconds between two looks for files."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
PATIENCE = timedelta(days=3)
"""After this a file is given up; the message says so."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Fetching:
    """Fetches what is due. `clock` gives aware UTC."""

    database: Database
    files: AttachmentStore
    channels: Adapters
    clock: Callable[[], datetime]

    def run(self, stop: threading.Event) -> None:
        """Fetch until told to stop; nothing that goes wrong ends it before."""
        while not stop.is_set():
            try:
                self.turn(stop)
            except RecordsUnavailable:
                log.warning("files.later", why="the records database or the file store is away")
            except Exception:
                log.exception("files.broken")
            stop.wait(TURN)

    def turn(self, stop: threading.Event) -> int:
        """Fetch everything that is due now; return how many files came. Raises RecordsUnavailable."""
        with self.database.read() as session:
            due = remote_files.due(session, self.clock())
        return sum(self._fetch(row) for row in due if not stop.is_set())

    def _fetch(self, row: RemoteFile) -> bool:
        adapter = self.channels.get(row.channel)
        if adapter is None:
            return self._later(row, f"channel {row.channel} is switched off")
        wanted = Remote(id=row.remote_id, filename=row.filename, content_type=row.content_type, size=row.size)
        try:
            content = adapter.fetch(wanted)
        except RecipientError as error:
            return self._give_up(row, error.detail)
        except ChannelError as error:
            return self._later(row, error.detail)
        except Exception as error:
            # One file that nobody can fetch must not keep the others waiting behind it.
            log.exception("files.broken", channel=row.channel, message=row.message)
            return self._later(row, type(error).__name__)
        file = Attachment(
            filename=row.filename,
            content_type=row.content_type,
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        kept, now = self.files.put(content), self.clock()
        with self.database.write() as session:
            if remote_files.done(session, row.id or 0, now):
                documents.attach(session, row.message, file, kept)
                self.files.hold(kept, content)
        return True

    def _later(self, row: RemoteFile, why: str) -> bool:
        now = self.clock()
        if now - row.created_at > PATIENCE:
            return self._give_up(row, why)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(row.attempts, 12))
        with self.database.write() as session:
            tries = remote_files.retry(session, row.id or 0, why, now, pause)
        log.warning("files.not-fetched", channel=row.channel, message=row.message, tries=tries, why=why)
        return False

    def _give_up(self, row: RemoteFile, why: str) -> bool:
        now = self.clock()
        with self.database.write() as session:
            if remote_files.done(session, row.id or 0, now):
                messages.drop(session, row.message, what=row.filename or "a file", why=why)
        log.error("files.given-up", channel=row.channel, message=row.message, why=why)
        return False
