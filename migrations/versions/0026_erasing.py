"""Which closed inquiries are to be erased still: the user was told, and their workflow must run for it."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ERASING = sa.text("erasing = 1")


def upgrade() -> None:
    """Add it. An erasure that is under way at this moment says so no more: its workflow ends it within minutes."""
    op.add_column("cases", sa.Column("erasing", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_cases_erasing", "cases", ["reference"], sqlite_where=ERASING, postgresql_where=ERASING)


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_cases_erasing", table_name="cases")
    op.drop_column("cases", "erasing")
