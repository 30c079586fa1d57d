"""Telling trackers outside how many inquiries joined an incident of theirs: the number, now and again, and no more.

It is told beside the cases: a thousand joins are one number, and wake nobody. What fails is tried again with the next
turn, and holds up nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from models.errors import ChannelError
from records import incident_joins
from records.database import Database
from trackers.registry import Trackers

SELDOM = timedelta(minutes=15)
"""How often one incident's number is told at most."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def tell_counts(database: Database, trackers: Trackers, clock: Callable[[], datetime]) -> int:
    """Tell each tracker outside the numbers that have changed; return how many were taken. Raises RecordsUnavailable.

    Called by several at once, each is told by one of them. `clock` gives aware UTC.
    """
    outside = [name for name, tracker in trackers.by_name.items() if tracker.outside]
    before, taken = clock() - SELDOM, 0
    with database.read() as session:
        waiting = incident_joins.untold(session, outside, before)
    for one in waiting:
        now = clock()
        with database.write() as session:
            if not incident_joins.telling(session, one.key, before, now):
                continue
        try:
            trackers.by_name[one.tracker].count(one.tracker_id, one.key, one.cases, now)
        except ChannelError as error:
            log.warning("tracker.not-counted", incident=one.key, why=error.detail)
            continue
        with database.write() as session:
            incident_joins.told(session, one.key, one.cases)
        taken += 1
    return taken
