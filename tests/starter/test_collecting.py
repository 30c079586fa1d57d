"""Feeds on a real database: held by one, nothing twice and nothing lost, and loud when nothing comes in."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

import pytest

from channels.letter import Accepted, OutboundLetter
from channels.message import InboundMessage
from channels.port import Adapter, Arrivals, Batch, Feed, Greeting, Number, Parts, Post
from models.errors import ChannelError, OperatorError, RecordsUnavailable, TransientError
from models.inquiry import Channel
from models.tables import FeedRow
from records import feeds, streams
from records.database import Database
from starter.admin.inbox import QUIET, inbox
from starter.collecting.rounds import ALARM_AGAIN, FIRST_PAUSE, LEASE, OPERATOR_PAUSE, Collecting, House
from tests.databases import away
from tests.starter.mailbag import NOW, Bench
from tests.starter.talk import said
from tests.waiting import PATIENCE, until


class Provider(Feed):
    """Hands out what lies in `posts`, three at a time, behind a cursor; its faults come first."""

    name = "pigeon"
    pause = 7.0

    def __init__(self, *posts: InboundMessage) -> None:
        self.posts, self.faults, self.cursors = list(posts), list[Exception](), list[str]()
        self.late, self.greetings, self.looking = False, (), threading.Event()
        self.held: threading.Event | None = None

    def look(self, cursor: str, known: Callable[[str], bool], now: datetime) -> Batch:
        self.cursors.append(cursor)
        self.looking.set()
        if self.held:
            assert self.held.wait(PATIENCE)
        if self.faults:
            raise self.faults.pop(0)
        begin = int(cursor or 0)
        found = tuple(self.posts[begin : begin + 3])
        numbers = tuple(Number("pigeon:1", begin + n + 1) for n in range(len(found)))
        end = begin + len(found)
        arrivals = Arrivals(messages=found, numbers=numbers, greetings=self.greetings)
        return Batch(arrivals, str(end), more=end < len(self.posts), late=self.late)


class Pigeon(Adapter):
    """A channel that only greets."""

    name: ClassVar[Channel] = "telegram"

    def __init__(self) -> None:
        self.greeted: list[Greeting] = []
        self.fault: Exception | None = None

    def verify(self, post: Post, now: datetime) -> None:
        raise NotImplementedError

    def parse(self, post: Post, stored_at: datetime) -> Arrivals:
        raise NotImplementedError

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        raise NotImplementedError

    def greet(self, greeting: Greeting) -> None:
        if self.fault:
            raise self.fault
        self.greeted.append(greeting)


class Unhurried(threading.Event):
    """Waits for nothing."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


@dataclass
class Rounds:
    """A process that runs the feed."""

    bench: Bench
    feed: Provider
    holder: str = "one:1"
    stop: threading.Event = field(default_factory=threading.Event)
    pigeon: Pigeon = field(default_factory=Pigeon)

    def __post_init__(self) -> None:
        house = House(self.bench.database, self.bench.intake, lambda: self.bench.now, self.holder, self.stop)
        self.collecting = Collecting(house, self.pigeon, self.feed)

    def round(self) -> float:
        return self.collecting.round()


@pytest.fixture
def feed() -> Provider:
    return Provider(*(said(n, f"Parte {n}") for n in range(1, 6)))


@pytest.fixture
def rounds(bench: Bench, feed: Provider) -> Rounds:
    return Rounds(bench, feed)


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """The log's lines since the last call, without those of intake."""

    def lines() -> list[str]:
        return [line for line in capsys.readouterr().out.splitlines() if " feed." in line]

    return lines


def row_of(database: Database) -> FeedRow:
    with database.read() as session:
        (row,) = feeds.all_of_them(session)
    return row


def cursor_of(bench: Bench) -> str:
    """How far the feed is; empty before its first round."""
    with bench.database.read() as session:
        return next((row.cursor for row in feeds.all_of_them(session)), "")


