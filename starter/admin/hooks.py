"""Webhooks over the API: other systems subscribe to what happens, and have it posted again where they missed it.

Supervisors and compliance decide who learns what; an auditor reads the list. A secret is shown once, when it is made.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from sqlmodel import Session

from models.errors import Malformed
from models.hooks import NAMES
from models.tables import Webhook
from records import audit, deliveries, hooks
from records.deliveries import Standing
from starter.admin import hook_secrets
from starter.admin.api import COMMANDING, READING, Here, private
from starter.admin.moments import beginning
from starter.admin.rights import Caller
from starter.admin.views import View
from starter.http.outside import Forbidden, checked_url, networks
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem

Label = Annotated[str, StringConstraints(max_length=80, strip_whitespace=True)]
WebhookId = Annotated[str, Path(max_length=64, description="The subscription's id.", examples=["wh_1"])]


class Wanted(BaseModel):
    """Where to post, and which events."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[str, StringConstraints(min_length=1, max_length=300)] = Field(examples=["https://crm.example/plazo"])
    events: tuple[str, ...] = Field(min_length=1, max_length=100, examples=[["inquiry.opened.v1"]])
    label: Label = ""

    @field_validator("events")
    @classmethod
    def _are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [position for position, name in enumerate(value) if name not in NAMES]:
            raise ValueError(f"name {unknown[0] + 1} is no published event; docs/webhooks.md lists them")
        return tuple(dict.fromkeys(value))


class ReplayBody(BaseModel):
    """Which events to post again: those of a time, or all since one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: AwareDatetime | None = Field(default=None, examples=["2026-03-16T00:00:00Z"])
    event: Annotated[str, StringConstraints(max_length=64)] | None = Field(default=None, description="Its webhook-id.")
    until: AwareDatetime | None = Field(default=None, description="Up to this time; up to now where it is left out.")

    @model_validator(mode="after")
    def _one_of_the_two(self) -> "ReplayBody":
        if (self.since is None) == (self.event is None):
            raise ValueError("name a time, or an event")
        return self


class WebhookView(View):
    """A subscription and how it goes. `waiting` events are still to be posted, the oldest since `oldest`."""

    id: str
    url: str
    events: tuple[str, ...]
    label: str
    made_by: str
    created_at: AwareDatetime
    waiting: int
    oldest: AwareDatetime | None
    given_up: int
    failing_since: AwareDatetime | None
    error: str
    off_at: AwareDatetime | None


class WebhooksView(View):
    """All subscriptions, the oldest first."""

    items: tuple[WebhookView, ...]


class SecretView(View):
    """A secret, shown this once; where it takes the place of another, that one signs too until `former_until`."""

    id: str
    secret: str = Field(repr=False)
    former_until: AwareDatetime | None


class Replayed(View):
    """How many events are posted again."""

    events: int


router = APIRouter(prefix="/api/webhooks", tags=["webhooks"], route_class=PlainJsonRoute, dependencies=[private])


@router.get("", responses=READING | {403: COMMANDING[403]})
def webhooks(desk: Here, _actor: Caller) -> WebhooksView:
    """List the subscriptions, and how each goes."""
    with desk.database.read() as session:
        return WebhooksView(items=tuple(views(session)))


@router.post("", responses=COMMANDING, status_code=HTTPStatus.CREATED)
def subscribe(desk: Here, actor: Caller, body: Wanted) -> SecretView:
    """Post events to another system from now on."""
    settings = desk.settings
    try:
        plain = settings.environment == "development"
        url = checked_url(body.url, networks(settings.webhook_networks), plain=plain)
    except Forbidden as error:
        raise Malformed("webhook.url", str(error), field="url") from None
    secret = hook_secrets.make()
    sealed = hook_secrets.seal(settings.key_ring(), url, secret)
    now = desk.clock()
    with desk.database.write() as session:
        row = hooks.subscribe(session, url, body.events, sealed, label=body.label, made_by=actor.id, now=now)
        audit.note(session, now, actor.id, "webhook.make", row.id, audit.Outcome.DONE)
    return SecretView(id=row.id, secret=secret, former_until=None)


@router.delete("/{webhook}", responses=COMMANDING, status_code=HTTPStatus.NO_CONTENT)
def unsubscribe(desk: Here, actor: Caller, webhook: WebhookId) -> Response:
    """Post nothing more there; what waits for it is forgotten."""
    now = desk.clock()
    with desk.database.write() as session:
        hooks.remove(session, _known(session, webhook).id)
        audit.note(session, now, actor.id, "webhook.delete", webhook, audit.Outcome.DONE)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/{webhook}/rotate", responses=COMMANDING)
def rotate(desk: Here, actor: Caller, webhook: WebhookId) -> SecretView:
    """Make a new secret; for a day the former one signs beside it."""
    secret, now = hook_secrets.make(), desk.clock()
    with desk.database.write() as session:
        row = _known(session, webhook)
        sealed = hook_secrets.seal(desk.settings.key_ring(), row.url, secret)
        row = hooks.rotate(session, webhook, sealed, now)
        audit.note(session, now, actor.id, "webhook.rotate", webhook, audit.Outcome.DONE)
    return SecretView(id=row.id, secret=secret, former_until=row.former_until)


@router.post("/{webhook}/replay", responses=COMMANDING)
def replay(desk: Here, actor: Caller, webhook: WebhookId, body: ReplayBody) -> Replayed:
    """Post events again, behind those that wait; each keeps its webhook-id."""
    now, calendar = desk.clock(), desk.policy.whole_calendar()
    until = now if body.until is None else beginning(body.until, calendar, "until")
    with desk.database.write() as session:
        _known(session, webhook)
        if body.since is not None:
            since = beginning(body.since, calendar, "since")
        else:
            since = _beginning(session, body.event or "")
        events = deliveries.replay(session, webhook, since, until, now)
        audit.note(session, now, actor.id, "webhook.replay", webhook, audit.Outcome.DONE, str(events))
    return Replayed(events=events)


def views(session: Session) -> list[WebhookView]:
    """Every subscription and how it goes."""
    standing = deliveries.standing(session)
    return [_view(row, standing.get(row.id, Standing())) for row in hooks.all_of_them(session)]


def _view(row: Webhook, standing: Standing) -> WebhookView:
    return WebhookView(
        id=row.id,
        url=row.url,
        events=tuple(row.events),
        label=row.label,
        made_by=row.made_by,
        created_at=row.created_at,
        waiting=standing.waiting,
        oldest=standing.oldest,
        given_up=standing.given_up,
        failing_since=row.failing_since,
        error=row.error,
        off_at=row.off_at,
    )


def _known(session: Session, webhook: str) -> Webhook:
    try:
        return hooks.get(session, webhook)
    except KeyError:
        raise Problem(HTTPStatus.NOT_FOUND, "webhook.unknown", "no subscription has this id") from None


def _beginning(session: Session, event: str) -> datetime:
    found = deliveries.moment_of(session, event)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "event.unknown", "no event has this webhook-id", field="event")
    return found
