"""Whom of the staff a token speaks for: the sign-in provider's `sub`, as another of the staff has named it.

A `subject` may be an address, so it is personal data. Somebody has one at each provider.
"""

from datetime import datetime

from sqlmodel import Session, col, delete, select

from models.inquiry import ActorId
from models.tables import SignInRow


def whose(session: Session, issuer: str, subject: str) -> ActorId | None:
    """Return whom of the staff a token of that `sub` speaks for; None where nobody has named it."""
    row = session.get(SignInRow, (issuer, subject))
    return row.staff if row else None


def bind(session: Session, staff: ActorId, issuer: str, subject: str, by: ActorId, now: datetime) -> bool:  # noqa: PLR0917  in the order of a row
    """Name somebody's `sub` in the place of the one before; False, and nothing named, where it is another's."""
    if whose(session, issuer, subject) not in {None, staff}:
        return False
    release(session, staff, issuer)
    session.add(SignInRow(issuer=issuer, subject=subject, staff=staff, by=by, at=now))
    session.flush()
    return True


def release(session: Session, staff: ActorId, issuer: str) -> bool:
    """Forget somebody's `sub`; False when none is named."""
    theirs = (col(SignInRow.staff) == staff, col(SignInRow.issuer) == issuer)
    return bool(session.connection().execute(delete(SignInRow).where(*theirs)).rowcount)


def subjects_of(session: Session, staff: ActorId) -> tuple[str, ...]:
    """Return the `sub`s under which somebody signs in."""
    query = select(SignInRow.subject).where(col(SignInRow.staff) == staff)
    return tuple(session.exec(query.order_by(col(SignInRow.issuer))))
