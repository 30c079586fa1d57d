"""What the provider reports of our letters: stored once, and told to the cases it concerns.

A letter that came back is told at once. Deliveries are gathered and told in batches, so that a chain grows slowly. An
acceptance is only stored: it is evidence for the activity that sends.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlmodel import Session

from channels.report import Delivery, DeliveryEvent
from models.arrivals import NoticeBounced
from models.reference import is_reference
from models.tables import NoticeEvent
from records import dispatches, notices
from starter.reception.persons import short_key

RETURNED = (Delivery.BOUNCE, Delivery.DROPPED)
MOST_REASON = 500


def take_reports(session: Session, events: Iterable[DeliveryEvent], now: datetime, *, gather: timedelta) -> int:
    """Store the events and queue what the cases must be told; return how many were new. `now` is aware UTC."""
    new = 0
    for event in events:
        key = event.notice or notices.by_message_id(session, event.message_id) or ""
        row = NoticeEvent(
            event_id=event.event_id,
            notice=key,
            kind=event.kind.value,
            at=event.at,
            hard=event.hard,
            reason=event.reason,
            stored_at=now,
        )
        if notices.add_event(session, row):
            new += 1
            if notices.kept(session, key):
                _tell(session, key, event, now, gather)
    return new


def _tell(session: Session, key: str, event: DeliveryEvent, now: datetime, gather: timedelta) -> None:
    reference = key.partition("/")[0]
    if not is_reference(reference):  # a digest belongs to no inquiry
        return
    if event.kind in RETURNED:
        # The same event may be handed over twice; under its key it counts once.
        reason, once = event.reason[:MOST_REASON], short_key("event", event.event_id)
        order = NoticeBounced(notice=key, at=event.at, hard=event.hard, reason=reason, key=once)
        payload = order.model_dump(mode="json", exclude_none=True)
        dispatches.add(session, reference, "notice_bounced", payload, now)
    elif event.kind is Delivery.DELIVERED:
        dispatches.pending_delivered(session, reference, key, event.at, now, not_before=now + gather)
