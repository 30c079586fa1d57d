"""`plazo doctor`: looks at everything that a deployment needs and says how to mend what is wrong."""

import asyncio
from collections.abc import Iterator
from functools import partial

import typer

from models.errors import PlazoError
from models.policy import Policy
from models.policy_reading import load_policy
from records.database import Database
from settings import Settings, load_settings
from starter.checkup import house, outside, records
from starter.checkup.finding import Finding, look
from starter.checkup.temporal import temporal
from starter.commands.console import REFUSED, AsJson, now, print_json, print_rows


def doctor_command(*, as_json: AsJson = False) -> None:
    """Look at everything a deployment needs; exit code 1 where something is wrong. Nothing is changed."""
    found = list(examination())
    if as_json:
        print_json([{**one._asdict(), "ok": one.ok} for one in found])
    else:
        print_rows(("", "WHAT", "SEEN", "TO MEND IT"), [_row(one) for one in found])
    if not all(one.ok for one in found):
        raise typer.Exit(REFUSED)


def _row(one: Finding) -> tuple[str, ...]:
    return "ok" if one.ok else "WRONG", one.what, one.seen, one.mend or "-"


def examination() -> Iterator[Finding]:
    """Look at one after the other. What cannot be read hides only what depends on it."""
    try:
        settings = load_settings()
    except PlazoError as error:
        yield Finding("settings", str(error).replace("\n", "; "), "set them; README.md lists all")
        return
    yield Finding("settings", f"complete for {settings.environment}")
    yield from look("keys", partial(house.keys, settings), "set PLAZO_KEYS or PLAZO_KEY_FILE")
    try:
        policy = load_policy(settings.policy)
    except PlazoError as error:
        yield Finding("policy", str(error), "correct the line; `plazo policy check` says when it is in order")
        return
    yield Finding("policy", policy.full_version)
    database = Database(settings.records_url)
    try:
        yield from _all(settings, policy, database)
    finally:
        database.close()


def _all(settings: Settings, policy: Policy, database: Database) -> Iterator[Finding]:
    reachable = "start the database, or correct PLAZO_RECORDS_URL; `plazo migrate` makes a new one"
    yield from look("letters", partial(house.letters, settings), "correct the file; `plazo policy check`")
    yield from look("calendar", partial(house.calendar, policy, now()), "run `plazo calendar seed`")
    yield from look("channels", partial(house.channels, settings, policy, now()), "set them; docs/channels.md")
    yield from look("documents", partial(house.documents, settings), "correct PLAZO_DOCUMENTS")
    yield from look("traces", house.traces, "correct the variables, or unset them; docs/operations.md")
    yield from look("migrations", partial(records.migrations, database), reachable)
    yield from look("search", partial(records.search, database), reachable)
    yield from look("database", partial(records.writing, database), reachable)
    yield from look("clock of the database", lambda: records.clock(database, now()), reachable)
    yield from look("programs of backups", partial(records.programs, database), reachable)
    yield from look("staff", partial(records.people, database, policy, now()), reachable)
    yield from look("approvals", partial(records.approvals, database, settings), reachable)
    yield from look("secrets of webhooks", lambda: records.webhooks(database, settings.key_ring()), reachable)
    yield from look("names", partial(outside.names, settings, policy, database), reachable)
    yield from look(
        "Temporal",
        lambda: asyncio.run(temporal(settings, policy)),
        "start it, or correct PLAZO_TEMPORAL; TEMPORAL_PROFILE and its file name another",
    )
