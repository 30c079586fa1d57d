"""What other systems subscribed to, which events wait to be shared out among them, and how each post went."""

from datetime import datetime

from sqlalchemy import JSON, Index, Text, text
from sqlmodel import Field, SQLModel

from models.tables.base import maybe_moment, moment

_UNDONE = text("done_at IS NULL")


class Webhook(SQLModel, table=True):
    """A subscription. `secret` and `former_secret` are sealed; the former one signs too until `former_until`.

    `off_at`: the receiver said that it is gone (410), and nothing more is posted. `not_before`: a receiver that fails
    is left alone until then.
    """

    __tablename__ = "webhooks"

    id: str = Field(primary_key=True)
    url: str = Field(sa_type=Text, repr=False)
    events: list[str] = Field(sa_type=JSON)
    label: str = ""
    secret: str = Field(sa_type=Text, repr=False)
    former_secret: str = Field(default="", sa_type=Text, repr=False)
    former_until: datetime | None = maybe_moment()
    made_by: str
    created_at: datetime = moment()
    failures: int = 0
    """Rounds in a row in which nothing was taken."""
    failing_since: datetime | None = maybe_moment()
    error: str = Field(default="", sa_type=Text)
    not_before: datetime | None = maybe_moment()
    off_at: datetime | None = maybe_moment()


class PublishedEvent(SQLModel, table=True):
    """An event of the ledger that is published and not yet shared out: written with it, in the same transaction."""

    __tablename__ = "published_events"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    reference: str
    seq: int
    type: str


class Delivery(SQLModel, table=True):
    """One event for one subscription. `outcome`: delivered, given_up or withheld; empty while it is still to be done.

    Of one inquiry the next leaves when the one before is done, so each receiver reads a story in its order.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(
            "ix_webhook_deliveries_undone",
            "webhook",
            "reference",
            "id",
            sqlite_where=_UNDONE,
            postgresql_where=_UNDONE,
        ),
        Index("ix_webhook_deliveries_done", "done_at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    webhook: str = Field(foreign_key="webhooks.id")
    reference: str
    seq: int
    type: str
    created_at: datetime = moment()
    tries: int = 0
    tried_at: datetime | None = maybe_moment()
    not_before: datetime | None = maybe_moment()
    status: int = 0
    """What the receiver answered last; 0 where it did not answer."""
    error: str = ""
    done_at: datetime | None = maybe_moment()
    outcome: str = ""
