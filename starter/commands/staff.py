"""`plazo staff` and `plazo workload`: the people who answer, and who has what."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError
from sqlmodel import Session

from engine import connect
from models.errors import Refused
from models.inquiry import Actor, Role
from models.policy import Policy
from models.policy_reading import load_policy
from models.sight import Eyes
from models.tables import AbsenceRow, StaffRow, TrainingRow
from records import audit, staff
from records.audit import Outcome
from records.database import Database
from settings import Settings
from starter.admin.desk import Desk
from starter.admin.handover import hand_over
from starter.admin.staff import workload_view
from starter.admin.staff_views import HandedView, HandOverView, PersonBody, PersonView
from starter.commands.console import CONSOLE_EYES, AsJson, Dates, now, print_json, print_rows, records
from starter.reception.intake import make_intake

Who = Annotated[str, typer.Argument(help="Their opaque id, such as cx-lead; never a name.")]
By = Annotated[str, typer.Option(help="The id of the supervisor who says so.")]
UNTOLD = "(hidden)"
"""What stands for the reference of a case that whoever asks may not see."""

PROJECTED = 0.5
"""Seconds in which the records learn of what cases have decided."""

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
) -> None:
    """Add somebody, or change what is known of them."""
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
            values: dict[str, Any] = body.model_dump() | {"areas": list(body.areas), "languages": list(body.languages)}
            staff.add(session, StaffRow(**values, joined_at=known.joined_at if known else now()))
            note(session, by, "staff.set", who)
    typer.echo(f"{who} is known")


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
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The last day it holds.")],
    by: By,
) -> None:
    """Say what somebody is trained for; without it they are assigned nothing."""
    of_another(who, by)
    day = _day(until)
    with records() as (settings, database):
        _known_areas(load_policy(settings.policy), (area,))
        with database.write() as session:
            one_of(session, who)
            staff.train(session, TrainingRow(staff=who, area=area, language=language, until=day))
            note(session, by, "staff.training", who)
    typer.echo(f"{who} answers {area} in {language} until {day}")


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
    rows: list[tuple[str, ...]] = [(one.reference, one.owner, one.step) for one in told.handed]
    rows += [(one.reference or UNTOLD, f"{who}, still", one.code) for one in told.stays]
    print_rows(("REFERENCE", "NOW WITH", "HOW"), rows)


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


async def hand_over_all(settings: Settings, database: Database, who: str, actor: Actor, why: str) -> HandOverView:
    """Hand over everything of somebody, however long it takes; say what went to whom, and what stays.

    Raises EngineUnavailable.
    """
    policy = load_policy(settings.policy)
    client = await connect(settings, lazy=True)
    intake = make_intake(settings, policy, database, now)
    desk = Desk(settings, policy, database, client, intake, now, lambda: None)
    handed: list[HandedView] = []
    while True:
        view = await hand_over(desk, who, actor, why, Eyes(actor.id))
        handed += view.handed
        if not view.remaining:
            return view.model_copy(update={"handed": tuple(handed)})
        if not view.handed:
            await asyncio.sleep(PROJECTED)


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
