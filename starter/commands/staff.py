"""`plazo staff` and `plazo workload`: the people who answer, and who has what."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError
from sqlmodel import Session

from models.errors import Refused
from models.inquiry import Actor, Role
from models.policy import Policy
from models.policy_reading import load_policy
from models.tables import AbsenceRow, StaffRow
from records import audit, staff
from records.audit import Outcome
from starter.admin.losing import put, train
from starter.admin.staff import workload_view
from starter.admin.staff_views import PersonBody, PersonView, TrainingBody
from starter.commands.console import CONSOLE_EYES, AsJson, Dates, now, print_json, print_rows, records
from starter.commands.handing_over import hand_over_all, pass_on, print_told

Who = Annotated[str, typer.Argument(help="Their opaque id, such as cx-lead; never a name.")]
Why = Annotated[str | None, typer.Option(help="Stands in the timeline of each case that they lose by it.")]
By = Annotated[str, typer.Option(help="The id of the supervisor who says so.")]
Holding = Literal["agent", "representative", "supervisor", "compliance", "auditor"]


def list_command(*, as_json: AsJson = False) -> None:
    """List all who have not left: their areas, whom they represent, whether they are there today."""
    with records() as (settings, database):
        policy = load_policy(settings.policy)
        with database.read() as session:
            away = staff.absent(session, _today(policy))
            rows = staff.everybody(session)
        people = [PersonView.of(row, policy, absent=row.id in away, whole=True) for row in rows]
        if as_json:
            print_json(people)
            return
        print_rows(("WHO", "ROLE", "AREAS", "REPRESENTS", "DEPUTY OF", "TODAY"), [_row(one) for one in people])


def add_command(
    who: Who,
    email: Annotated[str, typer.Argument(help="Where they are written to.")],
    role: Annotated[Holding, typer.Argument(help="What they may do.")],
    *,
    by: By,
    area: Annotated[list[str] | None, typer.Option(help="An area they work for; may be said again.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="A language they answer in; may be said again.")] = None,
    why: Why = None,
) -> None:
    """Add somebody, or change what is known of them. Open cases of an area that they lose go to somebody else."""
    of_another(who, by)
    spoken = language or ["es"]
    said = {"id": who, "email": email, "role": role, "areas": area or [], "languages": spoken, "language": spoken[0]}
    with records() as (settings, database):
        body = _body(said)
        _known_areas(load_policy(settings.policy), body.areas)
        with database.write() as session:
            known = staff.person(session, who)
            if known and known.left_at:
                raise Refused("staff.left", "they have left; see `plazo staff return`")
            loss = put(session, body, now(), by=by)
            note(session, by, "staff.set", who)
        typer.echo(f"{who} is known")
        pass_on(settings, database, who, loss, by=by, why=why)


def absent_command(
    who: Who,
    *,
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="The first day away.")],
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="The last day away.")],
    why: Annotated[str, typer.Option(help="Why.")],
    by: By,
) -> None:
    """Say when somebody is away: new inquiries pass them over."""
    begins, ends = _day(first), _day(last)
    if ends < begins:
        raise typer.BadParameter("the last day lies before the first", param_hint="--to")
    with records() as (_settings, database), database.write() as session:
        one_of(session, who)
        staff.set_absence(session, AbsenceRow(staff=who, first=begins, last=ends, by=by, reasons=why))
        note(session, by, "staff.absence", who)
    typer.echo(f"{who} is away from {begins} to {ends}")


def trained_command(
    who: Who,
    area: Annotated[str, typer.Argument(help="The area.")],
    language: Annotated[Literal["es", "en"], typer.Argument(help="The language.")],
    *,
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day it holds; one that is past ends it.")],
    by: By,
    why: Why = None,
) -> None:
    """Say what somebody is trained for; without it they are assigned nothing, and what they have goes on."""
    of_another(who, by)
    body = TrainingBody(area=area, language=language, until=_day(until))
    with records() as (settings, database):
        policy = load_policy(settings.policy)
        _known_areas(policy, (area,))
        with database.write() as session:
            one_of(session, who)
            loss = train(session, who, body, _today(policy))
            note(session, by, "staff.training", who)
        typer.echo(f"{who} answers {area} in {language} until {body.until}")
        pass_on(settings, database, who, loss, by=by, why=why)


def leave_command(
    who: Who,
    *,
    why: Annotated[str, typer.Option(help="Stands in the timeline of each case.")],
    by: By,
    as_json: AsJson = False,
) -> None:
    """Somebody leaves for good: every open case of theirs goes to somebody else. Run again, it goes on.

    Prints what went to whom, and what stays with them and why.
    """
    of_another(who, by)
    with records() as (settings, database):
        with database.write() as session:
            one_of(session, who)
            staff.leave(session, who, now())
            note(session, by, "staff.leave", who)
        told = asyncio.run(hand_over_all(settings, database, who, Actor(id=by, role=Role.SUPERVISOR), why))
    if as_json:
        print_json(told)
        return
    print_told(who, told)


def return_command(who: Who, *, by: Annotated[str, typer.Option(help="The id of who of compliance says so.")]) -> None:
    """Somebody who had left is back, as they were known; their keys stay worthless."""
    of_another(who, by)
    with records() as (_settings, database), database.write() as session:
        if not one_of(session, who).left_at:
            raise Refused("staff.there", "they have not left")
        if one_of(session, by).role != Role.COMPLIANCE:
            raise Refused("staff.role", "only compliance takes somebody in again")
        staff.come_back(session, who)
        note(session, by, "staff.return", who)
    typer.echo(f"{who} is back")


def workload_command(*, as_json: AsJson = False) -> None:
    """Show who has what: open work, what is overdue, what is due next."""
    with records() as (settings, database):
        dates = Dates(settings)
        with database.read() as session:
            view = workload_view(session, now(), _today(dates.policy), CONSOLE_EYES)
        if as_json:
            print_json(view.items)
            return
        print_rows(
            ("OWNER", "TODAY", "OPEN", "OVERDUE", "NEXT DUE", "WHICH"),
            [
                (
                    one.owner,
                    "there" if one.present else "away",
                    str(one.owing),
                    str(one.overdue),
                    dates.say(one.next_due_at),
                    one.next_reference or "-",
                )
                for one in view.items
            ],
        )


def _row(one: PersonView) -> tuple[str, ...]:
    areas, represents, deputy = (" ".join(names) or "-" for names in (one.areas, one.represents, one.stands_in_for))
    return one.id, one.role, areas, represents, deputy, "there" if one.present else "away"


def _body(said: dict[str, Any]) -> PersonBody:
    try:
        return PersonBody.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise typer.BadParameter(f"{first['loc'][0]}: {first['msg']}") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write it like 2026-03-16") from None


def _today(policy: Policy) -> date:
    return now().astimezone(ZoneInfo(policy.calendar_settings.zone)).date()


def _known_areas(policy: Policy, areas: Sequence[str]) -> None:
    for area in areas:
        if area not in policy.areas:
            raise typer.BadParameter(f"{area!r} is none of {', '.join(policy.areas)}")


def of_another(who: str, by: str) -> None:
    """Raises BadParameter for whoever says it of themselves."""
    if by == who:
        raise typer.BadParameter("nobody says of themselves who they are; ask another", param_hint="--by")


def one_of(session: Session, who: str) -> StaffRow:
    """Return somebody of the staff. Raises Refused."""
    row = staff.person(session, who)
    if row is None:
        raise Refused("staff.unknown", "nobody of the staff has that id; see `plazo staff list`")
    return row


def note(session: Session, by: str, action: str, who: str) -> None:
    """Leave a line in the audit log."""
    audit.note(session, now(), by, action, who, Outcome.DONE)
