"""Whom a case is kept from, and for whom the glass was broken."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


WHOSE = ["compartment", "about"]
LISTED = ["due_order", "reference", "status", "kind", "channel", "area", "owner", "follow_up_at", "search"]


def upgrade() -> None:
    """Add them."""
    for name in WHOSE:
        op.add_column("cases", sa.Column(name, sa.String(), nullable=False, server_default=""))
    # The list is filtered by them too.
    op.drop_index("ix_cases_due", table_name="cases")
    op.create_index("ix_cases_due", "cases", LISTED + WHOSE)
    op.create_table(
        "grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index("ix_grants_of", "grants", ["reference", "actor", "until"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("grants")
    op.drop_index("ix_cases_due", table_name="cases")
    op.create_index("ix_cases_due", "cases", LISTED)
    for name in reversed(WHOSE):
        op.drop_column("cases", name)
