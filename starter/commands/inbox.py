"""`plazo inbox`, `plazo retry`: what waits and why; a person who has looked into missing numbers signs for them.

The chat's numbers are our own: a gap there is a damaged database, which nobody signs for.
"""

from typing import Annotated

import typer

from channels.text import one_line
from models.errors import Refused
from records import dispatches, streams, visibility
from starter.admin.case_views import checked
from starter.admin.inbox import FeedView, FileView, WaitingView, inbox
from starter.admin.message_views import MessageView
from starter.commands.console import CONSOLE_EYES, AsJson, Dates, Reference, now, print_json, print_rows, records


def inbox_command(
    *,
    as_json: AsJson = False,
    stream: Annotated[str, typer.Option("--settle", metavar="STREAM", help="Sign for its gaps: looked into.")] = "",
    by: Annotated[str, typer.Option(help="Who has looked into them.")] = "",
    why: Annotated[str, typer.Option(help="What they found.")] = "",
) -> None:
    """Show what waits and why: for Temporal, for a person in quarantine, for its provider; feeds and gaps."""
    if (stream or by or why) and not (stream and one_line(by) and one_line(why)):
        raise typer.BadParameter("a gap is settled by somebody who says what they found: --settle, --by, --why")
    with records() as (settings, database):
        if stream:
            with database.write() as session:
                found = streams.settle(session, stream, by=one_line(by), why=one_line(why), now=now())
            if not found:
                raise Refused(
                    "inbox.no-gap", f"{stream}: no number of a provider's is missing there; see `plazo inbox`"
                )
            typer.echo(f"{sum(gap.last - gap.first + 1 for gap in found)} settled")
            return
        dates = Dates(settings)
        with database.read() as session:
            view = inbox(session, now(), visibility.unseen(session, CONSOLE_EYES))
        if as_json:
            print_json(view)
            return
        for alarm in view.alarms:
            typer.echo(f"ALARM  {one_line(alarm)}")
        rows = [_waiting(one, dates) for one in view.waiting]
        _section("for Temporal", ("REFERENCE", "WHAT", "SINCE", "TRIES", "WHY"), rows)
        rows = [_held(one, dates) for one in view.quarantine]
        _section("in quarantine", ("MESSAGE", "RECEIVED", "WHY", "FROM", "SUBJECT"), rows)
        rows = [_file(one, dates) for one in view.files]
        _section("files with their provider", ("MESSAGE", "CHANNEL", "FILE", "SINCE", "TRIES", "WHY"), rows)
        rows = [_feed(one, dates) for one in view.feeds]
        _section("feeds", ("FEED", "LAST LOOK", "FAILING SINCE", "FOUND LATE", "WHY"), rows)
        rows = [(one.stream, str(one.first), str(one.last)) for one in view.gaps]
        _section("gaps", ("STREAM", "FIRST", "LAST"), rows)


def retry_command(reference: Reference) -> None:
    """Hand what waits for one inquiry to Temporal at once, instead of at its next slow try."""
    with records() as (_settings, database), database.write() as session:
        count = dispatches.hurry(session, checked(reference), now())
    typer.echo(f"{count} to be handed over at once" if count else "nothing waits for it")


def _section(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    typer.echo(f"{len(rows)} {title}")
    if rows:
        print_rows(heads, rows)


def _waiting(one: WaitingView, dates: Dates) -> tuple[str, ...]:
    return one.reference, one.name, dates.say(one.since), str(one.tries), one.why


def _held(one: MessageView, dates: Dates) -> tuple[str, ...]:
    return one.id, dates.say(one.received_at), one.disposition, one.sender or "-", one.subject


def _file(one: FileView, dates: Dates) -> tuple[str, ...]:
    return one.message, one.channel, one.filename, dates.say(one.since), str(one.tries), one.why


def _feed(one: FeedView, dates: Dates) -> tuple[str, ...]:
    return one.name, dates.say(one.looked_at), dates.say(one.failing_since), str(one.late), one.why or "-"
