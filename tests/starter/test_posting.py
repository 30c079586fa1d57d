"""Posts to real receivers on this machine: signed, in order, again after a fault, and nowhere they must not go."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest

from keys import KeyRing, parse_keys
from models.hooks import NAMES, headers
from records import cases, deliveries, feeds, hooks, ledger
from records.database import Database
from starter.admin import hook_secrets
from starter.admin.inbox import inbox
from starter.collecting import posting
from starter.collecting.posting import LEASE, LONG_PAUSE, NAME, PAUSE, Posting
from starter.http import outside
from tests.cases import new_case
from tests.waiting import until

RING = parse_keys("one:" + "A" * 43 + "=", "test")
HERE = outside.networks("127.0.0.0/8")


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Receiver:
    """Answers what `answers` says, else 204; keeps what was posted."""

    answers: list[int] = field(default_factory=list)
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def ids(self) -> list[str]:
        return [told["webhook-id"] for told, _ in self.posts]


@pytest.fixture
def receivers() -> Iterator[Callable[[], Receiver]]:
    servers: list[tuple[ThreadingHTTPServer, threading.Thread, Receiver]] = []

    def make() -> Receiver:
        receiver = Receiver()
        receiver.held.set()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
                receiver.held.wait(15)
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.send_header("Location", receiver.url + "elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        receiver.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        servers.append((server, thread, receiver))
        return receiver

    yield make
    for server, thread, receiver in servers:
        receiver.held.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Bench:
    database: Database
    clock: Clock = field(default_factory=Clock)

    def posting(self, *, holder: str = "a:1", ring: KeyRing = RING, allowed: Any = HERE) -> Posting:
        return Posting(self.database, ring, allowed, self.clock, holder)

    def subscribe(self, url: str, *events: str) -> tuple[str, str]:
        secret = hook_secrets.make()
        sealed = hook_secrets.seal(RING, url, secret)
        with self.database.write() as session:
            wanted = events or tuple(NAMES)
            row = hooks.subscribe(session, url, wanted, sealed, label="", made_by="s-1", now=self.clock())
        return row.id, secret

    def happens(self, reference: str = "RX-7KQ4-M2PD") -> list[str]:
        """A case is opened; the ids of what is published of it."""
        case = new_case(reference=reference)
        with self.database.write() as session:
            cases.add(session, case, subject="", excerpt="", status_token=reference)
            events = case.seal()
            ledger.append(session, events)
            cases.project(session, case)
        return [f"evt_{one.reference}_{one.seq}" for one in events if one.type in set(NAMES.values())]

    async def rounds(self, one: Posting, count: int = 1) -> float:
        pause = 0.0
        async with outside.client() as client:
            for _ in range(count):
                pause = await one.round(client)
                await one.finished()
        return pause


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


async def test_an_event_is_posted_signed_and_in_order(bench: Bench, receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    webhook, secret = bench.subscribe(receiver.url)
    happened = bench.happens()
    assert await bench.rounds(bench.posting()) == PAUSE
    assert receiver.ids == happened
    for told, body in receiver.posts:
        at = datetime.fromtimestamp(int(told["webhook-timestamp"]), UTC)
        assert told["webhook-signature"] == headers([secret], told["webhook-id"], at, body)["webhook-signature"]
        assert json.loads(body)["id"] == told["webhook-id"]
    await bench.rounds(bench.posting())
    assert receiver.ids == happened
    with bench.database.write() as session:
        deliveries.replay(session, webhook, datetime(2020, 1, 1, tzinfo=UTC), bench.clock(), bench.clock())
    await bench.rounds(bench.posting())
    assert receiver.ids == happened * 2


async def test_a_fault_is_tried_again_under_the_same_id(bench: Bench, receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    receiver.answers = [500, 302]
    bench.subscribe(receiver.url)
    happened, one = bench.happens(), bench.posting()
    await bench.rounds(one, 2)
    assert receiver.ids == happened[:1]
    for _ in range(2):
        bench.clock.now += timedelta(minutes=1)
        await bench.rounds(one)
    assert receiver.ids == [happened[0], happened[0], *happened]
    with bench.database.read() as session:
        assert inbox(session, bench.clock()).alarms == ()


async def test_gone_is_gone_and_the_inbox_says_so(bench: Bench, receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    receiver.answers = [410]
    webhook, _ = bench.subscribe(receiver.url)
    bench.happens()
    await bench.rounds(bench.posting())
    bench.clock.now += timedelta(days=1)
    await bench.rounds(bench.posting())
    assert len(receiver.posts) == 1
    with bench.database.read() as session:
        assert any(f"{webhook} is switched off" in alarm for alarm in inbox(session, bench.clock()).alarms)


async def test_a_slow_receiver_holds_up_nobody(bench: Bench, receivers: Callable[[], Receiver]) -> None:
    slow, quick = receivers(), receivers()
    slow.held.clear()
    bench.subscribe(slow.url)
    bench.subscribe(quick.url)
    happened, one = bench.happens(), bench.posting()
    async with outside.client() as client:
        async with asyncio.timeout(8):
            while quick.ids != happened:
                await one.round(client)
                await asyncio.sleep(0.01)
        assert len(slow.posts) == 1
        slow.held.set()
        await one.finished()
    assert slow.ids == happened


async def test_a_silent_receiver_is_not_waited_for(
    bench: Bench, receivers: Callable[[], Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "ANSWER_WITHIN", 0.2)
    receiver = receivers()
    receiver.held.clear()
    webhook, _ = bench.subscribe(receiver.url)
    bench.happens()
    await bench.rounds(bench.posting())
    with bench.database.read() as session:
        row = hooks.get(session, webhook)
        assert "no answer within" in row.error
        assert f"webhook {webhook} fails: no answer within 0.2 s" in inbox(session, bench.clock()).alarms


async def test_nothing_is_posted_into_our_own_networks(bench: Bench, receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    port = receiver.url.rsplit(":", 1)[1]
    for url in (receiver.url, f"http://localhost:{port}"):
        webhook, _ = bench.subscribe(url, "inquiry.opened.v1")
        bench.happens(f"RX-7KQ4-M2P{port[0]}" if "localhost" in url else "RX-7KQ4-M2PD")
        await bench.rounds(bench.posting(allowed=()))
        with bench.database.read() as session:
            assert "leads into a network" in hooks.get(session, webhook).error
    assert receiver.posts == []


async def test_what_cannot_be_signed_waits(bench: Bench, receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    webhook, _ = bench.subscribe(receiver.url)
    bench.happens()
    await bench.rounds(bench.posting(ring=parse_keys("two:" + "B" * 43 + "=", "test")))
    assert receiver.posts == []
    with bench.database.read() as session:
        assert "rotate" in hooks.get(session, webhook).error


async def test_two_secrets_are_good_at_once(bench: Bench, receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    webhook, _ = bench.subscribe(receiver.url)
    with bench.database.write() as session:
        hooks.rotate(session, webhook, hook_secrets.seal(RING, receiver.url, hook_secrets.make()), bench.clock())
    bench.happens()
    await bench.rounds(bench.posting())
    bench.clock.now += hooks.BOTH_GOOD
    bench.happens("RX-3333-3333")
    await bench.rounds(bench.posting())
    counts = [len(told["webhook-signature"].split()) for told, _ in receiver.posts]
    assert counts == [2] * (len(counts) // 2) + [1] * (len(counts) // 2)


async def test_one_collector_posts_at_a_time(bench: Bench, receivers: Callable[[], Receiver]) -> None:
    receiver = receivers()
    bench.subscribe(receiver.url)
    first, second = bench.posting(), bench.posting(holder="b:1")
    assert await bench.rounds(first) == PAUSE
    happened = bench.happens()
    assert await bench.rounds(second) == LONG_PAUSE
    assert receiver.posts == []
    bench.clock.now += LEASE
    assert await bench.rounds(second) == PAUSE
    assert await bench.rounds(first) == LONG_PAUSE
    assert receiver.ids == happened


def test_it_runs_until_it_is_told_to_stop(
    bench: Bench, receivers: Callable[[], Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "PAUSE", 0.01)
    receiver, stop, one = receivers(), threading.Event(), bench.posting()
    bench.subscribe(receiver.url)
    thread = threading.Thread(target=one.run, args=(stop,), daemon=True)
    thread.start()
    happened = bench.happens()
    until(lambda: receiver.ids == happened, "all is posted")
    stop.set()
    thread.join(15)
    assert not thread.is_alive()
    with bench.database.read() as session:
        assert next(row for row in feeds.all_of_them(session) if row.name == NAME).holder == ""


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("224.0.0.1", False),
        ("ff0e::1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("10.20.3.4", True),
        ("::ffff:10.20.3.4", True),
    ],
)
def test_only_what_is_public_or_allowed_is_reached(address: str, reached: bool) -> None:  # noqa: FBT001
    assert outside.may_be_reached(ip_address(address), outside.networks("10.20.0.0/16, fd77::/64")) is reached


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "ftp://crm.example/",
        "http://crm.example/",
        "https://",
        "https:///path",
        "https://user@crm.example/",
        "https://user:pw@crm.example/",
        "https://crm.example/#x",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://crm.example:0/",
        "https://crm.example:99999/",
        "https://crm.example/ x",
        "https://crm.example/\n",
        "https://crm.exämple/",
        "https://crm.example/" + "a" * 300,
    ],
)
def test_an_address_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(outside.Forbidden):
        outside.checked_url(url, (), plain=False)


def test_an_address_in_order_is_taken() -> None:
    for url, plain in (("https://crm.example:8443/in?t=1", False), ("http://crm.example/", True)):
        assert outside.checked_url(url, (), plain=plain) == url
