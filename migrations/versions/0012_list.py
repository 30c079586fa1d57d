"""The list's index holds all that the list is filtered by, the text too: the rows themselves are long."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ORDER = ["due_order", "reference"]
FILTERS = ["status", "kind", "channel", "area", "owner", "follow_up_at", "search"]


def upgrade() -> None:
    op.drop_index("ix_cases_due", table_name="cases")
    op.create_index("ix_cases_due", "cases", ORDER + FILTERS)


def downgrade() -> None:
    op.drop_index("ix_cases_due", table_name="cases")
    op.create_index("ix_cases_due", "cases", ORDER)
