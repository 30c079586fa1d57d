"""What lies in the records database: its form, its clock, the staff, the subscriptions of others."""

import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlmodel import Session, text

from activities.letters.survey import survey
from keys import KeyRing
from models.inquiry import ActorId
from models.policy import Policy
from records import hooks, staff
from records.database import Database
from records.migrate import head
from settings import Settings
from starter.admin.approvals import proofs, unproved
from starter.admin.hook_secrets import unseal
from starter.checkup.finding import Finding

TOLD = 5
"""As many templates as one line names."""

MOST_APART = timedelta(seconds=5)
"""How far two clocks may be apart: letters carry times to the minute, terms end at a second."""

_SEARCH = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_cases_search')")


def migrations(database: Database) -> Iterator[Finding]:
    """The form that this version needs."""
    found, needed = database.revision(), head()
    yield Finding("migrations", f"at {found}, needs {needed}", "" if found == needed else "run `plazo migrate`")


def search(database: Database) -> Iterator[Finding]:
    """On PostgreSQL the index that text is found by; a server without trigrams goes without."""
    if database.engine.dialect.name == "sqlite":
        yield Finding("search", "along the list")
        return
    with database.read() as session:
        valid = session.connection().execute(_SEARCH).scalar()
    yield Finding(
        "search",
        "by trigrams" if valid else "looks at every inquiry: ix_cases_search is not there",
        "" if valid else "install pg_trgm on the server and make the index; docs/records.md",
    )


def programs(database: Database) -> Iterator[Finding]:
    """What `plazo backup` runs, where the records are on PostgreSQL."""
    if database.engine.dialect.name == "sqlite":
        return
    missing = [name for name in ("pg_dump", "pg_restore") if shutil.which(name) is None]
    yield Finding(
        "programs of backups",
        f"not on the path: {', '.join(missing)}" if missing else "pg_dump and pg_restore",
        "install PostgreSQL's client programs, no older than the server" if missing else "",
    )


def writing(database: Database) -> Iterator[Finding]:
    """A transaction that may write, and writes nothing."""
    with database.write() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = version_num WHERE 1 = 0"))
    yield Finding("database", "answers and can be written")


def clock(database: Database, now: datetime) -> Iterator[Finding]:
    """The database's clock, which on SQLite is this machine's own."""
    if database.engine.dialect.name == "sqlite":
        yield Finding("clock of the database", "this machine's own")
        return
    with database.read() as session:
        theirs: datetime = session.connection().execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs(theirs - now)
    yield Finding(
        "clock of the database",
        f"{apart.total_seconds():.1f} s apart",
        "let both machines follow one time server (NTP)" if apart > MOST_APART else "",
    )


def people(database: Database, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Whether every area has somebody who is there today and can be written to."""
    day = policy.whole_calendar().local_date(now)
    named: dict[str, tuple[ActorId, ...]] = {
        **{area: (one.representative, one.deputy) for area, one in policy.areas.items()},
        "supervisors": policy.staff.supervisors,
        "compliance officers": policy.staff.compliance,
    }
    with database.read() as session:
        for area, ids in named.items():
            there = [one for one in ids if _there(session, one, day)]
            yield Finding(
                f"staff of {area}",
                f"{', '.join(there)} today" if there else f"none of {', '.join(ids)} is there with an address",
                "" if there else "`plazo staff add` one of them, or name somebody else in the policy",
            )


def approvals(database: Database, settings: Settings) -> Iterator[Finding]:
    """Whether somebody with the right has approved, signed in, the words that letters are written with."""
    lines = list(survey(settings.policy))
    with database.read() as session:
        left = unproved(lines, proofs(session, lines))
    told = f"{', '.join(left[:TOLD])}{' ...' if len(left) > TOLD else ''}"
    yield Finding(
        "approvals",
        f"{len(left)} texts in use were approved by nobody who signed in: {told}" if left else "all are proved",
        "let compliance read them and approve with POST /api/letters/approvals; docs/letters.md"
        if left and settings.environment == "production"
        else "",
    )


def _there(session: Session, one: ActorId, day: date) -> bool:
    known = staff.person(session, one)
    return known is not None and bool(known.email) and staff.present(session, one, day)


def webhooks(database: Database, ring: KeyRing) -> Iterator[Finding]:
    """Whether the ring still opens the secrets that sign what others are told."""
    with database.read() as session:
        subscribed = [row for row in hooks.all_of_them(session) if row.off_at is None]
    shut = [row.id for row in subscribed if unseal(ring, row.url, row.secret) is None]
    yield Finding(
        "secrets of webhooks",
        f"{', '.join(shut)}: no key opens theirs" if shut else f"{len(subscribed)} can be signed",
        "put the former key back into the ring, or give them new secrets" if shut else "",
    )
