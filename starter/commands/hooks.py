"""`plazo webhooks`: how the posts to other systems go, and posting again what they missed."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from models.errors import Refused
from models.hooks import event_id
from records import audit, deliveries, visibility
from starter.admin.hooks import views
from starter.commands.console import CONSOLE, CONSOLE_EYES, AsJson, Dates, now, print_json, print_rows, records

WHOLE = "%Y-%m-%dT%H:%M:%S%z"


def list_command(*, as_json: AsJson = False) -> None:
    """List the subscriptions, the oldest first. The API makes them."""
    with records() as (settings, database):
        dates = Dates(settings)
        with database.read() as session:
            found = views(session)
    if as_json:
        print_json(found)
        return
    print_rows(
        ("WEBHOOK", "EVENTS", "WAITING", "SINCE", "GIVEN UP", "STATE", "URL"),
        [
            (
                row.id,
                str(len(row.events)),
                str(row.waiting),
                dates.say(row.oldest),
                str(row.given_up),
                "off" if row.off_at else "fails" if row.failing_since else "good",
                row.url,
            )
            for row in found
        ],
    )


def failing_command(*, as_json: AsJson = False) -> None:
    """List the posts that were not taken, and why, the oldest first; none of an inquiry in a compartment."""
    with records() as (settings, database):
        dates = Dates(settings)
        with database.read() as session:
            hidden = visibility.unseen(session, CONSOLE_EYES)
            found = [row for row in deliveries.failing(session) if row.reference not in hidden]
    if as_json:
        print_json([row.model_dump() for row in found])
        return
    print_rows(
        ("WEBHOOK", "EVENT", "TYPE", "TRIES", "NEXT", "WHY"),
        [
            (
                row.webhook,
                event_id(row.reference, row.seq),
                row.type,
                str(row.tries),
                "given up" if row.done_at else dates.say(row.not_before),
                row.error,
            )
            for row in found
        ],
    )


def replay_command(
    webhook: Annotated[str, typer.Argument(help="The subscription's id, as `plazo webhooks list` shows it.")],
    *,
    since: Annotated[
        datetime | None, typer.Option(formats=[WHOLE], help="From this time on: 2026-03-16T08:00:00-0600.")
    ] = None,
    event: Annotated[str, typer.Option(help="From the event with this webhook-id on.")] = "",
    until: Annotated[datetime | None, typer.Option(formats=[WHOLE], help="Up to this time, not counted in.")] = None,
) -> None:
    """Post events again, from a time or an event on; each keeps its webhook-id."""
    if (since is None) == (not event):
        raise typer.BadParameter("name a time or an event: --since or --event")
    with records() as (_settings, database), database.write() as session:
        begin = since.astimezone(UTC) if since else deliveries.moment_of(session, event)
        if begin is None:
            raise Refused("event.unknown", "no event has this webhook-id")
        try:
            count = deliveries.replay(session, webhook, begin, until or now(), now())
        except KeyError:
            raise Refused("webhook.unknown", "no subscription has this id; see `plazo webhooks list`") from None
        audit.note(session, now(), CONSOLE, "webhook.replay", webhook, audit.Outcome.DONE, str(count))
    typer.echo(f"{count} events to be posted again")
