"""Who of the staff a token of the sign-in provider speaks for."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.create_table(
        "sign_ins",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_sign_ins_staff"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_sign_ins"),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("sign_ins")
