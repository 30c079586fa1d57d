"""`plazo thread`: the one conversation of an inquiry, as a person at a terminal reads it."""

import typer

from starter.admin.thread import thread
from starter.commands.console import AsJson, Dates, Reference, print_json, print_text, records, shown


def thread_command(reference: Reference, *, as_json: AsJson = False) -> None:
    """Show the conversation of one inquiry: messages and letters on all channels, in order."""
    with records() as (settings, database):
        dates = Dates(settings)
        with database.read() as session:
            turns = thread(session, shown(session, reference))
        if as_json:
            print_json(turns)
            return
        for turn in turns:
            arrow = "<-" if turn.direction == "in" else "->"
            typer.echo(f"{arrow} {dates.say(turn.at)}  {turn.channel}  {turn.state}  {turn.key}")
            print_text(turn.subject, indent="   ")
            print_text(turn.text or f"({turn.unreadable or 'nothing'})", indent="   | ")
