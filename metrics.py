"""What Prometheus reads of a process: its own use of the machine, and from one that knows the records, the house.

Labels are statuses, areas, channels and names of feeds, never anything of a person or an inquiry.
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models.errors import RecordsUnavailable
from models.policy import Policy
from records import gauges
from records.database import Database
from records.gauges import Gauges, Queue

TYPE = "text/plain; version=0.0.4; charset=utf-8"
SOON = (1, 2, 5)
"""Business days up to whose ends the promises that fall due are counted."""

FRESH = 5.0
"""Seconds for which one reading serves every scrape: who asks more often does not ask the database more often."""


class House(Collector):
    """The figures of the house, read from the records at each scrape.

    Where they do not answer `plazo_records_up` is 0 and nothing else is said: a stale figure would hide it.
    """

    def __init__(
        self,
        database: Database,
        policy: Policy,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` is aware UTC; `monotonic` in seconds says how old a reading is."""
        self._database, self._policy, self._clock, self._monotonic = database, policy, clock, monotonic
        self._turn = threading.Lock()
        self._read: tuple[float, datetime, Gauges | None] | None = None

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing is read when a registry takes this in."""
        yield from ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every figure."""
        now, found = self._latest()
        yield GaugeMetricFamily("plazo_records_up", "Whether the records database answers.", value=found is not None)
        if found is not None:
            yield from _work(found)
            yield from _queues(found, now)
            yield from _channels(found, now)

    def _latest(self) -> tuple[datetime, Gauges | None]:
        with self._turn:
            at = self._monotonic()
            if self._read is None or at - self._read[0] >= FRESH:
                self._read = (at, self._clock(), self._look())
            return self._read[1:]

    def _look(self) -> Gauges | None:
        now = self._clock()
        calendar = self._policy.whole_calendar()
        soon = [calendar.due(now, days) for days in SOON]
        try:
            with self._database.read() as session:
                return gauges.read(session, now, soon, self._policy.channels.named)
        except RecordsUnavailable:
            return None


def exposition(house: House | None) -> bytes:
    """What a scrape of this process gives, in Prometheus' text format."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    if house is not None:
        registry.register(house)
    return generate_latest(registry)


def _work(found: Gauges) -> Iterator[GaugeMetricFamily]:
    open_ = GaugeMetricFamily("plazo_inquiries_open", "Open inquiries.", labels=("status", "area"))
    for (status, area), count in found.open.items():
        open_.add_metric((status, area), count)
    yield open_
    due = GaugeMetricFamily(
        "plazo_obligations_due", "Promises to keep by the end of so many business days.", labels=("business_days",)
    )
    for days, count in zip(SOON, found.due, strict=True):
        due.add_metric((str(days),), count)
    yield due
    for name, text, count in (
        ("plazo_obligations_missed", "Open promises whose date has passed.", found.missed),
        ("plazo_inquiries_undelivered", "Open inquiries with a letter that reached nobody.", found.undelivered),
        ("plazo_proposals_waiting", "Open inquiries that wait for an approval.", found.proposals),
        ("plazo_referrals_open", "Areas that were asked for findings.", found.referrals),
    ):
        yield GaugeMetricFamily(name, text, value=count)


def _queues(found: Gauges, now: datetime) -> Iterator[GaugeMetricFamily]:
    for name, what, queue in (
        ("plazo_letters", "letters that no channel has taken", found.letters),
        ("plazo_handovers", "hand-overs to Temporal", found.handovers),
        ("plazo_posts", "posts that are stored and not read", found.posts),
        ("plazo_files", "files that lie with their provider", found.files),
    ):
        yield GaugeMetricFamily(f"{name}_waiting", f"Count of {what}.", value=queue.waiting)
        yield GaugeMetricFamily(f"{name}_oldest_seconds", f"Age of the oldest of the {what}.", value=_age(queue, now))
    yield GaugeMetricFamily("plazo_handovers_dead", "Hand-overs that Temporal refuses again and again.", found.dead)
    yield GaugeMetricFamily("plazo_quarantine_waiting", "Messages that wait for a person's eye.", found.quarantine)
    yield GaugeMetricFamily("plazo_webhooks_failing", "Subscriptions whose receiver takes nothing.", found.webhooks)


def _channels(found: Gauges, now: datetime) -> Iterator[GaugeMetricFamily]:
    ages = GaugeMetricFamily(
        "plazo_message_age_seconds", "Seconds since the newest message of a channel was stored.", labels=("channel",)
    )
    for channel, at in found.last_message.items():
        ages.add_metric((channel,), (now - at).total_seconds())
    looks = GaugeMetricFamily("plazo_feed_look_age_seconds", "Seconds since a feed last looked.", labels=("feed",))
    failing = GaugeMetricFamily("plazo_feed_failing", "Whether a feed's last look failed.", labels=("feed",))
    for feed, look in found.feeds.items():
        if look.at is not None:
            looks.add_metric((feed,), (now - look.at).total_seconds())
        failing.add_metric((feed,), look.failing)
    yield from (ages, looks, failing)


def _age(queue: Queue, now: datetime) -> float:
    return (now - queue.oldest).total_seconds() if queue.oldest else 0.0
