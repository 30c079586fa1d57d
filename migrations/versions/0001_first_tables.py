"""First tables: inbox, queue, cases, ledger, letters, documents, keys."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "status_tokens",
    "obligations",
    "attachments",
    "addresses",
    "salts",
    "notices",
    "notice_events",
    "messages",
    "events",
    "event_texts",
    "drafts",
    "dispatches",
    "contacts",
    "cases",
    "api_keys",
    "answers",
)

SQLITE = (
    """
    CREATE TRIGGER events_no_update BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are append-only: no event is ever changed'); END
    """,
    """
    CREATE TRIGGER events_no_delete BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are append-only: no event is ever deleted'); END
    """,
    # INSERT OR REPLACE would delete without asking the trigger above.
    """
    CREATE TRIGGER events_no_replace BEFORE INSERT ON events
    WHEN EXISTS (SELECT 1 FROM events WHERE reference = NEW.reference AND seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'events are append-only: this event is there already'); END
    """,
)

POSTGRESQL = (
    """
    CREATE FUNCTION events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'events are append-only: no event is ever changed or deleted'
    USING ERRCODE = 'integrity_constraint_violation'; END $$
    """,
    """
    CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION events_are_append_only()
    """,
    """
    CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_are_append_only()
    """,
)


def column(kind: Any) -> Any:
    """Return a maker of columns of one type; a column may be empty only where it says so."""

    def made(name: str, *, nullable: bool = False) -> sa.Column[Any]:
        return sa.Column(name, kind, nullable=nullable)

    return made


word, text, data = column(sa.String()), column(sa.Text()), column(sa.JSON())
number, truth, moment = column(sa.Integer()), column(sa.Boolean()), column(sa.DateTime(timezone=True))


def upgrade() -> None:
    op.create_table(
        "answers",
        word("actor"),
        word("key"),
        word("fingerprint"),
        number("status"),
        data("body"),
        moment("created_at"),
        sa.PrimaryKeyConstraint("actor", "key", name="pk_answers"),
    )
    op.create_index("ix_answers_created_at", "answers", ["created_at"])
    op.create_table(
        "api_keys",
        word("id"),
        word("digest"),
        word("actor"),
        word("role"),
        word("label"),
        moment("created_at"),
        moment("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
    )
    op.create_table(
        "cases",
        word("reference"),
        word("contact"),
        word("kind"),
        word("language"),
        word("channel"),
        word("area"),
        word("owner"),
        word("status"),
        word("flags"),
        word("next_obligation"),
        moment("next_due_at", nullable=True),
        moment("due_order"),
        moment("resolution_due_at", nullable=True),
        moment("received_at"),
        moment("opened_at"),
        moment("closed_at", nullable=True),
        number("version"),
        number("seq"),
        word("head"),
        text("subject"),
        text("excerpt"),
        text("search"),
        text("state"),
        sa.PrimaryKeyConstraint("reference", name="pk_cases"),
    )
    op.create_index("ix_cases_contact", "cases", ["contact", "opened_at"])
    op.create_index("ix_cases_due", "cases", ["due_order", "reference"])
    op.create_index(
        "ix_cases_open",
        "cases",
        ["reference"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_cases_status_due", "cases", ["status", "due_order", "reference"])
    op.create_table("contacts", word("id"), moment("created_at"), sa.PrimaryKeyConstraint("id", name="pk_contacts"))
    op.create_table(
        "dispatches",
        number("id"),
        word("reference"),
        word("name"),
        data("payload"),
        moment("created_at"),
        moment("not_before", nullable=True),
        number("attempts"),
        word("last_error"),
        moment("claimed_until", nullable=True),
        moment("done_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dispatches"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_dispatches_waiting",
        "dispatches",
        ["reference", "id"],
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "ix_dispatches_oldest",
        "dispatches",
        ["id"],
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "drafts",
        word("id"),
        word("reference"),
        word("kind"),
        data("content"),
        word("digest"),
        word("author"),
        moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
    )
    op.create_index("ix_drafts_reference", "drafts", ["reference"])
    op.create_table(
        "event_texts",
        word("reference"),
        number("seq"),
        word("field"),
        text("text"),
        sa.PrimaryKeyConstraint("reference", "seq", "field", name="pk_event_texts"),
    )
    op.create_table(
        "events",
        word("reference"),
        number("seq"),
        number("v"),
        moment("at"),
        word("type"),
        word("actor"),
        word("role"),
        word("rule"),
        data("data"),
        data("digests"),
        word("previous"),
        word("hash"),
        sa.PrimaryKeyConstraint("reference", "seq", name="pk_events"),
    )
    op.create_table(
        "messages",
        number("n"),
        word("id"),
        word("channel"),
        word("provider_id"),
        word("reference", nullable=True),
        word("contact", nullable=True),
        word("address_id", nullable=True),
        word("sender"),
        word("sender_name"),
        truth("sender_verified"),
        truth("third_party"),
        moment("received_at"),
        moment("stored_at"),
        moment("promoted_at", nullable=True),
        word("disposition"),
        word("disposition_reason"),
        text("subject"),
        text("text"),
        text("full_text"),
        text("html", nullable=True),
        word("message_id"),
        word("in_reply_to"),
        text("references"),
        word("language", nullable=True),
        word("kind"),
        data("dropped"),
        word("raw_sha256"),
        word("raw_path"),
        sa.PrimaryKeyConstraint("n", name="pk_messages"),
        sa.UniqueConstraint("channel", "provider_id", name="uq_messages_channel_provider_id"),
        sa.UniqueConstraint("id", name="uq_messages_id"),
    )
    op.create_index("ix_messages_message_id", "messages", ["message_id"])
    op.create_index("ix_messages_reference", "messages", ["reference"])
    op.create_table(
        "notice_events",
        word("event_id"),
        word("notice"),
        word("kind"),
        moment("at"),
        truth("hard"),
        word("reason"),
        moment("stored_at"),
        sa.PrimaryKeyConstraint("event_id", name="pk_notice_events"),
    )
    op.create_index("ix_notice_events_notice", "notice_events", ["notice"])
    op.create_table(
        "notices",
        word("key"),
        word("reference"),
        word("kind"),
        word("address_id"),
        word("channel"),
        word("template"),
        word("version"),
        word("language"),
        text("subject"),
        text("text"),
        text("html"),
        text("full_text"),
        text("full_html"),
        word("sha256"),
        word("message_id"),
        word("head"),
        moment("created_at"),
        word("state"),
        number("tries"),
        moment("first_tried_at", nullable=True),
        moment("tried_at", nullable=True),
        moment("accepted_at", nullable=True),
        word("provider_id"),
        truth("possible_duplicate"),
        word("last_error"),
        moment("delivered_at", nullable=True),
        moment("bounced_at", nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_notices"),
    )
    op.create_index("ix_notices_address", "notices", ["address_id", "kind", "created_at"])
    op.create_index("ix_notices_message_id", "notices", ["message_id"])
    op.create_index("ix_notices_reference", "notices", ["reference"])
    op.create_table("salts", word("reference"), word("salt"), sa.PrimaryKeyConstraint("reference", name="pk_salts"))
    op.create_table(
        "addresses",
        word("id"),
        word("contact"),
        word("channel"),
        word("value"),
        word("folded"),
        word("name"),
        truth("registered"),
        moment("created_at"),
        sa.ForeignKeyConstraint(["contact"], ["contacts.id"], name="fk_addresses_contact"),
        sa.PrimaryKeyConstraint("id", name="pk_addresses"),
        sa.UniqueConstraint("channel", "folded", name="uq_addresses_channel_folded"),
    )
    op.create_index("ix_addresses_contact", "addresses", ["contact"])
    op.create_table(
        "attachments",
        number("id"),
        word("message"),
        word("filename"),
        word("content_type"),
        word("cid"),
        number("size"),
        word("sha256"),
        word("path"),
        sa.ForeignKeyConstraint(["message"], ["messages.id"], name="fk_attachments_message"),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    op.create_index("ix_attachments_message", "attachments", ["message"])
    op.create_table(
        "obligations",
        word("reference"),
        number("n"),
        word("kind"),
        word("rule"),
        moment("due"),
        word("state"),
        word("why"),
        word("actor"),
        word("subject"),
        moment("created_at"),
        moment("met_at", nullable=True),
        word("met_by"),
        moment("missed_at", nullable=True),
        moment("superseded_at", nullable=True),
        number("superseded_by", nullable=True),
        word("superseded_why"),
        moment("exhausted_at", nullable=True),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name="fk_obligations_reference"),
        sa.PrimaryKeyConstraint("reference", "n", name="pk_obligations"),
    )
    op.create_index("ix_obligations_open", "obligations", ["state", "due"])
    op.create_table(
        "status_tokens",
        word("digest"),
        word("reference"),
        word("token"),
        sa.ForeignKeyConstraint(["reference"], ["cases.reference"], name="fk_status_tokens_reference"),
        sa.PrimaryKeyConstraint("digest", name="pk_status_tokens"),
        sa.UniqueConstraint("reference", name="uq_status_tokens_reference"),
    )
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION events_are_append_only")
