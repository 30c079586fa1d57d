"""What goes out: letters as they left, what the provider reported of them, and what people wrote for them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, Text, text
from sqlmodel import Field, SQLModel

from models.tables.base import maybe_moment, moment

_SENDING = "state = 'sending'"


class NoticeState(StrEnum):
    """What became of a letter, as far as the channel has said."""

    SENDING = "sending"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"


class Notice(SQLModel, table=True):
    """A letter exactly as it left (`key` is `<reference>/<kind>/<n>`) and what became of it.

    `wording` names the templates it was written from, each with its SHA-256; `full_text` and `full_html` are the
    complete letter where only a pointer to it left, else empty; `sha256` is that of `text` and `html`; `head` the chain
    as it stood before; `message_id`, without angle brackets, stays on every try.
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_sending", "created_at", sqlite_where=text(_SENDING), postgresql_where=text(_SENDING)),
    )

    key: str = Field(primary_key=True)
    reference: str = Field(index=True)
    kind: str
    address_id: str
    channel: str
    template: str
    version: str
    wording: dict[str, str] = Field(default_factory=dict, sa_type=JSON, sa_column_kwargs={"server_default": "{}"})
    language: str
    subject: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)
    html: str = Field(sa_type=Text)
    full_text: str = Field(default="", sa_type=Text)
    full_html: str = Field(default="", sa_type=Text)
    sha256: str
    message_id: str = Field(index=True)
    head: str
    created_at: datetime = moment()
    state: str = NoticeState.SENDING
    tries: int = 0
    first_tried_at: datetime | None = maybe_moment()
    tried_at: datetime | None = maybe_moment()
    accepted_at: datetime | None = maybe_moment()
    provider_id: str = ""
    possible_duplicate: bool = False
    last_error: str = ""
    delivered_at: datetime | None = maybe_moment()
    bounced_at: datetime | None = maybe_moment()


class NoticeEvent(SQLModel, table=True):
    """What the provider reported of a letter; its own id of the event makes a second report of the same a no-op."""

    __tablename__ = "notice_events"

    event_id: str = Field(primary_key=True)
    notice: str = Field(index=True)
    kind: str
    at: datetime = moment()
    hard: bool = False
    reason: str = ""
    stored_at: datetime = moment()


class DraftRow(SQLModel, table=True):
    """What a person wrote for a letter or a proposal."""

    __tablename__ = "drafts"

    id: str = Field(primary_key=True)
    reference: str = Field(index=True)
    kind: str
    content: dict[str, Any] = Field(sa_type=JSON)
    digest: str
    author: str
    created_at: datetime = moment()
