"""`plazo ring`: the keys that seal what Temporal keeps, their age, a new one, and the end of an old one."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

import ring_file
from engine import connect
from keys import KeyRing
from models.errors import Refused, SettingsError
from records import audit, hooks
from records.database import Database
from settings import Settings
from starter.admin import hook_secrets
from starter.commands.console import CONSOLE, AsJson, now, print_json, print_rows, records
from starter.temporal.sealed_under import Sealed, sealed_under

KeyId = Annotated[str, typer.Argument(help="The key's id, as `plazo ring list` shows it.")]


def list_command(
    *,
    used: Annotated[
        bool, typer.Option("--used", help="Also read all histories: how many workflows each key has sealed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the keys' ids, the one that seals first, and their ages; never a key."""
    with records() as (settings, database):
        ring = settings.key_ring()
        sealed = asyncio.run(_used(settings, ring)) if used else {}
        hooked = _hooks(database)
    rows = []
    for key_id in ring.ids:
        made = ring_file.made_on(key_id)
        uses = sealed.get(key_id)
        rows.append(
            {
                "id": key_id,
                "does": "seals and opens" if key_id == ring.first else "opens",
                "days": (now() - made).days if made else None,
                "open": uses.open if uses else None,
                "ended": uses.ended if uses else None,
                "webhooks": hooked[key_id],
            }
        )
    if as_json:
        print_json(rows)
        return
    heads = ("KEY", "DOES", "DAYS OLD", "OPEN WORKFLOWS", "ENDED WORKFLOWS", "WEBHOOKS")
    print_rows(heads, [tuple("-" if cell is None else str(cell) for cell in row.values()) for row in rows])


def rotate_command(
    *,
    behind: Annotated[
        bool, typer.Option("--behind", help="Put it behind: it opens only, until `plazo ring promote`.")
    ] = False,
) -> None:
    """Put a new key into the ring's file, in front; old ones go on opening. The key is not shown."""
    with records() as (settings, database):
        file = _file(settings)
        made = ring_file.add(file, now(), behind=behind)
        _note(database, "ring.rotate", made)
    typer.echo(made)
    if behind:
        typer.echo(f"let every process see it, then: plazo ring promote {made}", err=True)


def promote_command(key: KeyId) -> None:
    """Put a key in front: from now on it seals."""
    with records() as (settings, database):
        ring_file.promote(_file(settings), key)
        _note(database, "ring.promote", key)
    typer.echo("in front")


def retire_command(
    key: KeyId,
    *,
    ended_too: Annotated[
        bool, typer.Option("--ended-too", help="Even where ended workflows become unreadable in Temporal's UI.")
    ] = False,
) -> None:
    """Take an old key out, once nothing that runs was sealed with it; it is kept beside the ring, for old backups."""
    with records() as (settings, database):
        file, ring = _file(settings), settings.key_ring()
        if key not in ring.keys or key == ring.first:
            ring_file.retire(file, key)  # says why not
        sealed = asyncio.run(_used(settings, ring, key))[key]
        if sealed.open:
            raise Refused("ring.in-use", f"{sealed.open} workflows that run hold what {key} sealed; wait for their end")
        if sealed.ended and not ended_too:
            words = (
                f"{sealed.ended} ended workflows could not be read any more; wait for their retention, or --ended-too"
            )
            raise Refused("ring.ended", words)
        _reseal(database, ring, key)
        ring_file.retire(file, key)
        _note(database, "ring.retire", key)
    typer.echo(f"retired; kept in {file.name}{ring_file.RETIRED} for backups of its time")


def _file(settings: Settings) -> Path:
    source = settings.key_ring().source
    if source is None:
        raise SettingsError("the key ring stands in the environment; keep it in a file: PLAZO_KEY_FILE, or the secrets")
    return source


async def _used(settings: Settings, ring: KeyRing, only: str | None = None) -> dict[str, Sealed]:
    client = await connect(settings)
    wanted = [only] if only else ring.ids
    return {key_id: await sealed_under(client, key_id, lambda line: typer.echo(line, err=True)) for key_id in wanted}


def _hooks(database: Database) -> Counter[str]:
    with database.read() as session:
        rows = hooks.all_of_them(session)
    return Counter(row.secret.partition(":")[0] for row in rows)


def _reseal(database: Database, ring: KeyRing, key: str) -> None:
    """Webhooks' secrets that lie under the key go under the first one; receivers notice nothing."""
    with database.write() as session:
        for row in hooks.all_of_them(session):
            row.secret = _anew(ring, key, row.url, row.secret)
            row.former_secret = _anew(ring, key, row.url, row.former_secret)
            session.add(row)


def _anew(ring: KeyRing, key: str, url: str, sealed: str) -> str:
    secret = hook_secrets.unseal(ring, url, sealed) if sealed.startswith(f"{key}:") else None
    return sealed if secret is None else hook_secrets.seal(ring, url, secret)


def _note(database: Database, action: str, key: str) -> None:
    with database.write() as session:
        audit.note(session, now(), CONSOLE, action, key, audit.Outcome.DONE)
