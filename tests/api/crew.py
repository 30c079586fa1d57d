"""Staff for a world: who works where, trained for what."""

from datetime import date, timedelta
from itertools import product

from models.inquiry import Role
from models.tables import AbsenceRow, StaffRow, TrainingRow
from records import staff
from records.database import Database
from tests.api.world import ROLES, now
from tests.cases import policy

LONG = timedelta(days=400)


def hire(records: Database, name: str, *, area: str = "cx", role: Role = Role.AGENT, languages: str = "es en") -> None:
    """Somebody new, trained for an area in these languages."""
    row = StaffRow(
        id=name,
        email=f"{name}@example.org",
        role=role.value,
        language="es",
        areas=[area],
        languages=languages.split(),
        joined_at=now(),
    )
    with records.write() as session:
        staff.add(session, row)
        for language in languages.split():
            until = now().date() + LONG
            staff.train(session, TrainingRow(staff=name, area=area, language=language, until=until))


def enlist(records: Database) -> None:
    """Whoever has a key in a world is of its staff, works for no area and has no mailbox.

    All are trained for all but the representative, who else would be given every inquiry.
    """
    areas = policy().areas
    with records.write() as session:
        for role, name in ROLES.items():
            if role is Role.INTAKE:
                continue
            row = StaffRow(id=name, email="", role=role, language="es", areas=[], languages=["es"], joined_at=now())
            staff.add(session, row)
            trained = () if role is Role.REPRESENTATIVE else product(areas, ("es", "en"))
            for area, language in trained:
                until = now().date() + LONG
                staff.train(session, TrainingRow(staff=name, area=area, language=language, until=until))


def send_away(records: Database, name: str) -> None:
    """They are absent today, wherever today is."""
    today: date = now().date()
    away = AbsenceRow(staff=name, first=today - timedelta(days=1), last=today + LONG, by="cx-lead", reasons="leave")
    with records.write() as session:
        staff.set_absence(session, away)
