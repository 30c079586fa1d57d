"""The staff: who answers, for which areas, trained for what, and who is there on a day or at an hour.

A `day` is a date in the operator's zone; `now` is aware UTC.
"""

from collections.abc import Iterable
from datetime import date, datetime, time

from sqlmodel import Session, col, delete, select

from models.inquiry import ActorId, Area, Language
from models.tables import AbsenceRow, ShiftRow, StaffRow, TrainingRow
from records import keys

_EVERYBODY = select(StaffRow).where(col(StaffRow.left_at).is_(None)).order_by(col(StaffRow.id))


def add(session: Session, person: StaffRow) -> None:
    """Add somebody, or bring up to date what is known of them."""
    session.merge(person)
    session.flush()


def person(session: Session, staff: ActorId) -> StaffRow | None:
    """Return somebody of the staff, also when they have left; None for who was never there."""
    return session.get(StaffRow, staff)


def everybody(session: Session) -> list[StaffRow]:
    """Return all who have not left, by id."""
    return list(session.exec(_EVERYBODY))


def present(session: Session, staff: ActorId, day: date) -> bool:
    """Say whether somebody is there on a day: known, not left, not absent."""
    known = person(session, staff)
    return known is not None and known.left_at is None and staff not in absent(session, day)


def absent(session: Session, day: date) -> set[ActorId]:
    """Return who is away on a day."""
    query = select(AbsenceRow.staff).where(col(AbsenceRow.first) <= day, col(AbsenceRow.last) >= day)
    return set(session.exec(query))


def leave(session: Session, staff: ActorId, now: datetime) -> bool:
    """Somebody leaves for good, and their keys with them; False for nobody. The first time they left stands."""
    known = person(session, staff)
    if known is None:
        return False
    known.left_at = known.left_at or now
    keys.revoke_all(session, staff, now)
    session.add(known)
    session.flush()
    return True


def come_back(session: Session, staff: ActorId) -> None:
    """Somebody who had left is there again, without the keys they had; nothing for nobody."""
    known = person(session, staff)
    if known is not None:
        known.left_at = None
        session.add(known)
        session.flush()


def set_absence(session: Session, absence: AbsenceRow) -> None:
    """Keep that somebody is away; one that begins on the same day takes its place."""
    session.merge(absence)
    session.flush()


def end_absence(session: Session, staff: ActorId, first: date) -> bool:
    """Take an absence back; False when none begins on that day."""
    known = session.get(AbsenceRow, (staff, first))
    if known is None:
        return False
    session.delete(known)
    session.flush()
    return True


def absences_of(session: Session, staff: ActorId) -> list[AbsenceRow]:
    """Return somebody's absences, the earliest first."""
    return list(session.exec(select(AbsenceRow).where(col(AbsenceRow.staff) == staff).order_by(col(AbsenceRow.first))))


def train(session: Session, training: TrainingRow) -> None:
    """Keep that somebody is trained for an area and a language, up to a day; a later word of the same replaces it."""
    session.merge(training)
    session.flush()


def trained_for(session: Session, area: Area, day: date) -> dict[ActorId, frozenset[Language]]:
    """Return in which languages each of the staff may answer an area's matters on a day."""
    query = select(TrainingRow.staff, TrainingRow.language)
    rows = session.exec(query.where(col(TrainingRow.area) == area, col(TrainingRow.until) >= day)).all()
    found: dict[ActorId, frozenset[Language]] = {}
    for staff, language in rows:
        found[staff] = found.get(staff, frozenset()) | {Language(language)}
    return found


def trainings_of(session: Session, staff: ActorId) -> list[TrainingRow]:
    """Return what somebody was trained for, also what has run out."""
    query = select(TrainingRow).where(col(TrainingRow.staff) == staff)
    return list(session.exec(query.order_by(col(TrainingRow.area), col(TrainingRow.language))))


def set_shifts(session: Session, staff: ActorId, shifts: Iterable[ShiftRow]) -> None:
    """Put somebody's week in the place of the one before."""
    session.connection().execute(delete(ShiftRow).where(col(ShiftRow.staff) == staff))
    session.add_all(shifts)
    session.flush()


def shifts_of(session: Session, staff: ActorId) -> list[ShiftRow]:
    """Return somebody's week in order."""
    query = select(ShiftRow).where(col(ShiftRow.staff) == staff)
    return list(session.exec(query.order_by(col(ShiftRow.weekday), col(ShiftRow.starts))))


def on_shift(session: Session, at: datetime) -> set[ActorId]:
    """Return whose shift it is at a local time, those who are absent or have left left out."""
    day, hour = at.date(), at.time()
    today, before = day.weekday(), (day.weekday() - 1) % 7
    week = session.exec(select(ShiftRow).where(col(ShiftRow.weekday).in_((today, before))))
    working = {shift.staff for shift in week if _works(shift, today, hour)}
    if not working:
        return set()
    gone = session.exec(select(StaffRow.id).where(col(StaffRow.id).in_(working), col(StaffRow.left_at).is_not(None)))
    return working - set(gone) - absent(session, day)


def _works(shift: ShiftRow, today: int, hour: time) -> bool:
    overnight = shift.ends <= shift.starts
    if shift.weekday == today:
        return shift.starts <= hour and (overnight or hour < shift.ends)
    return overnight and hour < shift.ends
