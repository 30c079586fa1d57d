"""When somebody is to look at a case again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.add_column("cases", sa.Column("follow_up_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_cases_follow_up", "cases", ["follow_up_at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_cases_follow_up", table_name="cases")
    op.drop_column("cases", "follow_up_at")
