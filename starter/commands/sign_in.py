"""`plazo staff sign-in`: whom of the staff the sign-in provider's tokens speak for."""

from typing import Annotated

import typer

from models.errors import Refused
from records import sign_ins
from starter.admin.oidc_settings import oidc_settings
from starter.commands.console import now, records
from starter.commands.staff import By, Who, note, of_another, one_of


def sign_in_command(
    who: Who, subject: Annotated[str, typer.Argument(help="The `sub` of their tokens.")], *, by: By
) -> None:
    """Say under which `sub` the sign-in provider knows somebody: their tokens speak for them, not for a stranger."""
    of_another(who, by)
    with records() as (settings, database):
        issuer = oidc_settings(settings).issuer
        if not issuer:
            raise Refused("sign-in.no-provider", "no sign-in provider is set up here; name it in PLAZO_OIDC_ISSUER")
        with database.write() as session:
            one_of(session, who)
            if not sign_ins.bind(session, who, issuer, subject, by, now()):
                raise Refused("sign-in.taken", "tokens of that sub speak for another")
            note(session, by, "staff.sign-in", who)
    typer.echo(f"{who} signs in with the provider")
