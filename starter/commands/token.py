"""`plazo token`: a token of the sign-in provider's stand-in, to try things out in development."""

from typing import Annotated

import httpx2
import typer

from models.errors import EngineUnavailable, Refused, SettingsError
from settings import load_settings
from starter.admin.oidc_settings import oidc_settings
from starter.commands.console import exit_codes

PATIENCE = 5


def token_command(
    user: Annotated[str, typer.Argument(help="Who signs in: dev-agent, dev-supervisor, dev-compliance, dev-auditor.")],
) -> None:
    """Print a token that is good for ten minutes; `make run` must be running."""
    with exit_codes():
        settings = load_settings()
        if settings.environment == "production":
            raise SettingsError("plazo token: in production people sign in with their provider")
        try:
            answer = httpx2.post(
                f"{oidc_settings(settings).issuer}/token", data={"username": user}, timeout=PATIENCE, trust_env=False
            )
        except httpx2.HTTPError:
            raise EngineUnavailable(
                "the stand-in for the sign-in provider does not answer; does make run run?"
            ) from None
        if answer.status_code != httpx2.codes.OK:
            raise Refused("token.unknown-user", "the stand-in knows no such user")
        typer.echo(answer.json()["access_token"])
