"""`plazo migrate`, `verify`, `policy check`: is everything in order, and what to do where it is not."""

from pathlib import Path
from typing import Annotated

import typer

from models.errors import LedgerError, UnknownInquiry
from models.policy_reading import load_policy
from records import case_list, ledger, visibility
from settings import load_settings
from starter.commands.console import CONSOLE_EYES, REFUSED, AsJson, exit_codes, print_json, records, shown


def migrate_command(
    *, check: Annotated[bool, typer.Option("--check", help="Change nothing; exit code 1 where it is behind.")] = False
) -> None:
    """Bring the records database to the form that this version needs."""
    from records.migrate import head, revision, upgrade  # noqa: PLC0415  alembic is slow to load

    with exit_codes():
        url = load_settings().records_url
        found, needed = revision(url), head()
        if found == needed:
            typer.echo(f"up to date at {needed}")
            return
        if check:
            typer.echo(f"at {found or 'nothing'}, needs {needed}; run `plazo migrate`")
            raise typer.Exit(REFUSED)
        upgrade(url)
        typer.echo(f"migrated from {found or 'nothing'} to {needed}")


def verify_command(
    reference: Annotated[str | None, typer.Argument(help="One inquiry's reference.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every inquiry.")] = False,
    as_json: AsJson = False,
) -> None:
    """Walk the chain of one inquiry, or of all; exit code 1 where one is broken.

    Those that lie in a compartment are walked like all others, and counted only.
    """
    if (reference is None) == (not every):
        raise typer.BadParameter("name one inquiry, or say --all")
    heads: dict[str, str] = {}
    broken: dict[str, str] = {}
    with records() as (_settings, database):
        with database.read() as session:
            names = ledger.references(session) if reference is None else [shown(session, reference)]
            hidden = visibility.unseen(session, CONSOLE_EYES)
            if reference is not None:
                case_list.line(session, names[0])
        for name in names:
            with database.read() as session:
                try:
                    heads[name] = _verified(ledger.verify(session, name), case_list.line(session, name).head, name)
                except (LedgerError, UnknownInquiry) as error:
                    broken[name] = str(error)
    seen = {name: head for name, head in heads.items() if name not in hidden}
    torn = {name: why for name, why in broken.items() if name not in hidden}
    counted = {"verified": len(heads) - len(seen), "broken": len(broken) - len(torn)}
    if as_json:
        print_json({"verified": seen, "broken": torn, "hidden": counted})
    else:
        for name, head in seen.items():
            typer.echo(f"{name}\tok\t{head}")
        for name, why in torn.items():
            typer.echo(f"{name}\tBROKEN\t{why}")
        if any(counted.values()):
            typer.echo(f"in compartments\t{counted['verified']} ok\t{counted['broken']} BROKEN")
    if broken:
        raise typer.Exit(REFUSED)


def _verified(walked: str, projected: str, reference: str) -> str:
    if walked != projected:
        raise LedgerError(f"{reference}: the chain ends at {walked}, the case says {projected}")
    return walked


def policy_check_command(
    folder: Annotated[Path | None, typer.Argument(help="The policy's folder; default: PLAZO_POLICY.")] = None,
) -> None:
    """Read the policy, its calendar and its letters; a mistake is told with file, key and line.

    Says which templates compliance has not approved as they stand. One that was never approved is a mistake: production
    would not start.
    """
    from activities.letters.memos import Memos  # noqa: PLC0415  templates are slow to load
    from activities.letters.rendering import Letters  # noqa: PLC0415
    from activities.letters.survey import sentence, waiting  # noqa: PLC0415

    with exit_codes():
        where = folder or load_settings().policy
        policy = load_policy(where)
        for kind in (Letters, Memos):
            kind.load(where)
            kind.load(where, approved=True)
        for line in waiting(where):
            typer.echo(sentence(line))
        typer.echo(f"{where}: policy {policy.full_version}, calendar {policy.whole_calendar().version}: in order")
