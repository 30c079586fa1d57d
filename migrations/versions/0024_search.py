"""On PostgreSQL the list's text is found by its trigrams, and the list's index holds no text. SQLite stays as it is.

The indexes are made beside running writers, outside the transaction: on a big table that takes a while. Whatever ends
it early, it may be run again. Trigrams want the extension `pg_trgm`, which the owner of a database may add since
PostgreSQL 13 where the server has it; where it has not, text is found as before, slowly, and `plazo doctor` says so.
"""

from alembic import context, op

from records.migrate import beside_writers, make_beside_writers

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

LISTED = "due_order, reference, status, kind, channel, area, owner, follow_up_at, compartment, about, cause, asked"
WITH_TEXT = (
    "due_order, reference, status, kind, channel, area, owner, follow_up_at, search, compartment, about, cause, asked"
)
EXTENSION = """DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'no pg_trgm here, text is found slowly: %', SQLERRM;
END $$"""
TRIGRAMS = "SELECT 1 FROM pg_opclass WHERE opcname = 'gin_trgm_ops' AND pg_opclass_is_visible(oid)"


def upgrade() -> None:
    """Make the two, then drop the one that they replace."""
    if op.get_context().dialect.name != "postgresql":
        return
    with beside_writers():
        op.execute(EXTENSION)
        if context.is_offline_mode() or op.get_bind().exec_driver_sql(TRIGRAMS).scalar():
            make_beside_writers("ix_cases_search", "cases USING gin (search gin_trgm_ops)")
        make_beside_writers("ix_cases_listed", f"cases ({LISTED})")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_cases_due")


def downgrade() -> None:
    """Make the former one. The extension stays: others may use it."""
    if op.get_context().dialect.name != "postgresql":
        return
    with beside_writers():
        make_beside_writers("ix_cases_due", f"cases ({WITH_TEXT})")
        for name in ("ix_cases_listed", "ix_cases_search"):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
