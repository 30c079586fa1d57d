"""What is open, being sent and newest is counted along indexes of its own, at every scrape."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OPEN = sa.text("closed_at IS NULL")
SENDING = sa.text("state = 'sending'")


def upgrade() -> None:
    for name in ("proposed", "referred"):
        op.add_column("cases", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    # Each saved case says it in full; how many areas are asked is counted anew with its next event.
    op.execute("""UPDATE cases SET proposed = 1 WHERE closed_at IS NULL AND state LIKE '%"proposal":{%'""")
    op.execute("UPDATE cases SET referred = 1 WHERE closed_at IS NULL AND status = 'referred'")
    counted = ["status", "area", "flags", "proposed", "referred", "closed_at"]
    op.create_index("ix_cases_counted", "cases", counted, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_notices_sending", "notices", ["created_at"], sqlite_where=SENDING, postgresql_where=SENDING)
    op.create_index("ix_messages_newest", "messages", ["channel", "n"])


def downgrade() -> None:
    op.drop_index("ix_messages_newest", table_name="messages")
    op.drop_index("ix_notices_sending", table_name="notices")
    op.drop_index("ix_cases_counted", table_name="cases")
    for name in ("referred", "proposed"):
        op.drop_column("cases", name)
