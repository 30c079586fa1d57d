"""The people who answer: who they are, what they are trained for, when they are there.

Their addresses stand nowhere else. A date is a day in the operator's zone.
"""

from datetime import date, datetime, time

from sqlalchemy import JSON, Text
from sqlmodel import Field, SQLModel

from models.tables.base import maybe_moment, moment


class StaffRow(SQLModel, table=True):
    """Somebody of the staff, known to the software by an opaque id. `email` is personal data.

    `areas` are those they work for, `languages` those they answer in, `language` the one they are written to in.
    """

    __tablename__ = "staff"

    id: str = Field(primary_key=True)
    email: str
    role: str
    language: str
    areas: list[str] = Field(sa_type=JSON)
    languages: list[str] = Field(sa_type=JSON)
    joined_at: datetime = moment()
    left_at: datetime | None = maybe_moment()


class SignInRow(SQLModel, table=True):
    """Who of the staff signs in as `subject` at the provider `issuer`, and who said so. `subject` is personal data."""

    __tablename__ = "sign_ins"

    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    staff: str = Field(foreign_key="staff.id")
    by: str
    at: datetime = moment()


class AbsenceRow(SQLModel, table=True):
    """Days on which somebody is not there, the first and the last among them; two that overlap are one absence."""

    __tablename__ = "absences"

    staff: str = Field(primary_key=True, foreign_key="staff.id")
    first: date = Field(primary_key=True)
    last: date
    by: str
    reasons: str = Field(sa_type=Text)


class TrainingRow(SQLModel, table=True):
    """What somebody may answer: the matters of an area in a language, up to and including the day `until`."""

    __tablename__ = "trainings"

    staff: str = Field(primary_key=True, foreign_key="staff.id")
    area: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    until: date


class ShiftRow(SQLModel, table=True):
    """Hours of every week at which somebody works, in local time; weekday 0 is Monday.

    One that does not end after it starts ends on the next day.
    """

    __tablename__ = "shifts"

    staff: str = Field(primary_key=True, foreign_key="staff.id")
    weekday: int = Field(primary_key=True)
    starts: time = Field(primary_key=True)
    ends: time
