"""Events on their way to other systems: shared out among the subscriptions, posted in order, tried again, replayed.

The ledger writes a row for each published event in its own transaction. Whoever holds the lease shares these rows out
and takes them away, so none is passed over and none is shared out twice, in whatever order transactions end.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import case, delete, func, insert, literal, select, update
from sqlmodel import Session, col
from sqlmodel import select as rows

from models.errors import Refused
from models.hooks import NAMES, PUBLISHED, of_event_id
from models.ledger import Event
from models.tables import Delivery, EventRow, PublishedEvent, Webhook
from models.tables.base import UtcTime

SHARED_AT_ONCE = 500
MOST_REPLAYED = 50_000
GIVEN_UP_AFTER = timedelta(days=5)
KEPT = timedelta(days=30)
"""How long it is remembered how a post went."""

FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=10), timedelta(hours=6)
LONGEST_PAUSE = timedelta(hours=1)
"""The longest that a receiver which takes nothing is left alone."""

GONE = 410
DELIVERED, GIVEN_UP, WITHHELD = "delivered", "given_up", "withheld"


class Tried(NamedTuple):
    """How a post went: the receiver's status (0 for none), what was wrong in words without personal data."""

    delivery: int
    status: int
    error: str = ""
    withheld: bool = False

    @property
    def taken(self) -> bool:
        """Whether nothing more is to be done."""
        return self.withheld or 200 <= self.status < 300  # noqa: PLR2004  2xx


class Standing(NamedTuple):
    """How much of a subscription is still to be posted, since when, and how much was given up."""

    waiting: int = 0
    oldest: datetime | None = None
    given_up: int = 0


def publish(session: Session, events: Iterable[Event]) -> None:
    """Let events that are published wait to be shared out: in the transaction that writes them."""
    waiting = [
        {"reference": event.reference, "seq": event.seq, "type": event.type}
        for event in events
        if event.type in PUBLISHED
    ]
    if waiting:
        session.connection().execute(insert(PublishedEvent), waiting)


def anything_waits(session: Session) -> bool:
    """Whether an event waits to be shared out."""
    return session.exec(rows(PublishedEvent).limit(1)).first() is not None


def share_out(session: Session, now: datetime, most: int = SHARED_AT_ONCE) -> int:
    """Give each waiting event to the subscriptions that want it; return how many events there were."""
    waiting = list(session.exec(rows(PublishedEvent).order_by(col(PublishedEvent.id)).limit(most)))
    if not waiting:
        return 0
    subscribed = [row for row in session.exec(rows(Webhook)) if row.off_at is None]
    shared = [
        {
            "webhook": webhook.id,
            "reference": one.reference,
            "seq": one.seq,
            "type": PUBLISHED[one.type].name,
            "created_at": now,
            **_NEW,
        }
        for one in waiting
        for webhook in subscribed
        if one.type in PUBLISHED and PUBLISHED[one.type].name in webhook.events
    ]
    connection = session.connection()
    if shared:
        connection.execute(insert(Delivery), shared)
    connection.execute(delete(PublishedEvent).where(col(PublishedEvent.id).in_([one.id for one in waiting])))
    return len(waiting)


_NEW = {"tries": 0, "status": 0, "error": "", "outcome": ""}


def due(session: Session, webhook: str, now: datetime, most: int) -> list[Delivery]:
    """Return what may be posted now: of each inquiry the first that is not done, where its time has come."""
    undone = (col(Delivery.webhook) == webhook, col(Delivery.done_at).is_(None))
    heads = select(func.min(col(Delivery.id))).where(*undone).group_by(col(Delivery.reference))
    come = func.coalesce(col(Delivery.not_before), col(Delivery.created_at)) <= now
    query = rows(Delivery).where(col(Delivery.id).in_(heads), come).order_by(col(Delivery.id)).limit(most)
    return list(session.exec(query))


def settle(session: Session, webhook: str, tried: Sequence[Tried], now: datetime, jitter: float) -> None:
    """Keep how a round of posts went. `jitter` is about 1 and stretches every wait.

    A receiver that took nothing is left alone for a while; one that says it is gone (410) for good.
    """
    row = session.get(Webhook, webhook)
    if row is None:  # deleted meanwhile
        return
    for one in tried:
        delivery = session.get(Delivery, one.delivery)
        if delivery is not None:
            _keep(delivery, one, now, jitter)
            session.add(delivery)
    faults = [one for one in tried if not one.taken]
    if any(one.taken and not one.withheld for one in tried):
        row.failures, row.failing_since, row.not_before, row.error = 0, None, None, ""
    elif faults:
        row.failures += 1
        row.failing_since = row.failing_since or now
        row.not_before = now + _wait(row.failures, LONGEST_PAUSE, jitter)
    if faults:
        row.error = faults[-1].error
    if any(one.status == GONE for one in tried):
        row.off_at, row.error = now, "its receiver answered 410: it is gone"
    session.add(row)
    session.flush()


