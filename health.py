"""Whether a process can do its work, and what it lacks where it cannot."""

from collections.abc import Callable, Mapping
from functools import cache

from keys import KeyRing
from models.errors import RecordsUnavailable, SettingsError
from records.database import Database

OK, AWAY = "ok", "away"
Found = Mapping[str, str]
"""Each thing that is needed: `ok`, `away`, or in a few words what is wrong with it."""


def records(database: Database, ring: Callable[[], KeyRing]) -> dict[str, str]:
    """Look at what every process needs: the database, its form, the keys. Nothing secret is said."""
    found = {"database": OK, "migrations": OK, "keys": OK}
    try:
        standing, needed = database.revision(), _needed()
        # One that is ahead serves us too: while a deploy rolls, it is migrated before the last old process has gone.
        if standing < needed:
            found["migrations"] = f"at {standing}, needs {needed}"
    except RecordsUnavailable:
        found["database"], found["migrations"] = AWAY, "unknown"
    try:
        ring()
    except SettingsError:
        found["keys"] = "cannot be read"
    return found


def able(found: Found) -> bool:
    """Say whether all that was found is in order."""
    return all(state == OK for state in found.values())


@cache
def _needed() -> str:
    from records.migrate import head  # noqa: PLC0415  alembic is slow to load

    return head()
