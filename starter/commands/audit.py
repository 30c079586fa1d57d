"""`plazo audit`: the audit log as a person at a terminal reads it."""

from typing import Annotated

import typer

from records import audit
from records.audit import Outcome
from starter.commands.console import AsJson, Dates, print_json, print_rows, records


def audit_command(
    *,
    by: Annotated[str | None, typer.Option(help="Only what this actor did.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, such as key.make.")] = None,
    of: Annotated[str | None, typer.Option("--object", help="Only on this, such as a reference.")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="Only what was done, or only what was denied.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=audit.MOST, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was denied and what is sensitive, the newest first."""
    with records() as (settings, database), database.read() as session:
        rows = audit.page(session, actor=by, action=action, of=of, outcome=outcome, limit=limit)
        if as_json:
            print_json([row.model_dump() for row in rows])
            return
        dates = Dates(settings)
        print_rows(
            ("N", "WHEN", "WHO", "DID", "TO WHAT", "OUTCOME", "DETAIL"),
            [
                (str(row.id), dates.say(row.at), row.actor, row.action, row.object, row.outcome, row.detail or "-")
                for row in rows
            ],
        )
