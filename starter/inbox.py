"""`plazo inbox`: what came in and is not where it belongs yet, why, and since when.

An alarm is what nothing will mend by itself: Temporal refuses a row, a feed fails, a provider's number is missing.
A person who has looked into missing numbers settles their stream; who did, and what they found, is kept in SETTLED.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

import typer
from pydantic import AwareDatetime
from sqlmodel import Session

from channels.text import one_line
from models.errors import Refused
from records import chat, dispatches, feeds, incidents, messages, remote_files, streams
from settings import Settings
from starter.case_views import checked
from starter.console import AsJson, Dates, Reference, now, print_json, print_rows, records
from starter.views import MessageView, View

DEAD_AFTER = 5
"""Tries after which a row that Temporal refuses counts as a dead letter: tried on slowly, and told as an alarm."""


QUIET = timedelta(minutes=15)
"""A feed that has not looked for so long is run by nobody."""

SETTLED = "settled.jsonl"
"""A file below PLAZO_VAR: a line for each gap that somebody has looked into."""


class WaitingView(View):
    """Something that Temporal has not taken: a start, or a signal's name."""

    reference: str
    name: str
    since: AwareDatetime
    tries: int
    next_try: AwareDatetime | None
    why: str
    dead: bool


class FileView(View):
    """A file that lies with its provider still."""

    message: str
    channel: str
    filename: str
    since: AwareDatetime
    tries: int
    why: str


class FeedView(View):
    """A feed: when it last looked, since when it fails, and how much it found that nobody had told."""

    name: str
    channel: str
    looked_at: AwareDatetime | None
    failing_since: AwareDatetime | None
    why: str
    late: int


class GapView(View):
    """Numbers of a provider that never came, all or some of them."""

    stream: str
    first: int
    last: int


class InboxView(View):
    """Everything that waits. `alarms` says in words what somebody must look into."""

    alarms: tuple[str, ...]
    waiting: tuple[WaitingView, ...]
    quarantine: tuple[MessageView, ...]
    files: tuple[FileView, ...]
    feeds: tuple[FeedView, ...]
    gaps: tuple[GapView, ...]


def inbox(session: Session, at: datetime) -> InboxView:
    """Look at everything that waits. `at` is the time, aware UTC."""
    waiting = tuple(
        WaitingView(
            reference=row.reference,
            name=row.name,
            since=row.created_at,
            tries=row.attempts,
            next_try=row.not_before,
            why=row.last_error or ("gathered" if row.name == dispatches.DELIVERED else "on its way"),
            dead=row.attempts >= DEAD_AFTER,
        )
        for row in dispatches.all_undone(session)
    )
    files = tuple(
        FileView(
            message=row.message,
            channel=row.channel,
            filename=row.filename,
            since=row.created_at,
            tries=row.attempts,
            why=row.last_error or "on its way",
        )
        for row in remote_files.waiting(session)
    )
    running = tuple(
        FeedView(
            name=row.name,
            channel=row.channel,
            looked_at=row.looked_at,
            failing_since=row.failing_since,
            why=row.last_error,
            late=row.late,
        )
        for row in feeds.all_of_them(session)
    )
    since = at - streams.KEPT
    gaps = (
        *(GapView(stream=gap.stream, first=gap.first, last=gap.last) for gap in streams.gaps(session, since=since)),
        *(GapView(stream=f"chat:{gap.session}", first=1, last=gap.last_seq) for gap in chat.gaps(session, since)),
    )
    held = tuple(MessageView.of(row, []) for row in messages.quarantined(session))
    return InboxView(
        alarms=(*_alarms(waiting, running, gaps, at), *_unreached(session)),
        waiting=waiting,
        quarantine=held,
        files=files,
        feeds=running,
        gaps=gaps,
    )


def _alarms(
    waiting: tuple[WaitingView, ...], running: tuple[FeedView, ...], gaps: tuple[GapView, ...], at: datetime
) -> tuple[str, ...]:
    dead = [f"{row.reference}: Temporal refuses {row.name}: {row.why}" for row in waiting if row.dead]
    out = [f"feed {row.name} brings nothing in: {row.why}" for row in running if row.failing_since]
    seen = [(row.name, row.looked_at) for row in running if row.looked_at and not row.failing_since]
    idle = [
        f"feed {name} has not looked since {last.isoformat(timespec='minutes')}; does the collector run?"
        for name, last in seen
        if at - last > QUIET
    ]
    lost = [f"{gap.stream}: numbers are missing between {gap.first} and {gap.last}" for gap in gaps]
    return (*dead, *out, *idle, *lost)


def _unreached(session: Session) -> tuple[str, ...]:
    return tuple(f"{row.key}: does not reach {row.tracker}: {row.error}" for row in incidents.failing(session))


def settle(session: Session, settings: Settings, stream: str, signed: Mapping[str, str]) -> int:
    """Sign for what is missing in a provider's stream: it raises no alarm any more. Return how many numbers that is.

    Raises Refused where nothing is missing. The chat's numbers are our own: a gap there is a damaged database.
    """
    found = streams.settle(session, stream)
    if not found:
        raise Refused("inbox.no-gap", f"{stream}: no number of a provider's is missing there; see `plazo inbox`")
    settings.var.mkdir(parents=True, exist_ok=True)
    with (settings.var / SETTLED).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({**gap._asdict(), **signed}) + "\n" for gap in found)
    return sum(gap.last - gap.first + 1 for gap in found)


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
                signed = {"at": now().isoformat(), "by": one_line(by), "why": one_line(why)}
                count = settle(session, settings, stream, signed)
            typer.echo(f"{count} settled")
            return
        dates = Dates(settings)
        with database.read() as session:
            view = inbox(session, now())
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
