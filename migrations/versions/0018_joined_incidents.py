"""Cases that take part in an incident of another, and what was said of incidents, to be told to all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "incident_joins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident_joins"),
        sa.UniqueConstraint("incident", "reference", name="uq_incident_joins_incident_reference"),
    )
    op.create_table(
        "incident_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incidents.key"], name="fk_incident_words_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_incident_words"),
        sa.UniqueConstraint("name", name="uq_incident_words_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_words_incident", "incident_words", ["incident"])


def downgrade() -> None:
    """Take them away."""
    for table in ("incident_words", "incident_joins"):
        op.drop_table(table)
