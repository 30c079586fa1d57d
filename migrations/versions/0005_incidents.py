"""Incidents, what was written beside them, and what trackers told."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def word(name: str) -> sa.Column[Any]:
    """A text column."""
    return sa.Column(name, sa.String(), nullable=False)


def words(name: str) -> sa.Column[Any]:
    """A column of long text."""
    return sa.Column(name, sa.Text(), nullable=False)


def number(name: str) -> sa.Column[Any]:
    """A whole number."""
    return sa.Column(name, sa.Integer(), nullable=False)


def truth(name: str) -> sa.Column[Any]:
    """True or false."""
    return sa.Column(name, sa.Boolean(), nullable=False)


def moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A moment in UTC."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "incidents",
        number("id"),
        word("key"),
        word("reference"),
        number("n"),
        word("tracker"),
        word("tracker_id"),
        word("url"),
        word("title"),
        word("area"),
        word("matter"),
        word("draft"),
        word("state"),
        moment("opened_at"),
        moment("changed_at"),
        moment("linked_at", nullable=True),
        number("tries"),
        moment("tried_at", nullable=True),
        moment("busy_until", nullable=True),
        truth("unsure"),
        truth("possible_duplicate"),
        moment("failing_since", nullable=True),
        words("error"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("key", name="uq_incidents_key"),
        sa.UniqueConstraint("reference", "n", name="uq_incidents_reference_n"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incidents_tracker_id", "incidents", ["tracker", "tracker_id"])
    still, failing = sa.text("state NOT IN ('resolved', 'rejected')"), sa.text("failing_since IS NOT NULL")
    op.create_index("ix_incidents_open", "incidents", ["id"], sqlite_where=still, postgresql_where=still)
    op.create_index("ix_incidents_failing", "incidents", ["id"], sqlite_where=failing, postgresql_where=failing)
    op.create_table(
        "incident_comments",
        number("id"),
        word("incident"),
        word("actor"),
        words("text"),
        moment("at"),
        word("request"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.key"], name="fk_incident_comments_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_incident_comments"),
        sa.UniqueConstraint("incident", "actor", "request", name="uq_incident_comments_incident_actor_request"),
    )
    op.create_index("ix_incident_comments_incident", "incident_comments", ["incident"])
    op.create_table(
        "tracker_events",
        word("tracker"),
        word("event"),
        moment("at"),
        sa.PrimaryKeyConstraint("tracker", "event", name="pk_tracker_events"),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("tracker_events", "incident_comments", "incidents"):
        op.drop_table(table)
