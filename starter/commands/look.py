"""`plazo list`, `show`, `timeline`: the records as a person at a terminal reads them."""

from datetime import date, datetime
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from models.area_work import Referral
from models.inquiry import Kind, Status
from models.messages import When
from records import case_list, ledger
from starter.admin.case_views import CaseView, EventView, LineView, StateView, case_view
from starter.admin.moments import beginning
from starter.commands.console import (
    CONSOLE_EYES,
    AsJson,
    Dates,
    Reference,
    print_json,
    print_rows,
    print_text,
    records,
    shown,
)

_WHEN: TypeAdapter[date | datetime] = TypeAdapter(When)


def list_command(
    *,
    status: Annotated[Status | None, typer.Option(help="Only those in this state.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Only inquiries, or only complaints.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only those of this channel.")] = None,
    area: Annotated[str | None, typer.Option(help="Only those of this area.")] = None,
    due_before: Annotated[
        str | None, typer.Option(help="Due before this day begins (2026-03-16), or before this time with its offset.")
    ] = None,
    follow_up_before: Annotated[
        str | None, typer.Option(help="With a follow-up that is not done, before this day or time.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="In reference, subject or the first words.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Go on where an earlier list ended.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=case_list.MOST, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List inquiries, the next due first."""
    with records() as (settings, database):
        dates = Dates(settings)
        before, follow_up = _moment(due_before, dates), _moment(follow_up_before, dates)
        with database.read() as session:
            page = case_list.page(
                session,
                status=status,
                kind=kind,
                channel=channel,
                area=area,
                due_before=before,
                follow_up_before=follow_up,
                text=text,
                eyes=CONSOLE_EYES,
                cursor=cursor,
                limit=limit,
            )
        if as_json:
            print_json({"items": [LineView.model_validate(line) for line in page.items], "next": page.next_cursor})
            return
        print_rows(
            ("REFERENCE", "KIND", "STATUS", "OWED NEXT", "DUE", "FLAGS", "SUBJECT"),
            [
                (
                    line.reference,
                    line.kind,
                    line.status,
                    line.next_obligation or "-",
                    dates.say(line.next_due_at),
                    ",".join(line.flags) or "-",
                    line.subject,
                )
                for line in page.items
            ],
        )
        if page.next_cursor:
            typer.echo(f"more: add --cursor {page.next_cursor}", err=True)


def show_command(reference: Reference, *, as_json: AsJson = False) -> None:
    """Show one inquiry: how it stands, what is owed, messages and letters."""
    with records() as (settings, database):
        dates = Dates(settings)
        with database.read() as session:
            view = case_view(session, shown(session, reference))
        if as_json:
            print_json(view)
            return
        _print_state(view, dates)
        typer.echo("\nOwed and met")
        print_rows(
            ("RULE", "WHAT", "DUE", "STATE", "MET"),
            [(one.rule, one.kind, dates.say(one.due), one.state, dates.say(one.met_at)) for one in view.obligations],
        )
        _print_areas(view.state, dates)
        typer.echo("\nLetters")
        print_rows(
            ("LETTER", "STATE", "ACCEPTED", "DELIVERED", "SUBJECT"),
            [
                (one.name, one.state, dates.say(one.accepted_at), dates.say(one.delivered_at), one.subject or "-")
                for one in view.letters
            ],
        )
        for message in view.messages:
            typer.echo(f"\nMessage {message.id}, received {dates.say(message.received_at)} over {message.channel}")
            print_text(message.subject, "  ")
            print_text(message.text, "  ")


def timeline_command(reference: Reference, *, as_json: AsJson = False) -> None:
    """Show everything that happened to one inquiry, in the order of its ledger."""
    with records() as (settings, database):
        dates = Dates(settings)
        with database.read() as session:
            written = shown(session, reference)
            case_list.line(session, written)
            events = [EventView.of(event) for event in ledger.of_case(session, written)]
        if as_json:
            print_json(events)
            return
        print_rows(
            ("N", "WHEN", "WHAT", "RULE", "WHO", "FACTS"),
            [(str(one.seq), dates.say(one.at), one.type, one.rule or "-", one.actor.id, _facts(one)) for one in events],
        )


def _print_state(view: CaseView, dates: Dates) -> None:
    state = view.state
    lines = {
        "status": state.status,
        "kind": state.kind,
        "channel": state.channel,
        "language": state.language,
        "area": state.area,
        "owner": state.owner,
        "flags": ", ".join(state.flags) or "-",
        "received": dates.say(state.received_at),
        "answer due": dates.say(state.resolution_due),
        "answer date told": dates.say(state.told),
        "closed": dates.say(state.closed_at),
        "version": str(state.version),
        "chain": f"{state.seq} events, head {state.head}",
    }
    typer.echo(state.reference)
    for name, value in lines.items():
        typer.echo(f"  {name:<17}{value}")


def _print_areas(state: StateView, dates: Dates) -> None:
    """What areas were asked, and what they verified."""
    if state.referrals:
        typer.echo("\nReferred")
        print_rows(
            ("AREA", "ASKED", "DUE INSIDE", "ENDED"),
            [(one.area, dates.say(one.opened_at), dates.say(one.due), _ending(one, dates)) for one in state.referrals],
        )
    if state.verifications:
        typer.echo("\nVerified")
        print_rows(
            ("AREA", "WHEN", "BY", "HOW", "COUNTS"),
            [
                (one.area, dates.say(one.at), one.actor.id, one.how.value, "no" if one.ended_at else "yes")
                for one in state.verifications
            ],
        )


def _ending(referral: Referral, dates: Dates) -> str:
    if referral.answered_at:
        return f"answered {dates.say(referral.answered_at)}"
    if referral.withdrawn_at:
        return f"withdrawn {dates.say(referral.withdrawn_at)}"
    return "late" if referral.passed_at else "-"


def _facts(event: EventView) -> str:
    return " ".join(f"{name}={value}" for name, value in {**event.data, **event.texts}.items())


def _moment(written: str | None, dates: Dates) -> datetime | None:
    if written is None:
        return None
    try:
        when = _WHEN.validate_python(written)
    except ValidationError as error:
        raise typer.BadParameter("write 2026-03-16, or a time with its offset", param_hint="--due-before") from error
    return beginning(when, dates.policy.whole_calendar(), "due_before")
