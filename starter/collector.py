"""The collector: the process that asks where nobody tells us, fetches what was left, and posts webhooks to others.

`python -m starter.collector` runs all feeds that the settings want (long polling, IMAP, reconciliation). Started twice,
the second waits: a feed has one holder at a time.
"""

import os
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
import typer

import health
from channels.registry import load_channels
from listener import Door, listening
from logs import configure_logs
from metrics import exposition
from models.errors import PlazoError, RecordsUnavailable, SettingsError
from models.inquiry import Channel
from models.policy import Policy
from models.policy_reading import load_policy
from records import feeds, purging, streams
from records.chat import Transcript
from records.database import Database
from records.documents import FolderStore
from settings import Settings, load_settings
from starter.chat.abandoned import give_back
from starter.collecting.counting import tell_counts
from starter.collecting.fetching import Fetching
from starter.collecting.posting import NAME, Posting
from starter.collecting.rounds import Collecting, House
from starter.http.outside import networks
from starter.reception.intake import Intake, make_intake
from tracing import configure_traces, end_traces
from trackers.registry import load_trackers

HOUR, MINUTE = 3600.0, 60.0
BREATH = 0.1
"""Seconds between two batches of what is purged, in which others get their turn to write."""

LAST_ROUND = 35.0
"""Seconds that a look under way gets when the process ends."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def now() -> datetime:
    """The time, aware UTC."""
    return datetime.now(UTC)


def collect(settings: Settings, stop: threading.Event, only: Channel | None = None) -> int:
    """Run the feeds, of one channel or of all, until told to stop; return how many there are.

    Raises SettingsError and PolicyError; the database and the providers may be away.
    """
    policy = load_policy(settings.policy)
    database = Database(settings.records_url)
    channels = load_channels(policy, settings, now, Transcript(database))
    files = FolderStore(settings.documents)
    house = House(database, make_intake(settings, policy, database, now), now, _holder(), stop)
    wanted = [(one, feed) for name, one in channels.items() if only in {None, name} for feed in one.feeds()]
    names = {feed.name for _, feed in wanted}
    with suppress(RecordsUnavailable):
        free_the_dead(database)
    tasks: list[tuple[str, Callable[[], None]]] = [
        (feed.name, Collecting(house, adapter, feed).run) for adapter, feed in wanted
    ]
    if only is None:
        names.add(NAME)
        allowed = networks(settings.webhook_networks)
        posting = Posting(database, settings.key_ring(), allowed, now, house.holder)
        tasks += [("webhooks", lambda: posting.run(stop))]
        tasks += [("files", lambda: Fetching(database, files, channels, now).run(stop))]
        tasks += [("gaps", lambda: _every(HOUR, "gaps", partial(_watch, database, names), stop))]
        spent = timedelta(days=settings.spent_days)
        tasks += [("spent", lambda: _every(HOUR, "spent", partial(purge_spent, database, spent, stop), stop))]
        tasks += [("chat", lambda: _every(MINUTE, "chat", partial(_give_back, database, house.intake), stop))]
        tasks += _counting(settings, policy, database, stop)
    threads = [threading.Thread(target=work, name=name, daemon=True) for name, work in tasks]
    for thread in threads:
        thread.start()
    log.info("collector.collects", feeds=[feed.name for _, feed in wanted])
    door = Door(
        partial(exposition, None),
        lambda: all(thread.is_alive() for thread in threads),
        partial(health.records, database, settings.key_ring),
    )
    with listening(settings, door):
        stop.wait()
    for adapter in channels.values():
        adapter.close()
    for thread in threads:
        thread.join(LAST_ROUND)
    database.close()
    return len(wanted)


def _counting(
    settings: Settings, policy: Policy, database: Database, stop: threading.Event
) -> list[tuple[str, Callable[[], None]]]:
    """Tell trackers outside how many joined; nothing where there is none, or this process lacks their secrets."""
    try:
        trackers = load_trackers(policy, settings, now)
    except SettingsError as error:
        log.warning("collector.no-trackers", why=str(error))
        return []
    if not any(one.outside for one in trackers.by_name.values()):
        return []
    work = partial(tell_counts, database, trackers, now)
    return [("counts", lambda: _every(MINUTE, "counts", work, stop))]


def _every(pause: float, name: str, work: Callable[[], object], stop: threading.Event) -> None:
    """Do something now and again, until told to stop; nothing that goes wrong ends it before."""
    while not stop.is_set():
        try:
            work()
        except RecordsUnavailable:
            log.warning("collector.later", what=name, why="the records database is away")
        except Exception:
            log.exception("collector.broken", what=name)
        stop.wait(pause)


def _watch(database: Database, wanted: Collection[str]) -> None:
    """Report what a provider counted and never handed over; forget feeds that the settings want no more."""
    with database.write() as session:
        feeds.rest(session, wanted, now())
    with database.read() as session:
        found = streams.gaps(session, since=now() - streams.KEPT)
    if found:
        log.warning("collector.gaps", gaps=len(found), numbers=sum(gap.last - gap.first + 1 for gap in found))


def purge_spent(database: Database, kept: timedelta, stop: threading.Event) -> None:
    """Take away what has been done with for that long, until nothing is left or it is told to stop."""
    before, counts = now() - kept, Counter[str]()
    for spent in purging.SPENT:
        ripe = purging.ripe(database, spent, before)
        while not stop.is_set() and (count := purging.purge(database, spent, ripe)):
            counts[str(spent.table.__tablename__)] += count
            stop.wait(BREATH)
    if counts:
        log.info("collector.purged", **counts)


def _give_back(database: Database, intake: Intake) -> None:
    """Send letters elsewhere that lie unseen before visitors who have left the chat."""
    if count := give_back(database, intake, now()):
        log.info("chat.given-back", letters=count)


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def free_the_dead(database: Database) -> list[str]:
    """Free the feeds of collectors that were killed on this machine; return their names.

    Else the next one would wait for the leases to end. Raises RecordsUnavailable.
    """
    with database.write() as session:
        dead = [row for row in feeds.all_of_them(session) if _died_here(row.holder)]
        for row in dead:
            feeds.release(session, row.name, row.holder)
    return [row.name for row in dead]


def _died_here(holder: str) -> bool:
    host, _, process = holder.rpartition(":")
    if host != socket.gethostname() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def telegram_poll_command() -> None:
    """Take in what people write to the Telegram bot by long polling: no public address is needed. Ctrl-C ends it."""
    os.environ["PLAZO_TELEGRAM_MODE"] = "poll"
    raise typer.Exit(serve("telegram"))


def serve(only: Channel | None = None) -> int:
    """Collect until SIGTERM or SIGINT; return the exit code: 2 when the settings do not add up."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        settings = load_settings()
        configure_logs(settings.environment)
        configure_traces("collector")
        collect(settings, stop, only)
        end_traces()
    except PlazoError as error:
        sys.stderr.write(f"collector: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    code = serve()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
