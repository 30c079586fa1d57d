"""`plazo telegram-webhook`: tell Telegram where updates go, or ask where they go now."""

from typing import Annotated

import typer

from channels.registry import load_channels
from channels.telegram.adapter import Telegram
from models.errors import ChannelError, SettingsError
from models.policy_reading import load_policy
from settings import load_settings
from starter.commands.console import REFUSED, exit_codes, now, print_json

DOOR = "/intake/telegram/updates"


def telegram_webhook_command(
    *,
    base: Annotated[
        str | None,
        typer.Option("--set", help="The public address of the web process, such as https://intake.example.org."),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Take it away, so that long polling can begin.")] = False,
) -> None:
    """Show where Telegram sends updates; set the webhook, or take it away."""
    if base is not None and delete:
        raise typer.BadParameter("say --set or --delete, not both")
    with exit_codes():
        settings = load_settings()
        channel = load_channels(load_policy(settings.policy), settings, now).get("telegram")
        if not isinstance(channel, Telegram):
            raise SettingsError("the channel telegram is off; set channels.telegram.enabled = true in the policy")
        try:
            if base is not None:
                channel.set_webhook(base.rstrip("/") + DOOR)
            elif delete:
                channel.delete_webhook()
            print_json(dict(channel.webhook_info()))
        except ChannelError as error:
            typer.echo(f"Telegram says no: {error.detail}", err=True)
            raise typer.Exit(REFUSED) from None