def stored(bench: Bench) -> list[int]:
    """The numbers of messages stored."""
    with bench.database.read() as session:
        assert streams.gaps(session) == []
    return [n for n in range(1, 6) if bench.intake.has("telegram", f"7:1001/{n}")]


# -- what comes in ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("M2.1")
def test_what_waits_comes_in_order_and_the_cursor_follows(rounds: Rounds, bench: Bench, feed: Provider) -> None:
    assert rounds.round() == 0, "more waits already"
    assert stored(bench) == [1, 2, 3]
    assert rounds.round() == Provider.pause
    assert stored(bench) == [1, 2, 3, 4, 5]
    assert rounds.round() == Provider.pause
    assert feed.cursors == ["", "3", "5"]
    assert len(bench.references()) == 1


def test_a_crash_before_the_cursor_is_kept_brings_nothing_twice(
    rounds: Rounds, bench: Bench, feed: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> bool:
        raise SystemExit(137)

    with monkeypatch.context() as dying:
        dying.setattr(feeds, "looked", crash)
        with pytest.raises(SystemExit):
            rounds.round()
    assert stored(bench) == [1, 2, 3]
    bench.tick(seconds=(LEASE + timedelta(seconds=Provider.pause)).total_seconds())
    after = Rounds(bench, feed, "two:2")
    for _ in range(2):
        after.round()
    assert feed.cursors == ["", "", "3"]
    assert stored(bench) == [1, 2, 3, 4, 5]
    (reference,) = bench.references()
    assert [name for _, name in bench.rows()] == ["start", *["receive_message"] * 4]
    assert {one for one, _ in bench.rows()} == {reference}


def test_the_cursor_stays_while_the_records_are_away(
    rounds: Rounds, bench: Bench, feed: Provider, records_url: str
) -> None:
    feed.held = threading.Event()
    failed: list[Exception] = []

    def look() -> None:
        try:
            rounds.round()
        except RecordsUnavailable as error:
            failed.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    assert feed.looking.wait(PATIENCE)
    bench.database.close()
    with away(records_url):
        feed.held.set()
        thread.join()
    assert failed
    rounds.round()
    assert feed.cursors == ["", ""]
    assert stored(bench) == [1, 2, 3]


def test_late_finds_are_counted_and_told(
    rounds: Rounds, bench: Bench, feed: Provider, log: Callable[[], list[str]]
) -> None:
    bench.intake.receive(feed.posts[0])
    feed.late = True
    rounds.round()
    assert row_of(bench.database).late == 2, "the webhook had brought one of the three"
    (line,) = log()
    assert "feed.found-late" in line
    assert "messages=2" in line
    feed.late = False
    rounds.round()
    assert row_of(bench.database).late == 2


def test_greetings_leave_once_all_is_stored_and_a_failing_one_stops_nothing(
    rounds: Rounds, bench: Bench, feed: Provider
) -> None:
    feed.greetings = (Greeting("1", None), Greeting("2", None))  # type: ignore[assignment]
    rounds.pigeon.fault = ZeroDivisionError()
    rounds.round()
    assert stored(bench) == [1, 2, 3]
    rounds.pigeon.fault = None
    rounds.round()
    assert [one.to for one in rounds.pigeon.greeted] == ["1", "2"]


# -- holders ----------------------------------------------------------------------------------------------------------


def test_of_two_processes_one_waits_and_takes_over_after_the_lease(
    rounds: Rounds, bench: Bench, feed: Provider
) -> None:
    second = Rounds(bench, feed, "two:2")
    rounds.round()
    assert second.round() == LEASE.total_seconds() / 4
    assert feed.cursors == [""]
    bench.tick(seconds=LEASE.total_seconds() + Provider.pause - 1)
    assert second.round() > Provider.pause
    bench.tick(seconds=1)
    assert second.round() == Provider.pause
    assert feed.cursors == ["", "3"]
    assert rounds.round() == LEASE.total_seconds() / 4
    assert row_of(bench.database).holder == "two:2"


def test_a_long_pause_gives_nobody_else_the_feed(rounds: Rounds, bench: Bench, feed: Provider) -> None:
    """Two processes in turn would ask the provider twice as often as it allows."""
    feed.pause = 300.0  # type: ignore[misc]
    second = Rounds(bench, feed, "two:2")
    rounds.round()
    bench.tick(seconds=300)
    second.round()
    assert feed.cursors == [""]


def test_who_lost_the_feed_moves_no_cursor(rounds: Rounds, bench: Bench, feed: Provider) -> None:
    second = Rounds(bench, feed, "two:2")
    feed.held = threading.Event()
    thread = threading.Thread(target=rounds.round)
    thread.start()
    assert feed.looking.wait(PATIENCE)
    bench.tick(seconds=LEASE.total_seconds() + Provider.pause)
    held, feed.held = feed.held, None
    second.round()
    second.round()
    assert row_of(bench.database).cursor == "5"
    held.set()
    thread.join()
    assert row_of(bench.database).cursor == "5"
    assert stored(bench) == [1, 2, 3, 4, 5]


def test_a_clean_stop_lets_the_next_begin_at_once(rounds: Rounds, bench: Bench, feed: Provider) -> None:
    thread = threading.Thread(target=rounds.collecting.run)
    thread.start()
    until(lambda: len(feed.cursors) == 2, "both rounds are over")
    rounds.stop.set()
    thread.join(15)
    assert not thread.is_alive()
    assert row_of(bench.database).holder == ""
    assert Rounds(bench, feed, "two:2").round() == Provider.pause
    assert feed.cursors == ["", "3", "5"]


def test_whoever_lets_go_late_takes_nothing_from_the_next(bench: Bench) -> None:
    with bench.database.write() as session:
        feeds.hold(session, "pigeon", "x", "one", now=NOW, lease=LEASE)
        feeds.hold(session, "pigeon", "x", "two", now=NOW + LEASE, lease=LEASE)
        feeds.release(session, "pigeon", "one")
    assert row_of(bench.database).holder == "two"


def test_many_who_want_it_at_once_are_one_holder(bench: Bench, records_url: str) -> None:
    ready, got = threading.Barrier(12), list[str | None]()
    patient = Database(records_url, patience=PATIENCE)

    def want(n: int) -> None:
        ready.wait()
        with patient.write() as session:
            got.append(feeds.hold(session, "pigeon", "x", f"holder-{n}", now=NOW, lease=LEASE))

    threads = [threading.Thread(target=want, args=(n,)) for n in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    patient.close()
    assert got.count("") == 1
    assert got.count(None) == 11


# -- outages ----------------------------------------------------------------------------------------------------------


def run_until(rounds: Rounds, condition: Callable[[], object]) -> None:
    """Run the feed until something holds."""
    thread = threading.Thread(target=rounds.collecting.run)
    thread.start()
    try:
        until(condition, "the feed has done so")
    finally:
        rounds.stop.set()
        thread.join(15)
    assert not thread.is_alive()


def test_a_failing_feed_is_an_alarm_at_once_and_again_after_a_quarter_of_an_hour(
    rounds: Rounds, bench: Bench, feed: Provider, log: Callable[[], list[str]]
) -> None:
    feed.faults = [TransientError("answered 503") for _ in range(5)]
    pauses = [rounds.round() for _ in range(3)]
    assert pauses == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    (line,) = log()
    assert "feed.outage" in line
    assert "answered 503" in line
    began = bench.now
    bench.tick(seconds=ALARM_AGAIN.total_seconds() - 1)
    rounds.round()
    assert log() == []
    bench.tick(seconds=1)
    rounds.round()
    assert len(log()) == 1
    row = row_of(bench.database)
    assert (row.failing_since, row.last_error) == (began, "answered 503")
    with bench.database.read() as session:
        assert inbox(session, bench.now).alarms == ("feed pigeon brings nothing in: answered 503",)
    rounds.round()
    assert [line.split("feed.")[1].split()[0] for line in log()] == ["back"]
    assert row_of(bench.database).failing_since is None
    feed.faults = [TransientError("answered 503")]
    assert rounds.round() == FIRST_PAUSE
    assert len(log()) == 1, "a new outage is a new alarm"


@pytest.mark.parametrize(
    ("fault", "pause"),
    [
        (OperatorError("the credits are used up"), OPERATOR_PAUSE),
        (OperatorError("come later", retry_after=900), 900),
        (TransientError("too many", retry_after=33), 33),
    ],
)
def test_a_fault_of_our_account_pauses_a_minute_and_a_wish_is_honoured(
    rounds: Rounds, bench: Bench, feed: Provider, fault: ChannelError, pause: float
) -> None:
    feed.faults = [fault]
    assert rounds.round() == pause
    assert row_of(bench.database).failing_since == bench.now
    assert row_of(bench.database).cursor == ""


def test_pauses_end_at_a_minute(rounds: Rounds, feed: Provider) -> None:
    feed.faults = [TransientError("away") for _ in range(30)]
    assert [rounds.round() for _ in range(30)][-1] == 60


def test_what_nobody_foresaw_ends_nothing(bench: Bench, feed: Provider, log: Callable[[], list[str]]) -> None:
    feed.faults = [ZeroDivisionError("ana@example.org")]
    run_until(Rounds(bench, feed, stop=Unhurried()), lambda: cursor_of(bench) == "5")
    assert stored(bench) == [1, 2, 3, 4, 5]
    assert "feed.broken" in log()[0]
    assert row_of(bench.database).failing_since is None


def test_a_mistake_of_ours_stands_in_the_inbox(bench: Bench, feed: Provider) -> None:
    rounds = Rounds(bench, feed, stop=Unhurried())
    feed.faults = [ZeroDivisionError("ana@example.org") for _ in range(10_000)]
    run_until(rounds, lambda: len(feed.cursors) > 2 and row_of(bench.database).failing_since)
    assert row_of(bench.database).last_error == "ZeroDivisionError", "never the text: it may quote what a person wrote"


def test_a_feed_that_nobody_runs_is_an_alarm_until_nobody_wants_it(rounds: Rounds, bench: Bench) -> None:
    rounds.round()

    def alarms() -> tuple[str, ...]:
        with bench.database.read() as session:
            return inbox(session, bench.now).alarms

    bench.tick(seconds=QUIET.total_seconds())
    assert alarms() == ()
    bench.tick(seconds=1)
    (alarm,) = alarms()
    assert "feed pigeon has not looked since 2026-02-02T16:30+00:00" in alarm
    with bench.database.write() as session:
        feeds.rest(session, {"pigeon"}, bench.now)
    assert alarms()
    with bench.database.write() as session:
        feeds.rest(session, {"imap"}, bench.now)
    assert alarms() == ()
    assert row_of(bench.database).cursor == "3", "it goes on there if it is wanted again"


def test_a_feed_that_somebody_holds_is_left_alone(rounds: Rounds, bench: Bench) -> None:
    rounds.round()
    with bench.database.write() as session:
        feeds.rest(session, set(), bench.now)
    assert row_of(bench.database).looked_at == bench.now


def test_the_log_names_no_person(rounds: Rounds, feed: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    feed.faults = [TransientError("answered 503")]
    for _ in range(3):
        rounds.round()
    lines = capsys.readouterr().out
    assert "feed.outage" in lines
    for personal in ("Ana", "1001", "Parte"):
        assert personal not in lines


def test_cursors_of_any_length_are_kept(bench: Bench) -> None:
    cursor = json.dumps({"uids": list(range(20_000))})
    with bench.database.write() as session:
        feeds.hold(session, "imap", "email", "one", now=NOW, lease=LEASE)
        feeds.looked(session, "imap", cursor, NOW, holder="one")
        assert feeds.hold(session, "imap", "email", "one", now=NOW, lease=LEASE) == cursor
        feeds.failed(session, "imap", "x" * 5_000, NOW)
    assert len(row_of(bench.database).last_error) == feeds.MOST_ERROR
