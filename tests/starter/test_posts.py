"""More posts than can be read at once: kept as they came, answered, and read in their turn."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from channels.letter import Accepted, OutboundLetter
from channels.port import Adapter, Arrivals, Greeting, Parts, Post
from models.errors import RecordsUnavailable, VerificationError
from models.inquiry import EMAIL, WEB
from models.tables import StoredMessage, StoredPost
from records import cases, gauges, messages, posts
from records.database import Database
from records.documents import FolderStore
from starter.admin.inbox import inbox
from starter.http.problems import Problem
from starter.http.threads import AT_ONCE, CALM, LONGEST_HOLD, SHARE, SLOW, Threads
from starter.reception.pile import LEASE, LONGEST_PAUSE, Pile
from starter.reception.posts import READ_AT_ONCE, Posts
from starter.reception.reading import Entrance
from starter.reception.web_form import FormEntrance, KeyedForm, WebForm
from tests.databases import away
from tests.starter.mailbag import NOW, Bench, message

MINUTE = timedelta(minutes=1)


class Slow(Adapter):
    """A channel whose posts are a number, read when the test lets them be; `x` is forged, `?` cannot be read."""

    name = EMAIL

    def __init__(self) -> None:
        self.go, self.begun, self.read = Event(), 0, list[str]()
        self.poison = ""

    def verify(self, post: Post, now: datetime) -> None:
        if post.body.startswith(b"x"):
            raise VerificationError("forged")

    def parse(self, post: Post, stored_at: datetime) -> Arrivals:
        self.begun += 1
        assert self.go.wait(30)
        said = post.body.decode()
        self.read.append(said)
        if said == "?":
            raise ZeroDivisionError
        whole = message(int(said), received_at=stored_at, sender=f"p{said}@example.org")
        if said == self.poison:
            whole = whole.model_copy(update={"subject": None})
        return Arrivals(messages=(whole,), greetings=(Greeting(f"p{said}", None),))

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        raise NotImplementedError

    def greet(self, greeting: Greeting) -> None:
        self.read.append(f"hello {greeting.to}")


class House:
    """The door and the pile of one web process; `tick` moves its clock."""

    def __init__(self, bench: Bench, executor: ThreadPoolExecutor) -> None:
        self.bench, self.channel, self.forms = bench, Slow(), FormEntrance(1000)
        self.threads = Threads(executor)
        self.pile = self.another_pile()
        self.door = Posts(self.pile, lambda: bench.now)

    def another_pile(self) -> Pile:
        entrances: dict[str, Entrance] = {EMAIL: self.channel, WEB: self.forms}
        return Pile(self.bench.database, self.bench.intake, entrances, lambda: self.bench.now, self.threads)

    async def full(self) -> list[asyncio.Task[Any]]:
        """So many posts are being read that the next is kept."""
        tasks = [asyncio.create_task(self.door.take(self.channel, post(n))) for n in range(READ_AT_ONCE)]
        await until(lambda: self.channel.begun == READ_AT_ONCE)
        return tasks

    @asynccontextmanager
    async def reading(self, pile: Pile | None = None) -> AsyncIterator[None]:
        task = asyncio.create_task((pile or self.pile).run())
        yield
        task.cancel()
        await asyncio.wait([task])

    def later(self, pause: timedelta) -> bool:
        self.bench.now += pause
        return True

    def stored(self) -> list[StoredMessage]:
        with self.bench.database.read() as session:
            found = [messages.of_case(session, one) for one in cases.open_references(session)]
        return sorted((one for of_case in found for one in of_case), key=lambda one: one.n or 0)

    def alarms(self) -> tuple[str, ...]:
        with self.bench.database.read() as session:
            return inbox(session, self.bench.now).alarms

    def waiting(self) -> int:
        with self.bench.database.read() as session:
            return gauges.read(session, self.bench.now, [], []).posts.waiting


@pytest.fixture
def house(records_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr("starter.reception.pile.TURN", 0.01)
    database = Database(records_url, patience=60)
    with ThreadPoolExecutor(8) as executor:
        made = House(Bench(database, tmp_path / "documents"), executor)
        yield made
        made.channel.go.set()
    database.close()


def post(n: object) -> Post:
    return Post("inbound", {"content-type": "text/plain"}, str(n).encode())


def form(text: str, key: str) -> Post:
    return KeyedForm.of(WebForm(email="ana@example.org", text=text), key).post()


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.01)


async def test_more_than_can_be_read_at_once_is_kept_and_read_in_its_order_dated_as_it_came(house: House) -> None:
    early = await house.full()
    house.bench.tick(minutes=1)
    kept = [house.door.take(house.channel, post(n)) for n in range(10, 30)]
    assert await asyncio.gather(*kept) == [None] * 20
    assert house.channel.begun == READ_AT_ONCE, "they are answered without having been read"
    house.channel.go.set()
    assert all(brought.receipts[0].new for brought in await asyncio.gather(*early))
    house.bench.tick(hours=3)
    async with house.reading():
        await until(lambda: house.waiting() == 0)
    late = house.stored()[READ_AT_ONCE:]
    assert [one.sender for one in late] == [f"p{n}@example.org" for n in range(10, 30)]
    assert {(one.received_at, one.stored_at) for one in late} == {(NOW + MINUTE, NOW + MINUTE)}
    await until(lambda: "hello p29" in house.channel.read)


async def test_a_forged_one_among_many_is_turned_down_alone(house: House) -> None:
    await house.full()
    answers = [house.door.take(house.channel, post(said)) for said in (10, "x11", 12)]
    found = await asyncio.gather(*answers, return_exceptions=True)
    assert (found[0], found[2]) == (None, None)
    assert isinstance(found[1], VerificationError)
    assert house.waiting() == 2


async def test_a_form_is_kept_too_and_one_whose_key_was_used_before_is_for_a_person(house: House) -> None:
    await house.full()
    for text, key in (("Mi retiro no llegó.", "a"), ("Mi retiro no llegó.", "a"), ("Otra cosa.", "a"), ("Más.", "b")):
        assert await house.door.take(house.forms, form(text, key)) is None
    house.channel.go.set()
    async with house.reading():
        await until(lambda: house.waiting() == 0)
    assert [one.text for one in house.stored() if one.channel == WEB] == ["Mi retiro no llegó.", "Más."]
    with house.bench.database.read() as session:
        (odd,) = messages.quarantined(session)
        assert odd.channel == WEB
        with FolderStore(house.bench.folder).open(odd.raw_path) as file:
            assert b"Otra cosa." in file.read()
    assert house.alarms() == ()


async def test_what_follows_waits_behind_what_waits_in_whatever_process(house: House) -> None:
    await house.full()
    await house.door.take(house.channel, post(10))
    pile = house.another_pile()
    other = Posts(pile, lambda: house.bench.now)
    assert await other.take(house.channel, post(11)) is None
    house.channel.go.set()
    async with house.reading(), house.reading(pile):
        await until(lambda: house.waiting() == 0 and not pile.behind)
    assert [one.sender for one in house.stored()][-2:] == ["p10@example.org", "p11@example.org"]
    assert await other.take(house.channel, post(12)), "what another process has read, this one need not wait for"


async def test_one_that_cannot_be_taken_in_spoils_no_other_and_is_told_as_an_alarm(house: House) -> None:
    await house.full()
    house.channel.poison = "11"
    for said in (10, 11, "?", 12):
        await house.door.take(house.channel, post(said))
    house.channel.go.set()
    async with house.reading():
        await until(lambda: house.waiting() == 1)
        await until(lambda: house.later(LONGEST_PAUSE) and house.alarms())
    (alarm,) = house.alarms()
    assert "of email cannot be taken in: TypeError in " in alarm
    assert house.channel.read.count("11") >= posts.DEAD_AFTER
    assert [one.sender for one in house.stored()][-2:] == ["p10@example.org", "p12@example.org"]
    with house.bench.database.read() as session:
        assert [row.disposition for row in messages.quarantined(session)] == ["unanswerable"]
    assert await house.door.take(house.channel, post(13)), "nothing waits behind it"


async def test_killed_before_the_answer_and_after_the_reading_nothing_is_lost_or_stored_twice(house: House) -> None:
    await house.full()
    unanswered = asyncio.create_task(house.door.take(house.channel, post(10)))
    await until(lambda: house.waiting() == 1)
    unanswered.cancel()
    # Nobody got an answer: the provider sends it again.
    await house.door.take(house.channel, post(10))
    house.channel.go.set()
    with house.bench.database.write() as session:
        (claimed, _) = posts.claim(session, house.bench.now, lease=LEASE, limit=10)
    house.pile._take_in(claimed)  # and the process is killed before it can say so
    house.bench.now += LEASE
    async with house.reading(house.another_pile()):
        await until(lambda: house.waiting() == 0)
    assert [one.sender for one in house.stored()].count("p10@example.org") == 1


async def test_with_the_records_away_nobody_gets_a_2xx(house: House, records_url: str) -> None:
    await house.full()
    with away(records_url):
        answers = [house.door.take(house.channel, post(n)) for n in (10, 11)]
        found = await asyncio.gather(*answers, return_exceptions=True)
    assert [type(one) for one in found] == [RecordsUnavailable, RecordsUnavailable]
    await house.door.take(house.channel, post(12))
    assert house.waiting() == 1


def test_whoever_waits_long_makes_everything_else_hold_back() -> None:
    times = iter([0, 0, SLOW / 2, 2 * SLOW, 2 * SLOW, 2 * SLOW + CALM / 2, 2 * SLOW + 2 * CALM])
    with ThreadPoolExecutor(1) as executor:
        threads = Threads(executor, lambda: next(times))
        before = threads.hold_back(0.1)
        with threads.answering():
            soon, later = threads.hold_back(0.1), threads.hold_back(0.1)
        after, calm = threads.hold_back(60), threads.hold_back(60)
    assert (before, soon, later, after, calm) == (0, 0, SHARE * 0.1, LONGEST_HOLD, 0)


async def test_what_is_not_begun_in_half_a_lease_is_claimed_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.full()
    await asyncio.gather(*(house.door.take(house.channel, post(n)) for n in range(10, 15)))
    house.channel.go.set()
    read, claim, claimed = house.pile._take_in, posts.claim, list[int]()

    def slowly(row: StoredPost) -> None:
        read(row)
        house.bench.now += LEASE / 2

    def claiming(*said: Any, **more: Any) -> list[StoredPost]:
        rows = claim(*said, **more)
        claimed.append(len(rows))
        return rows

    monkeypatch.setattr(house.pile, "_take_in", slowly)
    monkeypatch.setattr(posts, "claim", claiming)
    async with house.reading():
        await until(lambda: house.waiting() == 0)
    assert claimed == [5, 4, 3, 2, 1]
    assert [one.sender for one in house.stored()][READ_AT_ONCE:] == [f"p{n}@example.org" for n in range(10, 15)]


async def test_only_so_many_may_wait(house: House) -> None:
    waiting = [house.threads.answering() for _ in range(AT_ONCE)]
    for one in waiting:
        one.__enter__()
    with pytest.raises(Problem):
        await house.door.take(house.channel, post(1))
    for one in waiting:
        one.__exit__(None, None, None)
