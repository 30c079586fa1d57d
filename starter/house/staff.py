"""The staff for development: for each area whom the policy names, and two agents where inquiries come in."""

from datetime import datetime, timedelta

from sqlmodel import Session

from models.inquiry import Area, Role
from models.policy import Policy
from models.tables import StaffRow, TrainingRow
from records import staff
from records.database import Database

AGENTS = ("dev-agent", "second-agent")
"""The first is whom the development key of an agent speaks for."""

TRAINED = timedelta(days=365)
LANGUAGES = ("es", "en")


def development_staff(policy: Policy, database: Database, at: datetime) -> None:
    """Add whoever is missing, trained for a year from `at` (aware UTC); who is known stays as they are."""
    with database.write() as session:
        for name, area in policy.areas.items():
            for who in (area.representative, area.deputy):
                _add(session, who, Role.REPRESENTATIVE, [name], at)
        for who in policy.staff.supervisors:
            _add(session, who, Role.SUPERVISOR, list(policy.areas), at)
        for who in policy.staff.compliance:
            _add(session, who, Role.COMPLIANCE, list(policy.areas), at)
        for who in AGENTS:
            _add(session, who, Role.AGENT, [policy.intake.area], at)


def _add(session: Session, who: str, role: Role, areas: list[Area], at: datetime) -> None:
    if staff.person(session, who) is not None:
        return
    row = StaffRow(
        id=who,
        email=f"{who}@example.org",
        role=role.value,
        language=LANGUAGES[0],
        areas=areas,
        languages=list(LANGUAGES),
        joined_at=at,
    )
    staff.add(session, row)
    for area in areas:
        for language in LANGUAGES:
            until = (at + TRAINED).date()
            staff.train(session, TrainingRow(staff=who, area=area, language=language, until=until))
