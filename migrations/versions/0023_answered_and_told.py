"""Which inquiries have a final answer, given or on its way; how many joined an incident, as its tracker knows.

On PostgreSQL the column of `cases` is filled in pieces, outside the transaction that adds it: who adds one keeps even
readers out until they commit. Whatever ends it early, it may be run again.
"""

import sqlalchemy as sa
from alembic import op

from records.migrate import beside_writers

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


ANSWERED = """UPDATE cases SET answered = 1 WHERE closed_at IS NULL AND state LIKE '%"final":{%' AND reference """
PIECES = f"""DO $$ DECLARE
    piece text[];
    done text := '';
BEGIN
    LOOP
        SELECT array_agg(reference ORDER BY reference) INTO piece FROM (
            SELECT DISTINCT reference FROM incident_joins WHERE reference > done ORDER BY reference LIMIT 200
        ) AS these;
        EXIT WHEN piece IS NULL;
        {ANSWERED}= ANY (piece);
        COMMIT;
        done := piece[array_upper(piece, 1)];
    END LOOP;
END $$"""  # noqa: S608  our own words


def upgrade() -> None:
    """Add them. Only those that joined an incident are asked; every other says it with its next event."""
    on_postgresql = op.get_context().dialect.name == "postgresql"
    for table, column in (
        ("incidents", sa.Column("cases_told", sa.Integer(), nullable=False, server_default="0")),
        ("incidents", sa.Column("cases_tried_at", sa.DateTime(timezone=True), nullable=True)),
        ("cases", sa.Column("answered", sa.Integer(), nullable=False, server_default="0")),
    ):
        op.add_column(table, column, if_not_exists=on_postgresql or None)
    if on_postgresql:
        with beside_writers():
            op.execute(PIECES)
    else:
        op.execute(f"{ANSWERED}IN (SELECT reference FROM incident_joins)")  # noqa: S608  our own words


def downgrade() -> None:
    """Take them away."""
    op.drop_column("incidents", "cases_tried_at")
    op.drop_column("incidents", "cases_told")
    op.drop_column("cases", "answered")
