"""The promises of every case as rows, so that people can ask for what is due."""

from typing import Any

from sqlalchemy import bindparam, delete, insert
from sqlmodel import Session, col, select

from models.case import Case
from models.obligations import Obligation
from models.tables import ObligationRow

_CLEAR = delete(ObligationRow).where(col(ObligationRow.reference) == bindparam("of"))
_ADD = insert(ObligationRow)


def of_case(session: Session, reference: str) -> list[ObligationRow]:
    """Return a case's promises, in the order they were made."""
    query = select(ObligationRow).where(col(ObligationRow.reference) == reference)
    query = query.order_by(col(ObligationRow.n)).execution_options(populate_existing=True)
    return list(session.exec(query))


def project(session: Session, case: Case) -> None:
    """Bring the table up to a case: its rows are few, so they are written anew."""
    connection = session.connection()
    connection.execute(_CLEAR, {"of": case.reference})
    rows = [{"reference": case.reference, "n": one.n, **_promise(one)} for one in case.obligations]
    if rows:
        connection.execute(_ADD, rows)


def _promise(one: Obligation) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "rule": one.rule,
        "due": one.due,
        "state": _state(one),
        "why": one.why,
        "actor": one.actor.id,
        "subject": one.subject,
        "created_at": one.created_at,
        "met_at": one.met_at,
        "met_by": one.met_by,
        "missed_at": one.missed_at,
        "superseded_at": one.superseded_at,
        "superseded_by": one.superseded_by,
        "superseded_why": one.superseded_why,
        "exhausted_at": one.exhausted_at,
    }


def _state(one: Obligation) -> str:
    if one.open:
        return "open"
    if one.met_at:
        return "met" if one.kept else "late"
    return "exhausted" if one.exhausted_at else "superseded"
