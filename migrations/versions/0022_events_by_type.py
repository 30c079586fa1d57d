"""Events are looked for by type and time, never by time alone: the reports walk along this index."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_events_type_at", "events", ["type", "at"])
    op.drop_index("ix_events_at", table_name="events")


def downgrade() -> None:
    op.create_index("ix_events_at", "events", ["at"])
    op.drop_index("ix_events_type_at", table_name="events")
