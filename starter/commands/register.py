"""`plazo register`: hand in an inquiry on somebody's behalf, from a terminal."""

import sys
from datetime import datetime
from typing import Annotated

import typer
from pydantic import ValidationError

from models.errors import Malformed
from models.inquiry import Actor, Kind, Language, Role
from starter.admin.case_views import checked
from starter.commands.console import AsJson, Dates, now, print_json, records
from starter.reception.intake import make_intake
from starter.reception.registration import FromAuthority, Registration


def register_command(
    *,
    place: Annotated[str, typer.Option(help="Where it came in: office, executive, authority.")],
    received: Annotated[str, typer.Option(help="When, with its offset: 2026-03-16T10:30:00-06:00.")],
    by: Annotated[str, typer.Option(help="Who registers it: an actor's id.")],
    email: Annotated[str | None, typer.Option(help="Where the person can be written to.")] = None,
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    subject: Annotated[str, typer.Option(help="What it is about.")] = "",
    text: Annotated[str, typer.Option(help="The person's words; left out, they are read from standard input.")] = "",
    kind: Annotated[Kind | None, typer.Option(help="Left out it is guessed.")] = None,
    language: Annotated[Language | None, typer.Option(help="Left out it is guessed.")] = None,
    reference: Annotated[str | None, typer.Option(help="The inquiry that it belongs to.")] = None,
    file_number: Annotated[str | None, typer.Option(help="The authority's, where it is a letter of theirs.")] = None,
    answer_by: Annotated[str | None, typer.Option(help="By when the authority wants its answer.")] = None,
    supervisor: Annotated[bool, typer.Option(help="Its reception lies further back than policy allows.")] = False,
    identified: Annotated[bool, typer.Option(help="You have seen who the person is.")] = False,
    as_json: AsJson = False,
) -> None:
    """Register an inquiry that came to the office, to an executive, or with a letter of the authority."""
    with records() as (settings, database):
        dates = Dates(settings)
        try:
            actor = Actor(id=by, role=Role.SUPERVISOR if supervisor else Role.AGENT)
            authority = {"file_number": file_number, "answer_by": answer_by} if file_number else None
            given = Registration(
                place=place,
                received_at=datetime.fromisoformat(received),
                text=text or sys.stdin.read(),
                email=email,
                name=name,
                subject=subject,
                kind=kind,
                language=language,
                reference=checked(reference) if reference else None,
                identified=identified,
                authority=FromAuthority.model_validate(authority) if authority else None,
            )
        except (ValidationError, ValueError) as error:
            raise Malformed("registration.malformed", _first(error)) from None
        receipt = make_intake(settings, dates.policy, database, now).register(given, None, actor)
    if as_json:
        print_json(receipt)
        return
    what = "was registered before" if receipt.duplicate else "is opened" if receipt.new else "got it"
    typer.echo(
        f"{receipt.reference} {what}; acknowledged by {dates.say(receipt.acknowledge_by)}, answered by "
        f"{dates.say(receipt.answer_by)}"
    )


def _first(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return "--received is no time"
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"[:300]
