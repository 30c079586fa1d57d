"""A case as people look it up, its promises and its status link."""

from datetime import UTC, datetime

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from models.tables.base import ON_POSTGRESQL, ON_SQLITE, maybe_moment, moment

FAR = datetime(9999, 12, 31, tzinfo=UTC)
"""Where a case without a next due date stands in the due list: after all others."""


LISTED_BY = (
    "due_order",
    "reference",
    "status",
    "kind",
    "channel",
    "area",
    "owner",
    "follow_up_at",
    "compartment",
    "about",
    "cause",
    "asked",
)
"""What the list is sorted by, then what it is filtered by."""

WITH_TEXT = (*LISTED_BY[:8], "search", *LISTED_BY[8:])
"""On SQLite text is looked for along the same index."""

COUNTED_BY = ("status", "area", "flags", "proposed", "referred", "closed_at")
"""What open cases are counted by. SQLite looks at the rows for what an index asks for and does not hold."""

_OPEN = "closed_at IS NULL"
_ERASING = "erasing = 1"


class CaseRow(SQLModel, table=True):
    """A case as people look it up. `state` is the whole Case as JSON; the rest repeats of it what lists ask for.

    `due_order` is `next_due_at`, or FAR without one. `search` holds, casefolded, reference, subject and the
    beginning of the message. `compartment` and `about` are people as `records.visibility` writes them. `asked` are the
    areas whose findings are waited for, `,` before, between and after them, and `referred` counts them. `proposed` is 1
    while an approval is waited for, `answered` while a final answer is given or on its way, `erasing` while what the
    user was told is erased stands there still. `cause` is that of the final answer, None where it names none.
    """

    __tablename__ = "cases"
    __table_args__ = (
        # Any filter is answered along this index in the list's order, without a look at the rows, which are long.
        # On PostgreSQL the text has an index of its own, where the server knows trigrams (migration 0024).
        Index("ix_cases_due", *WITH_TEXT, info=ON_SQLITE),
        Index("ix_cases_listed", *LISTED_BY, info=ON_POSTGRESQL),
        Index(
            "ix_cases_search",
            "search",
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
            info=ON_POSTGRESQL,
        ),
        Index("ix_cases_owner_due", "owner", "due_order", "reference"),
        Index("ix_cases_status_due", "status", "due_order", "reference"),
        Index(
            "ix_cases_open",
            "reference",
            sqlite_where=text(_OPEN),
            postgresql_where=text(_OPEN),
        ),
        # What is open is counted along this one, and no closed case is looked at.
        Index("ix_cases_counted", *COUNTED_BY, sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
        Index("ix_cases_erasing", "reference", sqlite_where=text(_ERASING), postgresql_where=text(_ERASING)),
        Index("ix_cases_follow_up", "follow_up_at"),
        Index("ix_cases_contact", "contact", "opened_at"),
    )

    reference: str = Field(primary_key=True)
    contact: str
    kind: str
    language: str
    channel: str
    area: str
    owner: str
    status: str
    flags: str
    next_obligation: str
    next_due_at: datetime | None = maybe_moment()
    due_order: datetime = moment()
    resolution_due_at: datetime | None = maybe_moment()
    follow_up_at: datetime | None = maybe_moment()
    received_at: datetime = moment()
    opened_at: datetime = moment()
    closed_at: datetime | None = maybe_moment()
    proposed: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    referred: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    answered: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    erasing: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    version: int
    seq: int
    head: str
    subject: str = Field(default="", sa_type=Text)
    excerpt: str = Field(default="", sa_type=Text)
    search: str = Field(default="", sa_type=Text)
    compartment: str = ""
    about: str = ""
    cause: str | None = None
    asked: str = ""
    state: str = Field(sa_type=Text)


class StatusToken(SQLModel, table=True):
    """The secret of a case's status link, found by its hash and kept beside it because every letter prints it again."""

    __tablename__ = "status_tokens"

    digest: str = Field(primary_key=True)
    reference: str = Field(foreign_key="cases.reference", unique=True)
    token: str


class ObligationRow(SQLModel, table=True):
    """One promise of a case. `state`: open, met, late (met after it was due), superseded or exhausted."""

    __tablename__ = "obligations"
    __table_args__ = (Index("ix_obligations_open", "state", "due"),)

    reference: str = Field(primary_key=True, foreign_key="cases.reference")
    n: int = Field(primary_key=True)
    kind: str
    rule: str
    due: datetime = moment()
    state: str
    why: str
    actor: str
    subject: str
    created_at: datetime = moment()
    met_at: datetime | None = maybe_moment()
    met_by: str = ""
    missed_at: datetime | None = maybe_moment()
    superseded_at: datetime | None = maybe_moment()
    superseded_by: int | None = None
    superseded_why: str = ""
    exhausted_at: datetime | None = maybe_moment()
