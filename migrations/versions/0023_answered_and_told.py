"""Which inquiries have a final answer, given or on its way; how many joined an incident, as its tracker knows."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them. Only those that joined an incident are asked; every other says it with its next event."""
    op.add_column("cases", sa.Column("answered", sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE cases SET answered = 1 WHERE reference IN (SELECT reference FROM incident_joins)"
        """ AND closed_at IS NULL AND state LIKE '%"final":{%'"""
    )
    op.add_column("incidents", sa.Column("cases_told", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("incidents", sa.Column("cases_tried_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take them away."""
    op.drop_column("incidents", "cases_tried_at")
    op.drop_column("incidents", "cases_told")
    op.drop_column("cases", "answered")
