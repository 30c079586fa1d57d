"""`plazo keys`: the API keys, and the ones that `make run` makes for development."""

import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError

from models.errors import SettingsError
from models.inquiry import Actor, Role
from models.policy_reading import load_policy
from records import audit, keys
from records.database import Database
from records.keys import HOLDERS
from settings import Settings
from starter.commands.console import CONSOLE, REFUSED, AsJson, now, print_json, print_rows, records

Holder = Literal["agent", "representative", "supervisor", "compliance", "auditor", "intake"]
"""The same as HOLDERS, for the command line to offer."""


def create_command(
    actor: Annotated[str, typer.Argument(help="An opaque id of who will act, never a name or an address: agent-7.")],
    role: Annotated[Holder, typer.Argument(help="What the actor may do.")],
    *,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key and print its secret."""
    with records() as (_settings, database):
        try:
            with database.write() as session:
                secret = keys.create(session, actor, Role(role), now(), label=label)
                audit.note(session, now(), CONSOLE, "key.make", actor, audit.Outcome.DONE, role)
        except ValidationError as error:
            raise typer.BadParameter("letters, digits and _ . : @ / - only, at most 64", param_hint="ACTOR") from error
    if as_json:
        print_json({"actor": actor, "role": role, "secret": secret})
    else:
        typer.echo(secret)


def list_command(*, as_json: AsJson = False) -> None:
    """List the keys, the oldest first; their secrets are not kept."""
    with records() as (_settings, database), database.read() as session:
        found = keys.list_keys(session)
    if as_json:
        print_json([row.model_dump(exclude={"digest"}) for row in found])
        return
    print_rows(
        ("KEY", "ACTOR", "ROLE", "STATE", "LABEL"),
        [(row.id, row.actor, row.role, "revoked" if row.revoked_at else "good", row.label or "-") for row in found],
    )


def revoke_command(key: Annotated[str, typer.Argument(help="The key's id, as `plazo keys list` shows it.")]) -> None:
    """Make a key worthless from now on."""
    with records() as (_settings, database), database.write() as session:
        known = keys.revoke(session, key, now())
        if known:
            audit.note(session, now(), CONSOLE, "key.revoke", key, audit.Outcome.DONE)
    if not known:
        typer.echo("no key has this id; see `plazo keys list`", err=True)
        raise typer.Exit(REFUSED)
    typer.echo("revoked")


def development_keys(settings: Settings, database: Database, at: datetime) -> Mapping[Role, str]:
    """The secrets of the development keys by role, kept in `<var>/dev-api-key` (mode 0600) and made where missing.

    The representative is the one whom the policy names for the area that attends first, so answers can be given.
    A key that the records database does not know (any more) is made anew. Raises SettingsError in production.
    """
    if settings.environment == "production":
        raise SettingsError("there are no development keys in production; make one with `plazo keys create`")
    path = settings.var / "dev-api-key"
    known, actors = _read(path), _development_actors(settings)
    with database.write() as session:
        for role in HOLDERS:
            actor = keys.verify(session, known.get(role, ""))
            if actor != actors[role]:
                known[role] = keys.create(session, actors[role].id, role, at, label="development")
    _write(path, "".join(f"{role.value} {known[role]}\n" for role in HOLDERS))
    return known


def _development_actors(settings: Settings) -> dict[Role, Actor]:
    policy = load_policy(settings.policy)
    named = {Role.REPRESENTATIVE: policy.areas[policy.intake.area].representative}
    return {role: Actor(id=named.get(role, f"dev-{role.value}"), role=role) for role in HOLDERS}


def _read(path: Path) -> dict[Role, str]:
    if not path.exists():
        return {}
    lines = (line.split() for line in path.read_text(encoding="ascii", errors="replace").splitlines())
    return {Role(line[0]): line[1] for line in lines if len(line) == 2 and line[0] in HOLDERS}  # noqa: PLR2004


def _write(path: Path, text: str) -> None:
    """Put it in place by a rename, readable by the owner alone from its first moment on."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
    beside.replace(path)
