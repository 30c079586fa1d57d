"""The staff: who they are, when they are away, what they are trained for, their shifts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "staff",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
    )
    op.create_table(
        "absences",
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_absences_staff"),
        sa.PrimaryKeyConstraint("staff", "first", name="pk_absences"),
    )
    op.create_table(
        "trainings",
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_trainings_staff"),
        sa.PrimaryKeyConstraint("staff", "area", "language", name="pk_trainings"),
    )
    op.create_table(
        "shifts",
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_shifts_staff"),
        sa.PrimaryKeyConstraint("staff", "weekday", "starts", name="pk_shifts"),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("shifts", "trainings", "absences", "staff"):
        op.drop_table(table)
