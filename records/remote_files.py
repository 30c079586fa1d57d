"""Files that lie with a provider still: what waits to be fetched, fetched once, or given up with a reason."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlmodel import Session, col, or_, select

from models.tables import RemoteFile, StoredMessage

MOST_ERROR = 500


class Remote(Protocol):
    """A file that lies with the provider still."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def filename(self) -> str: ...  # noqa: D102
    @property
    def content_type(self) -> str: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102


def add(session: Session, message: StoredMessage, files: Sequence[Remote], now: datetime) -> None:
    """Queue a message's files, in the transaction that stores it."""
    for file in files:
        row = RemoteFile(
            message=message.id,
            channel=message.channel,
            remote_id=file.id,
            filename=file.filename,
            content_type=file.content_type,
            size=file.size,
            created_at=now,
        )
        session.add(row)
    if files:
        session.flush()


def due(session: Session, now: datetime, limit: int = 20) -> list[RemoteFile]:
    """Return what can be fetched now, the oldest first."""
    ready = or_(col(RemoteFile.not_before).is_(None), col(RemoteFile.not_before) <= now)
    query = select(RemoteFile).where(col(RemoteFile.done_at).is_(None), ready)
    return list(session.exec(query.order_by(col(RemoteFile.id)).limit(limit)))


def waiting(session: Session) -> list[tuple[RemoteFile, str | None]]:
    """Return all that was not fetched yet, the oldest first, each with the inquiry that its message is placed in."""
    query = select(RemoteFile, StoredMessage.reference).join(
        StoredMessage, col(StoredMessage.id) == col(RemoteFile.message)
    )
    return list(session.exec(query.where(col(RemoteFile.done_at).is_(None)).order_by(col(RemoteFile.id))))


def done(session: Session, file_id: int, now: datetime) -> bool:
    """Keep that a file was fetched or given up; False when another process was quicker."""
    row = session.get(RemoteFile, file_id, with_for_update=True)
    if row is None or row.done_at is not None:
        return False
    row.done_at = now
    session.add(row)
    session.flush()
    return True


def retry(session: Session, file_id: int, error: str, now: datetime, pause: timedelta) -> int:
    """The fetch failed: not again before `pause` is over. `error` without personal data. Returns the tries so far."""
    row = session.get(RemoteFile, file_id, with_for_update=True)
    if row is None:
        raise KeyError(f"no remote file has the number {file_id}")
    row.attempts += 1
    row.last_error, row.not_before = error[:MOST_ERROR], now + pause
    session.add(row)
    session.flush()
    return row.attempts
