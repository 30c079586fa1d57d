"""What channels need kept: files still with the provider, where a feed stands, what a provider counted, bindings."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel

from models.tables.base import maybe_moment, moment


class RemoteFile(SQLModel, table=True):
    """A file of a message that lies with the provider: fetched soon after the message is stored.

    `done_at` without an attachment of the message means that it was given up; the message says why.
    """

    __tablename__ = "remote_files"
    __table_args__ = (
        Index(
            "ix_remote_files_waiting",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    message: str = Field(foreign_key="messages.id", index=True)
    channel: str
    remote_id: str
    filename: str
    content_type: str
    size: int = 0
    attempts: int = 0
    last_error: str = ""
    not_before: datetime | None = maybe_moment()
    created_at: datetime = moment()
    done_at: datetime | None = maybe_moment()


class StreamNumber(SQLModel, table=True):
    """A number that a provider gave to something it handed over, whatever that was: a missing one is a gap."""

    __tablename__ = "stream_numbers"

    stream: str = Field(primary_key=True)
    n: int = Field(primary_key=True, sa_type=BigInteger)
    stored_at: datetime = moment()


class SettledGap(SQLModel, table=True):
    """Numbers that never came, `first` to `last`: who has looked into it, when, and what they found."""

    __tablename__ = "settled_gaps"

    stream: str = Field(primary_key=True)
    first: int = Field(primary_key=True, sa_type=BigInteger)
    last: int = Field(sa_type=BigInteger)
    settled_by: str
    reasons: str = Field(sa_type=Text)
    settled_at: datetime = moment()


class FeedRow(SQLModel, table=True):
    """Where a feed stands: its cursor, who runs it until when, and how the last look went."""

    __tablename__ = "feeds"

    name: str = Field(primary_key=True)
    channel: str
    cursor: str = Field(default="", sa_type=Text)
    holder: str = ""
    held_until: datetime | None = maybe_moment()
    looked_at: datetime | None = maybe_moment()
    failing_since: datetime | None = maybe_moment()
    last_error: str = ""
    late: int = 0
    """How many messages it found that the channel's webhook had not brought."""


class NoticePart(SQLModel, table=True):
    """A part of a letter that a channel took, in order; a reply to any of them finds its inquiry."""

    __tablename__ = "notice_parts"
    __table_args__ = (Index("ix_notice_parts_provider", "channel", "provider_id"),)

    notice: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    channel: str
    provider_id: str
    at: datetime = moment()


class Binding(SQLModel, table=True):
    """A one-time code by which a person shows from another address that both are theirs. `digest` is the code's."""

    __tablename__ = "bindings"

    digest: str = Field(primary_key=True)
    contact: str = Field(foreign_key="contacts.id", index=True)
    bound: bool
    """Whether whoever made it vouches for who the person is."""
    made_by: str
    created_at: datetime = moment()
    ends_at: datetime = moment()
    used_at: datetime | None = maybe_moment()
    address_id: str | None = None
