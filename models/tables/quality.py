"""Verdicts on final answers."""

from datetime import datetime

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from models.tables.base import moment


class VerdictRow(SQLModel, table=True):
    """What somebody said of a final answer in a quality review. A row is never changed: a newer one counts beside it.

    `criteria` is yes or no by criterion, in the words of the policy's `version`; `remarks` may hold personal data and
    go when the inquiry is erased. `area` is the one that the answer was given in, at `answered_at`.
    """

    __tablename__ = "verdicts"
    __table_args__ = (Index("ix_verdicts_of", "reference", "letter"), Index("ix_verdicts_answered", "answered_at"))

    id: int | None = Field(default=None, primary_key=True)
    reference: str = Field(foreign_key="cases.reference")
    letter: str
    area: str
    answered_at: datetime = moment()
    judged_by: str
    at: datetime = moment()
    version: str
    criteria: dict[str, bool] = Field(sa_type=JSON)
    remarks: dict[str, str] = Field(sa_type=JSON)
