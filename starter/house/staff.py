"""The staff for development: whom the policy names, two agents, and whom the development keys speak for."""

from datetime import datetime, timedelta

from sqlmodel import Session

from models.inquiry import Area, Role
from models.policy import Policy
from models.tables import StaffRow, TrainingRow
from records import sign_ins, staff
from records.database import Database

AGENTS = ("dev-agent", "second-agent")
"""The first is whom the development key of an agent speaks for."""

SIGN_INS = {
    "dev-agent": "dev-agent",
    "dev-representative": "operations-lead",
    "dev-supervisor": "dev-supervisor",
    "dev-compliance": "dev-compliance",
    "dev-auditor": "dev-auditor",
}
"""Whom the users of the stand-in for a sign-in provider are."""

TRAINED = timedelta(days=365)
LANGUAGES = ("es", "en")


def development_staff(policy: Policy, database: Database, at: datetime, issuer: str = "") -> None:
    """Add whoever is missing, trained for a year from `at` (aware UTC); who is known stays as they are.

    `issuer` is the sign-in provider whose users they are.
    """
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
        for role in (Role.SUPERVISOR, Role.COMPLIANCE):
            _add(session, f"dev-{role.value}", role, list(policy.areas), at)
        _add(session, f"dev-{Role.AUDITOR.value}", Role.AUDITOR, [], at)
        for subject, who in SIGN_INS.items():
            if issuer and staff.person(session, who):
                sign_ins.bind(session, who, issuer, subject, "console", at)


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
