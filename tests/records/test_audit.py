"""The audit log: lines go in, come out the newest first, and never change."""

from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, text

from records import audit
from records.audit import Outcome
from records.database import Database
from tests.records.mail import NOW


def noted(session: Session) -> None:
    audit.note(session, NOW, "agent-1", "inquiry.read", "RX-7KQ4-M2PD", Outcome.DENIED, "rights.area")
    audit.note(session, NOW, "compliance-1", "inquiry.read", "RX-7KQ4-M2PD", Outcome.DONE)
    audit.note(session, NOW, "console", "key.make", "agent-1", Outcome.DONE, "agent")


def test_the_newest_comes_first_and_each_filter_holds(database: Database) -> None:
    with database.write() as session:
        noted(session)
    with database.read() as session:
        everything = audit.page(session)
        assert [line.actor for line in everything] == ["console", "compliance-1", "agent-1"]
        assert [line.at for line in everything] == [NOW] * 3
        last = everything[-1]
        assert (last.object, last.outcome, last.detail) == ("RX-7KQ4-M2PD", "denied", "rights.area")
        assert [line.actor for line in audit.page(session, of="RX-7KQ4-M2PD", limit=1)] == ["compliance-1"]
        assert [line.action for line in audit.page(session, actor="console")] == ["key.make"]
        assert len(audit.page(session, action="inquiry.read")) == 2
        assert [line.actor for line in audit.page(session, outcome="denied")] == ["agent-1"]
        assert audit.page(session, before=last.id) == []


def test_what_was_done_on_some_objects_is_found_without_reading_the_log(database: Database) -> None:
    with database.write() as session:
        noted(session)
        audit.note(session, NOW, "agent-1", "key.make", "RX-7KQ4-M2PD", Outcome.DONE)
        audit.note(session, NOW, "console", "key.make", "agent-1", Outcome.DONE, "auditor")
    asked: list[tuple[str, Any]] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def ask(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    with database.read() as session:
        lines = audit.done(session, "key.make", ["agent-1", "agent-2"])
    assert [(line.actor, line.detail) for line in lines] == [("console", "agent"), ("console", "auditor")]
    statement, parameters = next(one for one in asked if "audit" in one[0])
    with database.read() as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # so few fit into a glance
            connection.exec_driver_sql("SET LOCAL enable_indexscan = off")  # not in the order of their numbers
        how = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = str(connection.exec_driver_sql(f"{how} {statement}", parameters).all())
    assert "ix_audit_object" in plan, plan


def test_what_is_too_long_is_cut(database: Database) -> None:
    with database.write() as session:
        audit.note(session, NOW, "agent-1", "inquiry.read", "x" * 5_000, Outcome.DENIED, "y" * 5_000)
    with database.read() as session:
        line = audit.page(session)[0]
        assert (len(line.object), len(line.detail)) == (audit.LONGEST, audit.LONGEST)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET outcome = 'done'",
        "DELETE FROM audit",
        pytest.param(
            "INSERT OR REPLACE INTO audit VALUES (1, '2026-01-01', 'x', 'x', 'x', 'done', '')", marks=pytest.mark.sqlite
        ),
    ],
)
def test_no_line_is_ever_changed(database: Database, statement: str) -> None:
    with database.write() as session:
        noted(session)
    with pytest.raises(Exception, match="append-only"), database.write() as session:
        session.connection().execute(text(statement))
