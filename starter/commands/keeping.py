"""`plazo backup`, `restore`, `rebuild`: a copy of records and files, and the way back from one."""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from engine import connect
from models.errors import SettingsError
from records import restores
from records.copying import beside
from records.database import Database
from records.documents import FolderStore
from settings import Settings, load_settings
from starter.commands.console import REFUSED, AsJson, exit_codes, now, print_json
from starter.keeping.manifest import Manifest
from starter.keeping.reading import lay_out
from starter.keeping.rebuilding import Rebuilt, rebuild
from starter.keeping.restoring import discard, finish, put_files, put_records
from starter.keeping.taking import place_of, take
from starter.keeping.telling import words

WithoutTemporal = Annotated[
    bool,
    typer.Option(
        "--temporal-lost",
        help="Temporal's own state is lost too: go on from what the backup knows, and nothing later.",
    ),
]


def backup_command(
    where: Annotated[Path, typer.Argument(help="A new file, or a folder, in which it gets a name of its own.")],
    *,
    plain: Annotated[bool, typer.Option("--plain", help="Do not seal it: whoever gets the file reads all.")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy records and files, while everything runs, into one file; sealed with the first key of the key ring."""
    with exit_codes():
        settings = load_settings()
        file = place_of(where, now())
        ring = None if plain else settings.key_ring()
        manifest = take(settings.records_url, settings.documents, file, ring, at=now(), told=_told)
        if as_json:
            print_json({"file": str(file), "sealed": ring.first if ring else "", **manifest.model_dump(mode="json")})
            return
        typer.echo(str(file))
        typer.echo(f"sealed with the key {ring.first}: keep the key ring somewhere else" if ring else "not sealed")
        _print(manifest)


def restore_command(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Only see whether the backup is whole.")] = False,
    temporal_lost: WithoutTemporal = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup back to where the settings say, which must be empty, and bring it up to what the workflows know."""
    with exit_codes(), tempfile.TemporaryDirectory(dir=_beside(file), prefix=".plazo-") as folder:
        settings = load_settings()
        laid = lay_out(file, Path(folder), settings.key_ring(), _told)
        if check:
            if as_json:
                print_json(laid.manifest.model_dump(mode="json"))
            else:
                _print(laid.manifest)
            return
        url, store = settings.records_url, FolderStore(settings.documents)
        made = beside(url)
        if not temporal_lost:
            asyncio.run(_reach(settings))
        try:
            put_records(laid, url, now(), _told)
            put_files(laid, store, _told)
            rebuilt = None if temporal_lost else asyncio.run(_rebuild(settings, made, store, laid.manifest.taken_at))
            finish(made, url)
        finally:
            discard(made, url)
        _tell(rebuilt, as_json=as_json)


def rebuild_command(
    *,
    since: Annotated[
        datetime | None, typer.Option(help="Look at inquiries that ended after this too (UTC); default: the backup.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the records with the workflows once more and mend them; it may be done at any time, and again."""
    with exit_codes():
        settings = load_settings()
        database = Database(settings.records_url)
        try:
            with database.read() as session:
                last = restores.last(session)
        finally:
            database.close()
        begins = since.replace(tzinfo=UTC) if since else last.taken_at if last else None
        if begins is None:
            raise SettingsError("these records were never put back; say --since to compare them all the same")
        rebuilt = asyncio.run(_rebuild(settings, settings.records_url, FolderStore(settings.documents), begins))
        _tell(rebuilt, as_json=as_json)


async def _reach(settings: Settings) -> None:
    """See that Temporal answers before anything is changed."""
    await connect(settings)


async def _rebuild(settings: Settings, url: str, store: FolderStore, since: datetime) -> Rebuilt:
    client, database = await connect(settings), Database(url)
    try:
        return await rebuild(client, database, store, since, now=now(), told=_told)
    finally:
        database.close()


def _tell(rebuilt: Rebuilt | None, *, as_json: bool) -> None:
    if rebuilt is None:
        typer.echo("restored; what happened after the backup is not known to anybody here")
        return
    if as_json:
        losses = [one._asdict() for one in rebuilt.losses]
        print_json({"looked_at": rebuilt.looked_at, "losses": losses, "stuck": rebuilt.stuck})
    else:
        for line in words(rebuilt):
            typer.echo(line)
    if rebuilt.stuck:
        raise typer.Exit(REFUSED)


def _print(manifest: Manifest) -> None:
    counts = ", ".join(f"{n} {name}" for name, n in manifest.counts.items())
    typer.echo(f"taken {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC by version {manifest.version}")
    typer.echo(f"{manifest.records} at migration {manifest.migration}: {counts}")
    absent = f", {manifest.absent} more named and not there" if manifest.absent else ""
    typer.echo(f"{manifest.files} files{absent}")


def _beside(file: Path) -> Path:
    """Where a backup is unpacked: beside it there is room, and it is not readable by others there either."""
    if not file.is_file():
        raise SettingsError(f"{file}: there is no such file")
    return file.parent


def _told(line: str) -> None:
    typer.echo(line, err=True)