def _keep(delivery: Delivery, tried: Tried, now: datetime, jitter: float) -> None:
    delivery.tries, delivery.tried_at = delivery.tries + 1, now
    delivery.status, delivery.error = tried.status, tried.error
    if tried.taken:
        delivery.done_at, delivery.outcome = now, WITHHELD if tried.withheld else DELIVERED
    elif now - delivery.created_at >= GIVEN_UP_AFTER:
        delivery.done_at, delivery.outcome = now, GIVEN_UP
    else:
        delivery.not_before = now + _wait(delivery.tries, LONGEST_RETRY, jitter)


def _wait(tries: int, longest: timedelta, jitter: float) -> timedelta:
    return min(FIRST_RETRY * float(2 ** min(tries - 1, 20)), longest) * jitter


def moment_of(session: Session, event: str) -> datetime | None:
    """Return when the event with this `webhook-id` happened; None where there is none."""
    named = of_event_id(event)
    row = session.get(EventRow, named) if named else None
    return row.at if row else None


def replay(session: Session, webhook: str, since: datetime, until: datetime, now: datetime) -> int:
    """Post all events of a time again that the subscription wants; return how many.

    KeyError for no such subscription; Refused for more than MOST_REPLAYED, and for one that is switched off.
    """
    row = session.get(Webhook, webhook)
    if row is None:
        raise KeyError(webhook)
    if row.off_at is not None:
        raise Refused("webhook.off", "its receiver answered 410; subscribe anew, then replay")
    named = {NAMES[name]: name for name in row.events if name in NAMES}
    if not named:  # all its names have been retired
        return 0
    wanted = (col(EventRow.at) >= since, col(EventRow.at) < until, col(EventRow.type).in_(named))
    count = session.connection().execute(select(func.count()).select_from(EventRow).where(*wanted)).scalar_one()
    if count > MOST_REPLAYED:
        raise Refused(
            "webhook.replay-too-long", f"{count} events lie in that time, {MOST_REPLAYED} may; name an earlier `until`"
        )
    found = select(
        literal(webhook),
        col(EventRow.reference),
        col(EventRow.seq),
        case(named, value=col(EventRow.type)),
        literal(now, UtcTime()),
        *(literal(value) for value in _NEW.values()),
    ).where(*wanted)
    fields = ["webhook", "reference", "seq", "type", "created_at", *_NEW]
    ordered = found.order_by(col(EventRow.at), col(EventRow.reference), col(EventRow.seq))
    session.connection().execute(insert(Delivery).from_select(fields, ordered))
    return int(count)


def standing(session: Session) -> dict[str, Standing]:
    """Return how each subscription stands that has something to do or has given something up."""
    waiting = select(col(Delivery.webhook), func.count(), func.min(col(Delivery.created_at)))
    lost = select(col(Delivery.webhook), func.count()).where(col(Delivery.outcome) == GIVEN_UP)
    connection = session.connection()
    undone = connection.execute(waiting.where(col(Delivery.done_at).is_(None)).group_by(col(Delivery.webhook)))
    found = {webhook: Standing(count, oldest) for webhook, count, oldest in undone}
    for webhook, count in connection.execute(lost.group_by(col(Delivery.webhook))):
        found[webhook] = found.get(webhook, Standing())._replace(given_up=count)
    return found


def failing(session: Session, most: int = 200) -> list[Delivery]:
    """Return what was tried in vain and is tried on, and what was given up, the oldest first."""
    tried = (col(Delivery.done_at).is_(None)) & (col(Delivery.tries) > 0)
    query = rows(Delivery).where(tried | (col(Delivery.outcome) == GIVEN_UP)).order_by(col(Delivery.id))
    return list(session.exec(query.limit(most)))


def tidy(session: Session, now: datetime) -> int:
    """Give up what has waited too long for a receiver that fails, and forget what is long done; return what is new."""
    failing_ = select(col(Webhook.id)).where(col(Webhook.failing_since).is_not(None))
    late = (col(Delivery.done_at).is_(None), col(Delivery.created_at) <= now - GIVEN_UP_AFTER)
    connection = session.connection()
    given_up = connection.execute(
        update(Delivery).where(*late, col(Delivery.webhook).in_(failing_)).values(done_at=now, outcome=GIVEN_UP)
    ).rowcount
    connection.execute(delete(Delivery).where(col(Delivery.done_at) < now - KEPT))
    return given_up
