"""What restored records know of their own gap: when they were put back, and which messages they have lost."""

from datetime import datetime

from sqlalchemy import bindparam, func, update
from sqlmodel import Session, col, select

from models.tables import LostMessage, RestoreRow
from models.tables.base import UtcTime
from records.database import add_once, first

_SINCE = select(RestoreRow.id).where(col(RestoreRow.at) > bindparam("owed", type_=UtcTime())).limit(1)

_LOST = (
    select(LostMessage.message, LostMessage.reference)
    .where(
        col(LostMessage.received_at) == bindparam("came", type_=UtcTime()),
        col(LostMessage.channel).in_((bindparam("channel"), "")),
        col(LostMessage.back_at).is_(None),
    )
    .order_by(col(LostMessage.message))
    .limit(1)
)
_BACK = (
    update(LostMessage)
    .where(col(LostMessage.message) == bindparam("of"))
    .values(back_at=bindparam("now", type_=UtcTime()))
)


def add(session: Session, taken_at: datetime, at: datetime) -> None:
    """Note that the records were put back at `at` to how they stood at `taken_at`."""
    session.add(RestoreRow(taken_at=taken_at, at=at))
    session.flush()


def last(session: Session) -> RestoreRow | None:
    """Return the latest restore, or None where there never was one."""
    newest = select(func.max(col(RestoreRow.id))).scalar_subquery()
    return session.exec(select(RestoreRow).where(col(RestoreRow.id) == newest)).first()


def since(session: Session, owed: datetime) -> bool:
    """Say whether the records were put back after a letter was owed: what they do not hold of it may be lost."""
    return first(session, _SINCE, owed=owed) is not None


def miss(session: Session, message: str, reference: str, channel: str, received_at: datetime) -> bool:
    """Keep that a message is lost; False where that is known."""
    lost = LostMessage(message=message, reference=reference, channel=channel, received_at=received_at)
    return add_once(session, lost)


def found(session: Session, channel: str, received_at: datetime, now: datetime) -> str | None:
    """Return the inquiry to which a message that comes in belonged before the restore, once for each that was lost."""
    row = first(session, _LOST, came=received_at, channel=channel)
    if row is None:
        return None
    session.connection().execute(_BACK, {"of": row.message, "now": now})
    return str(row.reference)
