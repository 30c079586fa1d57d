"""What the HTTP interfaces of the web process share: the records, the way to Temporal, the policy, the clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from temporalio.client import Client

from models.policy import Policy
from records.database import Database
from settings import Settings
from starter.admin.oidc import Tokens
from starter.reception.intake import Intake


@dataclass(frozen=True)
class Desk:
    """One web process's tools.

    `client` may be lazy: Temporal may be away when the process starts. `clock` gives aware UTC, `wake` tells the
    dispatcher that something waits for Temporal. `tokens` reads those of the sign-in provider, where there is one.
    """

    settings: Settings
    policy: Policy
    database: Database
    client: Client
    intake: Intake
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    tokens: Tokens | None = None


def desk_of(request: Request) -> Desk:
    """The desk that the application was made with, `app.state.desk`."""
    desk: Desk = request.app.state.desk
    return desk
