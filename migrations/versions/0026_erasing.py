"""Which closed inquiries are to be erased still: the user was told, and their workflow must run for it.

On PostgreSQL the index is made beside running writers, outside the transaction. Whatever ends it early, it may be run
again.
"""

import sqlalchemy as sa
from alembic import op

from records.migrate import beside_writers, make_beside_writers

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ERASING = "erasing = 1"


def upgrade() -> None:
    """Add it. An erasure that is under way at this moment says so no more: its workflow ends it within minutes."""
    erasing = sa.Column("erasing", sa.Integer(), nullable=False, server_default="0")
    if op.get_context().dialect.name == "postgresql":
        op.add_column("cases", erasing, if_not_exists=True)
        with beside_writers():
            make_beside_writers("ix_cases_erasing", f"cases (reference) WHERE {ERASING}")
    else:
        op.add_column("cases", erasing)
        op.create_index("ix_cases_erasing", "cases", ["reference"], sqlite_where=sa.text(ERASING))


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_cases_erasing", table_name="cases")
    op.drop_column("cases", "erasing")
