"""What a restored database must remember of its past: that it was put back, and which messages came in between."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.tables.base import maybe_moment, moment


class RestoreRow(SQLModel, table=True):
    """The records were put back at `at` to how they stood at `taken_at`."""

    __tablename__ = "restores"

    id: int | None = Field(default=None, primary_key=True)
    taken_at: datetime = moment()
    at: datetime = moment()


class LostMessage(SQLModel, table=True):
    """A message that a case knows of and the records have lost: one that comes again with this reception is the same.

    `message` is the id that it had, or the reference again for the one that opened the case; `channel` is empty where
    the case does not say it.
    """

    __tablename__ = "lost_messages"

    message: str = Field(primary_key=True)
    reference: str
    channel: str
    received_at: datetime = moment(index=True)
    back_at: datetime | None = maybe_moment()
