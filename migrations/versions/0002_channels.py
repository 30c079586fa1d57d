"""Channels: feeds, files that lie with a provider, parts of letters, bindings; indexes that nobody uses go."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MESSAGE_WORDS = ("part_of", "edit_of", "album", "public_place", "unreadable")
TABLES = ("remote_files", "bindings", "stream_numbers", "notice_parts", "feeds")


def word(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A text column."""
    return sa.Column(name, sa.String(), nullable=nullable)


def number(name: str) -> sa.Column[Any]:
    """A whole number."""
    return sa.Column(name, sa.Integer(), nullable=False)


def moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A moment in UTC."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "feeds",
        word("name"),
        word("channel"),
        sa.Column("cursor", sa.Text(), nullable=False),
        word("holder"),
        moment("held_until", nullable=True),
        moment("looked_at", nullable=True),
        moment("failing_since", nullable=True),
        word("last_error"),
        number("late"),
        sa.PrimaryKeyConstraint("name", name="pk_feeds"),
    )
    op.create_table(
        "notice_parts",
        word("notice"),
        number("n"),
        word("channel"),
        word("provider_id"),
        moment("at"),
        sa.PrimaryKeyConstraint("notice", "n", name="pk_notice_parts"),
    )
    op.create_index("ix_notice_parts_provider", "notice_parts", ["channel", "provider_id"])
    op.create_table(
        "stream_numbers",
        word("stream"),
        sa.Column("n", sa.BigInteger(), nullable=False),
        moment("stored_at"),
        sa.PrimaryKeyConstraint("stream", "n", name="pk_stream_numbers"),
    )
    op.create_table(
        "bindings",
        word("digest"),
        word("contact"),
        sa.Column("bound", sa.Boolean(), nullable=False),
        word("made_by"),
        moment("created_at"),
        moment("ends_at"),
        moment("used_at", nullable=True),
        word("address_id", nullable=True),
        sa.ForeignKeyConstraint(["contact"], ["contacts.id"], name="fk_bindings_contact"),
        sa.PrimaryKeyConstraint("digest", name="pk_bindings"),
    )
    op.create_index("ix_bindings_contact", "bindings", ["contact"])
    op.create_table(
        "remote_files",
        number("id"),
        word("message"),
        word("channel"),
        word("remote_id"),
        word("filename"),
        word("content_type"),
        number("size"),
        number("attempts"),
        word("last_error"),
        moment("not_before", nullable=True),
        moment("created_at"),
        moment("done_at", nullable=True),
        sa.ForeignKeyConstraint(["message"], ["messages.id"], name="fk_remote_files_message"),
        sa.PrimaryKeyConstraint("id", name="pk_remote_files"),
    )
    op.create_index("ix_remote_files_message", "remote_files", ["message"])
    waiting = sa.text("done_at IS NULL")
    op.create_index("ix_remote_files_waiting", "remote_files", ["id"], sqlite_where=waiting, postgresql_where=waiting)
    op.add_column("contacts", word("account", nullable=True))
    op.add_column("contacts", moment("bound_at", nullable=True))
    op.create_index("ix_contacts_account", "contacts", ["account"], unique=True)
    for name in MESSAGE_WORDS:
        op.add_column("messages", sa.Column(name, sa.String(), nullable=False, server_default=""))
    album = sa.text("album <> ''")
    op.create_index("ix_messages_album", "messages", ["album"], sqlite_where=album, postgresql_where=album)
    op.drop_index("ix_messages_message_id", "messages")
    op.drop_index("ix_notices_address", "notices")


def downgrade() -> None:
    """Take them away."""
    op.create_index("ix_notices_address", "notices", ["address_id", "kind", "created_at"])
    op.create_index("ix_messages_message_id", "messages", ["message_id"])
    op.drop_index("ix_messages_album", "messages")
    for name in MESSAGE_WORDS:
        op.drop_column("messages", name)
    op.drop_index("ix_contacts_account", "contacts")
    op.drop_column("contacts", "bound_at")
    op.drop_column("contacts", "account")
    for table in TABLES:
        op.drop_table(table)
