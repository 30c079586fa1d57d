"""What came in: who wrote, what, and what Temporal must still be told of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.tables.base import maybe_moment, moment


class Contact(SQLModel, table=True):
    """A person, known by an opaque id alone."""

    __tablename__ = "contacts"

    id: str = Field(primary_key=True)
    account: str | None = Field(default=None, index=True, unique=True)
    """The operator's own id of the person's account, once somebody who may has bound them."""
    bound_at: datetime | None = maybe_moment()
    created_at: datetime = moment()


class ContactAddress(SQLModel, table=True):
    """A place where a person can be written to. `folded` is the same for two spellings of one address."""

    __tablename__ = "addresses"
    __table_args__ = (UniqueConstraint("channel", "folded"),)

    id: str = Field(primary_key=True)
    contact: str = Field(foreign_key="contacts.id", index=True)
    channel: str
    value: str
    folded: str
    name: str = ""
    registered: bool = False
    created_at: datetime = moment()


class StoredMessage(SQLModel, table=True):
    """One message as it came in; without `reference` it waits in quarantine. `n` is the order of storing.

    `raw_path` is where the raw copy lies in the files; `references` the Message-IDs of the thread, blanks
    between; `third_party` means that it came with a good thread token from somebody whom the case does not know.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("channel", "provider_id"),
        Index("ix_messages_newest", "channel", "n"),
        Index("ix_messages_album", "album", sqlite_where=text("album <> ''"), postgresql_where=text("album <> ''")),
    )

    n: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    channel: str
    provider_id: str
    reference: str | None = Field(default=None, index=True)
    contact: str | None = None
    address_id: str | None = None
    sender: str
    sender_name: str = ""
    sender_verified: bool = False
    third_party: bool = False
    received_at: datetime = moment()
    stored_at: datetime = moment()
    promoted_at: datetime | None = maybe_moment()
    disposition: str
    disposition_reason: str = ""
    subject: str = Field(default="", sa_type=Text)
    text: str = Field(default="", sa_type=Text)
    full_text: str = Field(default="", sa_type=Text)
    html: str | None = Field(default=None, sa_type=Text)
    message_id: str = ""
    in_reply_to: str = ""
    references: str = Field(default="", sa_type=Text)
    language: str | None = None
    kind: str = ""
    dropped: list[dict[str, str]] = Field(default=[], sa_type=JSON)
    raw_sha256: str
    raw_path: str
    part_of: str = ""
    """The id of the message that this one continues: an album's further pictures."""
    edit_of: str = ""
    """The id of the message whose new wording this is."""
    album: str = ""
    public_place: str = ""
    unreadable: str = ""


class StoredAttachment(SQLModel, table=True):
    """A file that came with a message; its bytes lie under `path`. `content_type` is the sender's claim."""

    __tablename__ = "attachments"

    id: int | None = Field(default=None, primary_key=True)
    message: str = Field(foreign_key="messages.id", index=True)
    filename: str
    content_type: str
    cid: str = ""
    size: int
    sha256: str
    path: str


class StoredPost(SQLModel, table=True):
    """What a channel's provider posted, as it came, until it is read; the rows are in the order they came."""

    __tablename__ = "posts"
    __table_args__ = (
        Index(
            "ix_posts_claimed",
            "claimed_until",
            sqlite_where=text("claimed_until IS NOT NULL"),
            postgresql_where=text("claimed_until IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    channel: str = Field(index=True)
    door: str
    content_type: str = ""
    whole: bool = True
    stored_at: datetime = moment()
    attempts: int = 0
    last_error: str = ""
    not_before: datetime | None = maybe_moment()
    claimed_until: datetime | None = maybe_moment()
    body: bytes  # last: it is long, and what stands behind it would be slow to look at

    @property
    def number(self) -> int:
        """The id of a stored row."""
        if self.id is None:
            raise ValueError("this row was never stored")
        return self.id


class Dispatch(SQLModel, table=True):
    """Something that Temporal must be told: `start`, `resume`, or a signal's name with its order as `payload`."""

    __tablename__ = "dispatches"
    __table_args__ = (
        Index(
            "ix_dispatches_waiting",
            "reference",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        # The oldest waiting ones are found without a look at all that was ever done.
        Index(
            "ix_dispatches_oldest",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    reference: str
    name: str
    payload: dict[str, Any] = Field(sa_type=JSON)
    created_at: datetime = moment()
    not_before: datetime | None = maybe_moment()
    attempts: int = 0
    refusals: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How many of the tries Temporal answered, and refused."""
    last_error: str = ""
    claimed_until: datetime | None = maybe_moment()
    done_at: datetime | None = maybe_moment()

    @property
    def number(self) -> int:
        """The id of a stored row."""
        if self.id is None:
            raise ValueError("this row was never stored")
        return self.id
