"""The cause that a final answer names; the list is filtered by it too."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

LISTED = [
    *("due_order", "reference", "status", "kind", "channel", "area", "owner", "follow_up_at", "search"),
    *("compartment", "about"),
]


def upgrade() -> None:
    op.add_column("cases", sa.Column("cause", sa.String(), nullable=True))
    op.drop_index("ix_cases_due", table_name="cases")
    op.create_index("ix_cases_due", "cases", [*LISTED, "cause"])


def downgrade() -> None:
    op.drop_index("ix_cases_due", table_name="cases")
    op.create_index("ix_cases_due", "cases", LISTED)
    op.drop_column("cases", "cause")
