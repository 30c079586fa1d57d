"""How often Temporal refused a row, apart from the tries in which nobody answered."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it. What is refused now is refused again within minutes, and counted."""
    op.add_column("dispatches", sa.Column("refusals", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("dispatches", "refusals")
