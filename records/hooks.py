"""The subscriptions of other systems. Secrets come in and go out sealed; nothing here can read one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, func, select

from models.errors import Refused
from models.tables import Delivery, Webhook
from records.ids import new_id

MOST = 50
"""Subscriptions at a time: each has its own posts under way."""

BOTH_GOOD = timedelta(hours=24)
"""How long the former secret signs beside the new one."""


def subscribe(
    session: Session, url: str, events: Sequence[str], secret: str, *, label: str, made_by: str, now: datetime
) -> Webhook:
    """Post these events to `url` from now on. Refused beyond MOST."""
    if session.exec(select(func.count()).select_from(Webhook)).one() >= MOST:
        raise Refused("webhook.too-many", f"there may be {MOST} subscriptions; delete one that is not needed")
    row = Webhook(
        id=new_id("wh"), url=url, events=list(events), label=label, secret=secret, made_by=made_by, created_at=now
    )
    session.add(row)
    session.flush()
    return row


def get(session: Session, id_: str) -> Webhook:
    """Return a subscription. KeyError for none."""
    row = session.get(Webhook, id_)
    if row is None:
        raise KeyError(id_)
    return row


def all_of_them(session: Session) -> list[Webhook]:
    """Return every subscription, the oldest first."""
    return list(session.exec(select(Webhook).order_by(col(Webhook.created_at), col(Webhook.id))))


def ready(session: Session, now: datetime) -> list[Webhook]:
    """Return those that may be posted to now."""
    return [row for row in all_of_them(session) if row.off_at is None and (row.not_before or now) <= now]


def rotate(session: Session, id_: str, secret: str, now: datetime) -> Webhook:
    """Sign with a new secret, and for BOTH_GOOD with the former one as well. KeyError for no such subscription."""
    row = get(session, id_)
    row.former_secret, row.former_until, row.secret = row.secret, now + BOTH_GOOD, secret
    session.add(row)
    session.flush()
    return row


def remove(session: Session, id_: str) -> None:
    """Forget a subscription and what was still to be posted to it. KeyError for none."""
    row = get(session, id_)
    session.connection().execute(delete(Delivery).where(col(Delivery.webhook) == id_))
    session.delete(row)
    session.flush()
