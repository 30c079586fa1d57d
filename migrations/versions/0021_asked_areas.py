"""Which areas an inquiry asks: who speaks for one sees it meanwhile. Saved cases say it with their next event."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

LISTED = [
    *("due_order", "reference", "status", "kind", "channel", "area", "owner", "follow_up_at", "search"),
    *("compartment", "about", "cause"),
]


def upgrade() -> None:
    """Add them; the list is filtered by them too."""
    op.add_column("cases", sa.Column("asked", sa.String(), nullable=False, server_default=""))
    op.drop_index("ix_cases_due", table_name="cases")
    op.create_index("ix_cases_due", "cases", [*LISTED, "asked"])


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_cases_due", table_name="cases")
    op.create_index("ix_cases_due", "cases", LISTED)
    op.drop_column("cases", "asked")
