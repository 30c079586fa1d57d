"""The web chat: sessions, what was said in each, and tickets for streams."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def word(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A text column."""
    return sa.Column(name, sa.String(), nullable=nullable)


def words(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A column of long text."""
    return sa.Column(name, sa.Text(), nullable=nullable)


def number(name: str) -> sa.Column[Any]:
    """A whole number."""
    return sa.Column(name, sa.Integer(), nullable=False)


def truth(name: str) -> sa.Column[Any]:
    """True or false."""
    return sa.Column(name, sa.Boolean(), nullable=False)


def moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A moment in UTC."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "chat_sessions",
        word("id"),
        word("digest"),
        word("language", nullable=True),
        word("email"),
        truth("email_told"),
        word("name"),
        word("account"),
        truth("bound"),
        moment("created_at"),
        moment("expires_at"),
        moment("seen_at"),
        number("last_seq"),
        number("read_seq"),
        sa.PrimaryKeyConstraint("id", name="pk_chat_sessions"),
        sa.UniqueConstraint("digest", name="uq_chat_sessions_digest"),
    )
    op.create_table(
        "chat_events",
        word("session"),
        number("seq"),
        word("kind"),
        word("key"),
        word("digest"),
        word("message_id"),
        word("reference"),
        words("subject"),
        words("text"),
        words("html", nullable=True),
        sa.Column("attachments", sa.JSON(), nullable=False),
        moment("at"),
        moment("settled_at", nullable=True),
        sa.ForeignKeyConstraint(["session"], ["chat_sessions.id"], name="fk_chat_events_session"),
        sa.PrimaryKeyConstraint("session", "seq", name="pk_chat_events"),
        sa.UniqueConstraint("session", "kind", "key", name="uq_chat_events_session_kind_key"),
    )
    unsettled = sa.text("kind = 'letter' AND settled_at IS NULL")
    op.create_index(
        "ix_chat_events_unsettled", "chat_events", ["at"], sqlite_where=unsettled, postgresql_where=unsettled
    )
    op.create_table(
        "chat_tickets",
        word("digest"),
        word("session"),
        moment("expires_at"),
        sa.ForeignKeyConstraint(["session"], ["chat_sessions.id"], name="fk_chat_tickets_session"),
        sa.PrimaryKeyConstraint("digest", name="pk_chat_tickets"),
    )
    op.create_index("ix_chat_tickets_expires_at", "chat_tickets", ["expires_at"])


def downgrade() -> None:
    """Take them away."""
    for table in ("chat_tickets", "chat_events", "chat_sessions"):
        op.drop_table(table)
