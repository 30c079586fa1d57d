"""Restored records remember that they were put back, and which messages they have lost."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "restores",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restores")),
    )
    op.create_table(
        "lost_messages",
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("back_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("message", name=op.f("pk_lost_messages")),
    )
    op.create_index("ix_lost_messages_received_at", "lost_messages", ["received_at"])


def downgrade() -> None:
    op.drop_index("ix_lost_messages_received_at", table_name="lost_messages")
    op.drop_table("lost_messages")
    op.drop_table("restores")
