"""Cases: the columns they are looked up by, a projection that follows the workflow, and the state to resume it from."""

import hashlib
from typing import Any

from sqlalchemy import bindparam, or_, tuple_, update
from sqlmodel import Session, col, select

from models.case import Case
from models.errors import UnknownInquiry
from models.tables import FAR, CaseRow, Salt, StatusToken
from records import obligations, visibility
from records.database import add_once, first

EXCERPT = 200
MOST_SEARCH = 2_000
"""Bytes of it: PostgreSQL takes 2,704 for an entry of an index."""

_STATE = select(CaseRow.state, CaseRow.contact).where(col(CaseRow.reference) == bindparam("of"))
_TOKEN = select(StatusToken.token).where(col(StatusToken.reference) == bindparam("of"))
_UPDATE = update(CaseRow).where(
    col(CaseRow.reference) == bindparam("of"),
    tuple_(col(CaseRow.seq), col(CaseRow.version)) <= tuple_(bindparam("most_seq"), bindparam("most_version")),
)


def add(session: Session, case: Case, *, subject: str, excerpt: str, status_token: str) -> bool:
    """Add a new case, its salt and its status link's secret. False, and nothing added, if the reference is taken."""
    search = f"{case.reference} {subject} {excerpt[:EXCERPT]}".casefold()
    search = search.encode("utf-8", "replace")[:MOST_SEARCH].decode("utf-8", "ignore")
    row = CaseRow(
        reference=case.reference, subject=subject, excerpt=excerpt[:EXCERPT], search=search, **_projection(case)
    )
    if not add_once(session, row):
        return False
    digest = hashlib.sha256(status_token.encode()).hexdigest()
    add_once(session, StatusToken(digest=digest, reference=case.reference, token=status_token))
    add_once(session, Salt(reference=case.reference, salt=case.salt))
    obligations.project(session, case)
    return True


def project(session: Session, case: Case) -> bool:
    """Bring the tables up to a case; False, and nothing changed, where they are ahead of it already.

    Whose case it is only `records.contact_cases.hand_over` changes: the workflow learns of it later.
    UnknownInquiry when the case was never added.
    """
    key = {"of": case.reference, "most_seq": case.seq, "most_version": case.version}
    changes = _projection(case)
    del changes["contact"]
    if session.connection().execute(_UPDATE, changes | key).rowcount:
        obligations.project(session, case)
        return True
    if not reference_exists(session, case.reference):
        raise unknown(case.reference)
    return False


def load(session: Session, reference: str) -> Case:
    """Return the whole case as last saved. UnknownInquiry when there is none."""
    row = first(session, _STATE, of=reference)
    if row is None:
        raise unknown(reference)
    case = Case.model_validate_json(row.state)
    case.contact = row.contact
    return case


def reference_exists(session: Session, reference: str) -> bool:
    """Say whether a case has that reference."""
    return session.exec(select(CaseRow.reference).where(col(CaseRow.reference) == reference)).first() is not None


def by_status_token(session: Session, token: str) -> str | None:
    """Return the reference behind a status link's secret, or None. Looked up by hash, so timing tells nothing of it."""
    digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    return session.exec(select(StatusToken.reference).where(col(StatusToken.digest) == digest)).first()


def status_token(session: Session, reference: str) -> str:
    """Return the secret of a case's status link, for its letters. UnknownInquiry when there is none."""
    row = first(session, _TOKEN, of=reference)
    if row is None:
        raise unknown(reference)
    return str(row.token)


def open_references(session: Session) -> list[str]:
    """Return every case whose workflow must run, for the reconciler: the open ones, and who is owed an erasure."""
    open_, owed = col(CaseRow.closed_at).is_(None), col(CaseRow.due_order) < FAR  # each along an index of its own
    query = select(CaseRow.reference).where(or_(open_, owed, col(CaseRow.erasing) == 1))
    return list(session.exec(query.order_by(col(CaseRow.reference))))


def _projection(case: Case) -> dict[str, Any]:
    upcoming = next(iter(case.owed()), None)
    return {
        "contact": case.contact,
        "kind": case.kind.value,
        "language": case.language.value,
        "channel": case.channel,
        "area": case.area,
        "owner": case.owner,
        "cause": case.final.cause.code if case.final and case.final.cause else None,
        "status": case.status.value,
        "flags": ",".join(case.flags),
        "next_obligation": upcoming.kind.value if upcoming else "",
        "next_due_at": upcoming.due if upcoming else None,
        "due_order": upcoming.due if upcoming else FAR,
        "resolution_due_at": case.resolution_due,
        "follow_up_at": case.follow_up_at,
        "received_at": case.received_at,
        "opened_at": case.opened_at,
        "closed_at": case.closed_at,
        "proposed": int(case.proposal is not None),
        "referred": sum(one.open for one in case.referrals),
        "answered": int(case.final is not None),
        "erasing": int(case.erasing),
        "version": case.version,
        "seq": case.seq,
        "head": case.head,
        **visibility.columns(case),
        "state": case.model_dump_json(),
    }


def unknown(reference: str) -> UnknownInquiry:
    """What is raised for a reference that no inquiry has; somebody from whom one is kept is told no other words."""
    return UnknownInquiry(f"no inquiry has the reference {reference[:40]}; see the list of inquiries")
