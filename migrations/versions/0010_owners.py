"""An index by owner: who has what, the next due first."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.create_index("ix_cases_owner_due", "cases", ["owner", "due_order", "reference"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_cases_owner_due", table_name="cases")
